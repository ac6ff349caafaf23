/**
 * Segments of small blobs, as rows see them: which refs lead into one, and the change of a ref when its record was copied elsewhere.
 * A segment is retired before it is emptied. From then on no row may begin to refer to it, so that its refs only become fewer: what was written
 * into it and is not committed yet is refused, and the writer sends it again.
 */
import { S3Error } from '../../model/errors.ts'
import { prefixEnd } from '../../model/names.ts'
import { segmentOfRef } from '../../model/segments.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, text } from './columns.ts'

/** A row's small blob. */
export interface LiveRecord {
  readonly blob: string
  readonly size: number
  readonly isEncrypted: boolean
}

/** Refs into a segment behind `after` (the segment's prefix: all), in their order, those of versions and parts together. */
export function* liveRecords(of: {
  readonly segment: string
  readonly after: string
  readonly limit: number
}): Steps<readonly LiveRecord[]> {
  const end = prefixEnd(of.segment) ?? of.segment
  const versions = yield statement(
    `SELECT blob, size, record LIKE '%"encryption":%' AS encrypted FROM versions INDEXED BY versions_blob
     WHERE blob > ?1 AND blob < ?2 ORDER BY blob LIMIT ?3`,
    of.after,
    end,
    of.limit,
  )
  const parts = yield statement(
    `SELECT blob, size, sealed_key IS NOT NULL AS encrypted FROM parts INDEXED BY parts_blob
     WHERE blob > ?1 AND blob < ?2 ORDER BY blob LIMIT ?3`,
    of.after,
    end,
    of.limit,
  )
  return [...versions, ...parts]
    .map((row) => ({ blob: text(row.blob), size: number(row.size), isEncrypted: row.encrypted === 1 }))
    .sort((a, b) => (a.blob < b.blob ? -1 : 1))
    .slice(0, of.limit)
}

/** Whether some version or part refers to a blob of this segment, or one of it was freed and still has a reader. */
export function* isSegmentHeld(segment: string): Steps<boolean> {
  const rows = yield statement(
    `SELECT 1 AS found FROM versions WHERE blob >= ?1 AND blob < ?2
     UNION ALL SELECT 1 FROM parts WHERE blob >= ?1 AND blob < ?2
     UNION ALL SELECT 1 FROM garbage WHERE blob >= ?1 AND blob < ?2 LIMIT 1`,
    segment,
    prefixEnd(segment) ?? segment,
  )
  return rows.length > 0
}

/** Part of every transaction that makes a row refer to a blob. @throws S3Error ServiceUnavailable when its segment is retired */
export function* checkNotRetired(blob: string): Steps<void> {
  const segment = segmentOfRef(blob)
  if (segment === undefined) return
  const rows = yield statement('SELECT 1 AS found FROM retired_segments WHERE segment = ?1', segment)
  if (rows.length > 0) {
    throw new S3Error('ServiceUnavailable', {
      message: 'The content waited too long between its last byte and its commit. Please send it again.',
    })
  }
}

/** From now on the refs into this segment only become fewer. */
function* retireSegment(input: { readonly segment: string }, { seq }: TransactionContext): Steps<void> {
  yield statement('INSERT INTO retired_segments (segment, seq) VALUES (?1, ?2) ON CONFLICT (segment) DO NOTHING', input.segment, seq)
}

/** Forgets retired segments below this one: nobody is left who could commit what was written into them. */
function* forgetRetired(input: { readonly before: string }, _context: TransactionContext): Steps<void> {
  yield statement('DELETE FROM retired_segments WHERE segment < ?1', input.before)
}

export interface BlobMove {
  readonly from: string
  readonly to: string
}

/**
 * Lets rows refer to the copies of their blobs, byte for byte the same. Where the row changed meanwhile the copy is garbage, else what was copied is.
 * NOTE: the rows keep their `seq`. What a reader is told of a version is the same as before, and a power cut that takes this back leaves refs to
 * records that are still there: they go only when this is durable.
 */
function* moveBlobs(input: { readonly moves: readonly BlobMove[] }, { seq }: TransactionContext): Steps<{ readonly moved: number }> {
  let moved = 0
  for (const { from, to } of input.moves) {
    const isMoved = (yield* changeRef('versions', from, to)) || (yield* changeRef('parts', from, to))
    if (isMoved) moved += 1
    yield statement('INSERT INTO garbage (blob, seq) VALUES (?1, ?2) ON CONFLICT (blob) DO NOTHING', isMoved ? from : to, seq)
  }
  return { moved }
}

function* changeRef(table: 'versions' | 'parts', from: string, to: string): Steps<boolean> {
  const [row] = yield statement(`UPDATE ${table} SET blob = ?2 WHERE blob = ?1`, from, to)
  return row?.changes !== 0
}

export const segmentTransactions = { retireSegment, forgetRetired, moveBlobs } as const
