/** What a region answers about the control log: its rows to whoever follows, and the writing of a change, if it is home. */

import type { Metadata } from '../metadata/engine.ts'
import { type ControlChange, type ControlRow, NotControlHome, nameOf } from '../metadata/tables/control.ts'
import { controlBase, controlEpochs, controlRowHash, isOfEpochs } from '../metadata/tables/control-epochs.ts'
import { S3Error } from '../model/errors.ts'
import { type PeerRoute, peerRoute } from '../peers/routes.ts'
import type { ControlLog } from './control-log.ts'
import { type AppendAnswer, appendMaxBytes, appendSchema, type RowsAnswer, rowsQuerySchema } from './messages.ts'
import type { Standings } from './standings.ts'

/** Of one answer: whoever is far behind asks again. */
const rowsMax = 200
const rowsMaxBytes = 512 * 1024

export const rowsPath = 'v1/control/rows'
export const appendPath = 'v1/control/append'

export interface HomeParts {
  readonly metadata: Metadata
  readonly log: ControlLog
  readonly standings: Standings
  /** Somebody knows of a newer home than this region: it is to be asked who that is. */
  readonly doubt: () => void
  /** Aborted when the region stops: those who wait for rows are sent away. */
  readonly closing: AbortSignal
}

export function homeRoutes({ metadata, log, standings, doubt, closing }: HomeParts): readonly PeerRoute[] {
  return [
    peerRoute({
      method: 'GET',
      path: rowsPath,
      query: rowsQuerySchema,
      async handle({ from, signal }, { query }): Promise<RowsAnswer> {
        const { after, waitMs } = query
        // One that has seen this region become home before it has seen so itself: it is to ask again when the row is here.
        const isAhead = query.epoch > log.epoch && after > log.position
        const misfit = isAhead ? undefined : await misfitOf(metadata, query, log)
        if (misfit !== undefined) return misfit
        if (!isAhead) standings.proven(from, after)
        const beyond = isAhead ? after - 1 : after
        if (waitMs > 0) await patiently(log.waitBeyond(beyond, AbortSignal.any([signal, closing, AbortSignal.timeout(waitMs)])))
        if (closing.aborted) throw new S3Error('ServiceUnavailable', { message: 'The region is stopping.' })
        if (isAhead) return { outcome: 'rows', home: '', position: log.position, rows: [] }
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
        const { epoch = 0, ...request } = body
        if (epoch > log.knownEpoch) doubt()
        if (!log.isHome || epoch > log.knownEpoch) return { outcome: 'notHome', home: log.isHome ? '' : (log.home ?? '') }
        await checkBucketRegion(metadata, body.change, from)
        try {
          return { outcome: 'written', row: await log.append(request) }
        } catch (error) {
          if (error instanceof NotControlHome) return { outcome: 'notHome', home: log.home ?? '' }
          throw error
        }
      },
    }),
  ]
}

/** What to answer when rows cannot simply follow those of the asker. */
async function misfitOf(
  metadata: Metadata,
  { after, hash, epoch }: { readonly after: number; readonly hash: string; readonly epoch: number },
  { self, position }: ControlLog,
): Promise<RowsAnswer | undefined> {
  // NOTE: the table is asked and not the log, which may be a moment behind what was given away already.
  const { base, epochs, standing } = await metadata.read(function* () {
    return { base: yield* controlBase(), epochs: yield* controlEpochs(), standing: yield* controlRowHash(after) }
  })
  if (after === 0) return base.position === 0 ? undefined : { outcome: 'trimmed' }
  const another: RowsAnswer = { outcome: 'diverged', why: `its row ${after} of the control log is another than that of region ${self}` }
  if (after < base.position) return isOfEpochs({ position: after, epoch }, epochs) ? { outcome: 'trimmed' } : another
  if (standing === undefined) {
    return { outcome: 'diverged', why: `it has ${after} rows of the control log, and region ${self} only ${position}` }
  }
  return standing === hash ? undefined : another
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
