/** Uploading files and folders, with what is set on them. */
import { useQueryClient } from '@tanstack/react-query'
import { type ChangeEvent, useEffect, useRef, useState } from 'react'
import { useSession } from '../../api/session.tsx'
import { type UploadTarget, upload } from '../../api/upload.ts'
import { formatBytes } from '../../lib/format.ts'
import { Button, CheckField, SelectField, TextField } from '../../ui/controls.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import styles from './objects.module.css'

interface UploadDialogProps {
  readonly at: { readonly region: string; readonly bucket: string }
  readonly prefix: string
  /** What was dropped; [] when the dialog is opened empty, undefined while it is closed. */
  readonly files: readonly File[] | undefined
  readonly onClose: () => void
}

interface Item {
  readonly file: File
  readonly sentBytes: number
  readonly state: 'waiting' | 'sending' | 'done' | 'failed'
  readonly why?: string
}

const filesAtOnce = 2

export function UploadDialog({ at, prefix, files, onClose }: UploadDialogProps) {
  const [items, setItems] = useState<readonly Item[]>([])
  const [details, setDetails] = useState<Details>(noDetails)
  const { isRunning, isPaused, start, cancel, togglePause } = useUploads({ at, prefix, details, items, setItems })
  useEffect(() => setItems((files ?? []).map(waiting)), [files])
  const choose = ({ target }: ChangeEvent<HTMLInputElement>): void => setItems([...items, ...[...(target.files ?? [])].map(waiting)])
  const close = (): void => {
    cancel()
    onClose()
  }
  const isDone = items.length > 0 && items.every(({ state }) => state === 'done')
  return (
    <Dialog title="Upload" about={prefix === '' ? undefined : <bdi>to {prefix}</bdi>} isOpen={files !== undefined} onClose={close}>
      {!isRunning && !isDone && (
        <>
          <label>
            Files <input type="file" multiple onChange={choose} />
          </label>
          <label>
            A folder <input type="file" multiple onChange={choose} {...{ webkitdirectory: '' }} />
          </label>
          <DetailFields details={details} onChange={setDetails} />
        </>
      )}
      <ul className={styles.files}>
        {items.map(({ file, sentBytes, state, why }, index) => (
          <li key={index} className={styles.file}>
            <bdi>{nameOf(file)}</bdi>
            <span>{state === 'failed' ? why : state === 'done' ? 'done' : formatBytes(file.size)}</span>
            {state === 'sending' && <progress value={sentBytes} max={file.size} aria-label={`Progress of ${nameOf(file)}`} />}
          </li>
        ))}
      </ul>
      <DialogActions>
        <Button onClick={close}>{isDone ? 'Close' : 'Cancel'}</Button>
        {isRunning && <Button onClick={togglePause}>{isPaused ? 'Resume' : 'Pause'}</Button>}
        {!isDone && (
          <Button kind="primary" isBusy={isRunning && !isPaused} disabled={items.length === 0 || isRunning} onClick={() => void start()}>
            Upload {items.length > 1 ? `${items.length} files` : ''}
          </Button>
        )}
      </DialogActions>
    </Dialog>
  )
}

interface Details {
  readonly storageClass: string
  readonly isEncrypted: boolean
  /** `name=value`, one a line. */
  readonly metadata: string
  readonly tags: string
}

const noDetails: Details = { storageClass: 'STANDARD', isEncrypted: false, metadata: '', tags: '' }

function DetailFields({ details, onChange }: { readonly details: Details; readonly onChange: (details: Details) => void }) {
  const change = (part: Partial<Details>): void => onChange({ ...details, ...part })
  return (
    <details>
      <summary>Set details</summary>
      <div style={{ display: 'grid', gap: 'var(--space-3)', marginTop: 'var(--space-3)' }}>
        <SelectField label="Storage class" value={details.storageClass} onChange={({ target }) => change({ storageClass: target.value })}>
          <option value="STANDARD">Standard</option>
          <option value="REDUCED_REDUNDANCY">Reduced Redundancy</option>
          <option value="STANDARD_IA">Standard, infrequent access</option>
          <option value="ONEZONE_IA">One zone, infrequent access</option>
        </SelectField>
        <CheckField
          label="Server-side encryption"
          checked={details.isEncrypted}
          onChange={({ target }) => change({ isEncrypted: target.checked })}
          hint="With a key of this server (AES-256)."
        />
        <TextField
          label="Metadata"
          value={details.metadata}
          onChange={({ target }) => change({ metadata: target.value })}
          hint="name=value, several separated by commas"
        />
        <TextField
          label="Tags"
          value={details.tags}
          onChange={({ target }) => change({ tags: target.value })}
          hint="key=value, several separated by commas; ten at most"
        />
      </div>
    </details>
  )
}

/** Details as S3's headers. */
function headersOf({ storageClass, isEncrypted, metadata, tags }: Details): Readonly<Record<string, string>> {
  const tagging = new URLSearchParams(pairsOf(tags).map(([name, value]) => [name, value])).toString()
  return {
    ...(storageClass === 'STANDARD' ? {} : { 'x-amz-storage-class': storageClass }),
    ...(isEncrypted ? { 'x-amz-server-side-encryption': 'AES256' } : {}),
    ...Object.fromEntries(pairsOf(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    ...(tagging === '' ? {} : { 'x-amz-tagging': tagging }),
  }
}

function pairsOf(text: string): readonly (readonly [string, string])[] {
  return text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => [pair.split('=')[0]?.trim() ?? '', pair.split('=').slice(1).join('=').trim()] as const)
}

interface UploadsParts extends Pick<UploadDialogProps, 'at' | 'prefix'> {
  readonly details: Details
  readonly items: readonly Item[]
  readonly setItems: (change: (now: readonly Item[]) => readonly Item[]) => void
}

/** Sends what waits, two files at once, until all are there or somebody cancels. */
function useUploads({ at, prefix, details, items, setItems }: UploadsParts) {
  const { api } = useSession()
  const queries = useQueryClient()
  const [isRunning, setRunning] = useState(false)
  const [isPaused, setPaused] = useState(false)
  const stop = useRef<AbortController>(undefined)
  const resume = useRef<() => void>(undefined)
  const pause = useRef<Promise<void>>(undefined)
  const change = (index: number, part: Partial<Item>): void =>
    setItems((now) => now.map((item, i) => (i === index ? { ...item, ...part } : item)))

  const sendOne = async (index: number, signal: AbortSignal): Promise<void> => {
    const item = items[index]
    if (item === undefined) return
    const target: UploadTarget = { ...at, key: prefix + nameOf(item.file), headers: headersOf(details) }
    change(index, { state: 'sending' })
    try {
      await upload(api, item.file, target, {
        signal,
        gate: async () => await pause.current,
        onProgress: (sentBytes) => change(index, { sentBytes }),
      })
      change(index, { state: 'done' })
    } catch (error) {
      change(index, { state: 'failed', why: error instanceof Error ? error.message : String(error) })
    }
  }
  return {
    isRunning,
    isPaused,
    async start() {
      const controller = new AbortController()
      stop.current = controller
      setRunning(true)
      let next = 0
      const work = async (): Promise<void> => {
        for (let index = next++; index < items.length && !controller.signal.aborted; index = next++) {
          if (items[index]?.state !== 'done') await sendOne(index, controller.signal)
        }
      }
      await Promise.all(Array.from({ length: filesAtOnce }, work))
      setRunning(false)
      await queries.invalidateQueries({ queryKey: ['entries', at.bucket] })
    },
    cancel() {
      stop.current?.abort(new Error('cancelled'))
      resume.current?.()
    },
    togglePause() {
      if (isPaused) resume.current?.()
      else {
        pause.current = new Promise((resolve) => {
          resume.current = resolve
        })
      }
      setPaused(!isPaused)
    },
  }
}

function waiting(file: File): Item {
  return { file, sentBytes: 0, state: 'waiting' }
}

/** Of a file in a folder: with the folder. */
function nameOf(file: File): string {
  return file.webkitRelativePath === '' ? file.name : file.webkitRelativePath
}
