/** What a region answers about the control log: its rows to whoever follows, and the writing of a change, if it is home. */

import type { Metadata } from '../metadata/engine.ts'
import { type ControlChange, type ControlRow, nameOf } from '../metadata/tables/control.ts'
import { S3Error } from '../model/errors.ts'
import { type PeerRoute, peerRoute } from '../peers/routes.ts'
import type { ControlLog } from './control-log.ts'
import { type AppendAnswer, appendMaxBytes, appendSchema, type RowsAnswer, rowsQuerySchema } from './messages.ts'

/** Of one answer: whoever is far behind asks again. */
const rowsMax = 200
const rowsMaxBytes = 512 * 1024

export const rowsPath = 'v1/control/rows'
export const appendPath = 'v1/control/append'

export interface HomeParts {
  readonly metadata: Metadata
  readonly log: ControlLog
  /** Aborted when the region stops: those who wait for rows are sent away. */
  readonly closing: AbortSignal
}

export function homeRoutes({ metadata, log, closing }: HomeParts): readonly PeerRoute[] {
  return [
    peerRoute({
      method: 'GET',
      path: rowsPath,
      query: rowsQuerySchema,
      async handle({ signal }, { query }): Promise<RowsAnswer> {
        const { after, hash, waitMs } = query
        const why = await divergence(log, { after, hash })
        if (why !== undefined) return { outcome: 'diverged', why }
        if (waitMs > 0) await patiently(log.waitBeyond(after, AbortSignal.any([signal, closing, AbortSignal.timeout(waitMs)])))
        if (closing.aborted) throw new S3Error('ServiceUnavailable', { message: 'The region is stopping.' })
        const rows = withinBytes(await log.rowsAfter(after, rowsMax), rowsMaxBytes)
        return { outcome: 'rows', home: log.home ?? '', position: log.position, rows }
      },
    }),
    peerRoute({
      method: 'POST',
      path: appendPath,
      body: appendSchema,
      bodyMaxBytes: appendMaxBytes,
      async handle({ from }, { body }): Promise<AppendAnswer> {
        if (log.home !== log.self) return { outcome: 'notHome', home: log.home ?? '' }
        await checkBucketRegion(metadata, body.change, from)
        return { outcome: 'written', row: await log.append(body) }
      },
    }),
  ]
}

/** Whether the asker's newest row is not among ours, in words. */
async function divergence(
  log: ControlLog,
  { after, hash }: { readonly after: number; readonly hash: string },
): Promise<string | undefined> {
  if (after === 0) return undefined
  // NOTE: the table is asked and not `position`, which may be a moment behind what was given away already.
  const [row] = await log.rowsAfter(after - 1, 1)
  if (row === undefined) return `it has ${after} rows of the control log, and region ${log.self} only ${log.position}`
  return row.hash === hash ? undefined : `its row ${after} of the control log is another than that of region ${log.self}`
}

/** A region makes and deletes its own buckets, and no others. @throws S3Error AccessDenied */
async function checkBucketRegion(metadata: Metadata, change: ControlChange, from: string): Promise<void> {
  if (change.kind === 'createBucket' && change.bucket.region !== from) throw new S3Error('AccessDenied')
  if (change.kind !== 'deleteBucket') return
  // A name that is gone may have gone by this very request, whose answer was lost: the log knows.
  const name = await metadata.read(() => nameOf(change.name))
  if (name !== undefined && name.region !== from) throw new S3Error('AccessDenied')
}

/** No row in time is an answer too. */
async function patiently(wait: Promise<void>): Promise<void> {
  await wait.catch((reason: unknown) => {
    if (reason instanceof S3Error) throw reason
  })
}

function withinBytes(rows: readonly ControlRow[], maxBytes: number): ControlRow[] {
  const kept: ControlRow[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += JSON.stringify(row).length
    if (kept.length > 0 && bytes > maxBytes) break
    kept.push(row)
  }
  return kept
}
