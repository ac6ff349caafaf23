/** One object: what is known of it, how it looks, and how its replication stands. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Download, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { deleteObject, headObject } from '../../api/objects.ts'
import { s3Path } from '../../api/s3.ts'
import { useSession } from '../../api/session.tsx'
import { formatBytes, formatTime } from '../../lib/format.ts'
import { decodeSegment, Link, pathOf, useRouter } from '../../lib/router.tsx'
import { Button, buttonClass } from '../../ui/controls.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Card, ErrorNote, Head, Waiting } from '../../ui/parts.tsx'
import { ReplicationBadge } from '../objects/replication-badge.tsx'
import styles from './object.module.css'
import { ReplicationPanel } from './replication-panel.tsx'

export default function ObjectScreen({ region = '', bucket = '', objectKey: rawKey = '' }: Readonly<Record<string, string>>) {
  const { api } = useSession()
  const { query } = useRouter()
  const key = rawKey.split('/').map(decodeSegment).join('/')
  const versionId = query.get('versionId') ?? undefined
  const at = { region, bucket }
  const head = useQuery({
    queryKey: ['head', bucket, key, versionId],
    queryFn: () => headObject(api, { ...at, key, versionId }),
    refetchInterval: ({ state }) => (state.data?.get('x-amz-replication-status') === 'PENDING' ? 1_000 : false),
  })
  const folder = key.includes('/') ? key.slice(0, key.lastIndexOf('/') + 1) : ''
  return (
    <>
      <p>
        <Link href={`${pathOf('buckets', bucket)}?prefix=${encodeURIComponent(folder)}`}>
          {region} / <bdi>{bucket}</bdi> / <bdi>{folder}</bdi>
        </Link>
      </p>
      <Head title={<bdi>{key.slice(folder.length)}</bdi>}>
        <span className={styles.actions}>
          <a className={buttonClass()} href={s3Path({ ...at, key, query: { versionId } })} download>
            <Download size={18} aria-hidden />
            Download
          </a>
          <Delete at={at} objectKey={key} versionId={versionId} />
        </span>
      </Head>
      {head.isPending && <Waiting what="Asking for the object" />}
      {head.isError && <ErrorNote error={head.error} />}
      {head.data !== undefined && (
        <div className={styles.columns}>
          <Card>
            <h2>Properties</h2>
            <Properties head={head.data} />
          </Card>
          <div className={styles.side}>
            <Preview at={at} objectKey={key} versionId={versionId} type={head.data.get('content-type') ?? ''} />
            <Card>
              <h2>
                Replication <ReplicationBadge at={at} objectKey={key} versionId={versionId} />
              </h2>
              <ReplicationPanel
                at={at}
                objectKey={key}
                versionId={head.data.get('x-amz-version-id')}
                status={head.data.get('x-amz-replication-status')}
              />
            </Card>
          </div>
        </div>
      )}
    </>
  )
}

const named: readonly (readonly [header: string, name: string])[] = [
  ['content-type', 'Type'],
  ['etag', 'ETag'],
  ['x-amz-version-id', 'Version'],
  ['x-amz-storage-class', 'Storage class'],
  ['x-amz-server-side-encryption', 'Encryption'],
  ['x-amz-restore', 'Restored copy'],
  ['x-amz-object-lock-mode', 'Lock'],
  ['x-amz-object-lock-retain-until-date', 'Locked until'],
  ['x-amz-object-lock-legal-hold', 'Legal hold'],
  ['x-amz-expiration', 'Expires'],
  ['cache-control', 'Cache-Control'],
  ['content-encoding', 'Content-Encoding'],
]

function Properties({ head }: { readonly head: ReadonlyMap<string, string> }) {
  const lines: (readonly [string, string])[] = [
    ['Size', formatBytes(Number(head.get('content-length') ?? 0))],
    ['Last modified', formatTime(head.get('last-modified') ?? 0)],
    ...named.flatMap(([header, name]) => (head.has(header) ? [[name, head.get(header) ?? ''] as const] : [])),
    ...[...head].flatMap(([header, value]) => (header.startsWith('x-amz-checksum-') ? [[header.slice(6), value] as const] : [])),
    ...[...head].flatMap(([header, value]) => (header.startsWith('x-amz-meta-') ? [[header.slice(11), value] as const] : [])),
  ]
  return (
    <dl className={styles.facts}>
      {lines.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  )
}

interface PartProps {
  readonly at: { readonly region: string; readonly bucket: string }
  readonly objectKey: string
  readonly versionId: string | undefined
}

/** Shown by a response in a sandbox, so that nothing in it runs as this page. */
function Preview({ at, objectKey, versionId, type }: PartProps & { readonly type: string }) {
  const query = versionId === undefined ? '' : `?versionId=${encodeURIComponent(versionId)}`
  const address = `/preview${pathOf(at.region, at.bucket, ...objectKey.split('/'))}${query}`
  if (/^image\/(png|jpeg|gif|webp|avif)/.test(type)) {
    return (
      <Card>
        <img className={styles.preview} src={address} alt="" />
      </Card>
    )
  }
  if (/^text\//.test(type)) {
    return (
      <Card>
        <iframe className={styles.text} src={address} title="Preview" sandbox="" />
      </Card>
    )
  }
  return null
}

function Delete({ at, objectKey, versionId }: PartProps) {
  const { api } = useSession()
  const { go } = useRouter()
  const queries = useQueryClient()
  const [isAsking, setAsking] = useState(false)
  const deleting = useMutation({
    mutationFn: () => deleteObject(api, { ...at, key: objectKey, versionId }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['entries', at.bucket] })
      go(pathOf('buckets', at.bucket))
    },
  })
  const about =
    versionId === undefined
      ? 'In a bucket that keeps versions it is hidden behind a delete marker, and can be brought back.'
      : 'This version goes for good. Its replica in another region stays.'
  return (
    <>
      <Button kind="danger" onClick={() => setAsking(true)}>
        <Trash2 size={18} aria-hidden />
        {versionId === undefined ? 'Delete' : 'Delete this version'}
      </Button>
      <Dialog title="Delete?" about={about} isOpen={isAsking} onClose={() => setAsking(false)}>
        {deleting.isError && <ErrorNote error={deleting.error} />}
        <DialogActions>
          <Button onClick={() => setAsking(false)}>Keep it</Button>
          <Button kind="danger" isBusy={deleting.isPending} onClick={() => deleting.mutate()}>
            Delete
          </Button>
        </DialogActions>
      </Dialog>
    </>
  )
}
