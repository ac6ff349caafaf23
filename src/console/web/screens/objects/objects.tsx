/** What is in a bucket: folders and objects, page by page while one scrolls. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { Folder, Trash2, Upload } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useBuckets } from '../../api/buckets.ts'
import { type Entry, listEntries } from '../../api/objects.ts'
import { useSession } from '../../api/session.tsx'
import { formatBytes, formatTime } from '../../lib/format.ts'
import { Link, pathOf, useRouter } from '../../lib/router.tsx'
import { Button, CheckField, TextField } from '../../ui/controls.tsx'
import { Empty, ErrorNote, Head, Waiting } from '../../ui/parts.tsx'
import styles from './objects.module.css'
import { ReplicationBadge } from './replication-badge.tsx'
import { UploadDialog } from './upload-dialog.tsx'

const rowHeightPx = 46

export default function Objects({ bucket = '' }: Readonly<Record<string, string>>) {
  const { query, go } = useRouter()
  const prefix = query.get('prefix') ?? ''
  const withVersions = query.has('versions')
  const buckets = useBuckets()
  const region = buckets.data?.find(({ name }) => name === bucket)?.region
  const [files, setFiles] = useState<readonly File[]>()
  const show = (of: { readonly prefix?: string; readonly withVersions?: boolean }): void =>
    go(addressOf(bucket, { prefix, withVersions, ...of }))
  if (buckets.isPending) return <Waiting what="Asking where the bucket is" />
  if (buckets.isError) return <ErrorNote error={buckets.error} />
  if (region === undefined)
    return <Empty title="There is no such bucket, or it is not yours.">{<Link href="/buckets">All buckets</Link>}</Empty>
  return (
    <>
      <Head title={<bdi>{bucket}</bdi>}>
        <Button kind="primary" onClick={() => setFiles([])}>
          <Upload size={18} aria-hidden />
          Upload
        </Button>
      </Head>
      <nav aria-label="Folders" className={styles.trail}>
        <Link href={addressOf(bucket, { prefix: '', withVersions })}>{region}</Link>
        {trailOf(prefix).map(({ name, to }) => (
          <Link key={to} href={addressOf(bucket, { prefix: to, withVersions })}>
            / <bdi>{name}</bdi>
          </Link>
        ))}
      </nav>
      <div className={styles.tools}>
        <PrefixField key={prefix} prefix={prefix} onGo={(to) => show({ prefix: to })} />
        <CheckField
          label="Versions and deleted ones"
          checked={withVersions}
          onChange={({ target }) => show({ withVersions: target.checked })}
        />
      </div>
      <Entries at={{ region, bucket }} prefix={prefix} withVersions={withVersions} onDrop={setFiles} />
      <UploadDialog at={{ region, bucket }} prefix={prefix} files={files} onClose={() => setFiles(undefined)} />
    </>
  )
}

function addressOf(bucket: string, of: { readonly prefix: string; readonly withVersions: boolean }): string {
  const query = new URLSearchParams([...(of.prefix === '' ? [] : [['prefix', of.prefix]]), ...(of.withVersions ? [['versions', '']] : [])])
  return `${pathOf('buckets', bucket)}${query.size > 0 ? `?${query}` : ''}`
}

/** The folders above, each with its prefix. */
function trailOf(prefix: string): readonly { readonly name: string; readonly to: string }[] {
  const names = prefix.split('/').slice(0, -1)
  return names.map((name, index) => ({ name, to: `${names.slice(0, index + 1).join('/')}/` }))
}

function PrefixField({ prefix, onGo }: { readonly prefix: string; readonly onGo: (prefix: string) => void }) {
  const [text, setText] = useState(prefix)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onGo(text)
      }}
    >
      <TextField label="Prefix" value={text} onChange={({ target }) => setText(target.value)} spellCheck={false} />
    </form>
  )
}

interface EntriesProps {
  readonly at: { readonly region: string; readonly bucket: string }
  readonly prefix: string
  readonly withVersions: boolean
  readonly onDrop: (files: readonly File[]) => void
}

function Entries({ at, prefix, withVersions, onDrop }: EntriesProps) {
  const { api } = useSession()
  const pages = useInfiniteQuery({
    queryKey: ['entries', at.bucket, prefix, withVersions],
    initialPageParam: {} as Readonly<Record<string, string>>,
    queryFn: ({ pageParam, signal }) => listEntries(api, at, { prefix, withVersions, from: pageParam, signal }),
    getNextPageParam: ({ next }) => next,
  })
  const entries = pages.data?.pages.flatMap((page) => page.entries) ?? []
  const box = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeightPx,
    overscan: 12,
  })
  const shown = rows.getVirtualItems()
  const lastShown = shown.at(-1)?.index ?? 0
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && lastShown >= entries.length - 100) void fetchNextPage()
  }, [lastShown, entries.length, hasNextPage, isFetchingNextPage, fetchNextPage])
  const drop = (event: React.DragEvent): void => {
    event.preventDefault()
    onDrop([...event.dataTransfer.files])
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files may also be chosen in the upload dialog, by keyboard
    <div ref={box} className={styles.box} onDrop={drop} onDragOver={(event) => event.preventDefault()}>
      {pages.isPending && <Waiting what="Reading the bucket" />}
      {pages.isError && <ErrorNote error={pages.error} />}
      {pages.isSuccess && entries.length === 0 && (
        <Empty title={prefix === '' ? 'The bucket is empty.' : 'Nothing begins so.'}>
          <p>Drop files here, or press Upload.</p>
        </Empty>
      )}
      {entries.length > 0 && (
        <div
          role="table"
          aria-label="Objects"
          aria-rowcount={hasNextPage ? -1 : entries.length}
          style={{ height: rows.getTotalSize() }}
          className={styles.rows}
        >
          {shown.map(({ index, start }) => {
            const entry = entries[index]
            return (
              entry && (
                <div
                  key={index}
                  role="row"
                  aria-rowindex={index + 1}
                  className={styles.row}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <Line at={at} entry={entry} prefix={prefix} withVersions={withVersions} />
                </div>
              )
            )
          })}
        </div>
      )}
      {isFetchingNextPage && <Waiting what="Reading on" />}
    </div>
  )
}

interface LineProps extends Omit<EntriesProps, 'onDrop'> {
  readonly entry: Entry
}

function Line({ at, entry, prefix, withVersions }: LineProps) {
  if (entry.kind === 'folder') {
    return (
      <span role="cell" className={styles.name}>
        <Folder size={18} aria-hidden />
        <Link href={addressOf(at.bucket, { prefix: entry.prefix, withVersions })}>
          <bdi>{entry.prefix.slice(prefix.length)}</bdi>
        </Link>
      </span>
    )
  }
  const { key, versionId } = entry
  const query = withVersions && versionId !== undefined ? `?versionId=${encodeURIComponent(versionId)}` : ''
  const name = key.slice(prefix.length)
  return (
    <>
      <span role="cell" className={styles.name}>
        {entry.kind === 'marker' ? (
          <>
            <Trash2 size={18} aria-label="Deleted" />
            <bdi className={styles.gone}>{name}</bdi>
          </>
        ) : (
          <Link href={pathOf('object', at.region, at.bucket, ...key.split('/')) + query}>
            <bdi>{name === '' ? '(no name)' : name}</bdi>
          </Link>
        )}
      </span>
      <span role="cell" className={styles.small}>
        {entry.kind === 'marker' ? 'delete marker' : entry.storageClass}
      </span>
      <span role="cell">
        {entry.kind === 'object' && <ReplicationBadge at={at} objectKey={key} versionId={query === '' ? undefined : versionId} />}
      </span>
      <span role="cell" className={styles.number}>
        {entry.kind === 'object' && formatBytes(entry.size)}
      </span>
      <span role="cell" className={styles.small}>
        {formatTime(entry.modifiedAt)}
      </span>
    </>
  )
}
