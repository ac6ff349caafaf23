/**
 * Versions and keys that lifecycle judges again though its marks have passed them: something else than their age has changed, or they were held back.
 * Written by the transactions that cause it, in buckets with a lifecycle configuration alone.
 */
import type { Bucket } from '../../model/bucket.ts'
import { asksTags, countsNewer } from '../../model/lifecycle-watches.ts'
import { type Row, type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, optionalText, text } from './columns.ts'
import type { VersionPlace } from './version-rows.ts'

/** In place of an id: all of the key. */
export const wholeKey = ''
/** In place of a time: with the bucket's next pass. */
const nextPassMs = 9_000_000_000_000_000

/** Why a due action is not done yet. */
export type HoldReason = 'replication pending' | 'replication failed' | 'retention' | 'legal hold' | 'unreadable lock'

export interface Again extends VersionPlace {
  readonly dueMs: number
  readonly reason: string | undefined
  readonly seq: number
}

/** Part of a transaction that changes what versions a key has, or which of them is current: with the next pass all of the key is judged. */
export function* keyChanged(bucket: Bucket, key: string, context: TransactionContext): Steps<void> {
  if (bucket.settings.lifecycle === undefined) return
  yield* put({ bucketId: bucket.id, key, id: wholeKey, dueMs: nextPassMs }, context)
}

/** Part of a transaction that puts a version on top of others: where so many are kept, an older one may have to go now. */
export function* becameNoncurrent(bucket: Bucket, key: string, context: TransactionContext): Steps<void> {
  const { lifecycle } = bucket.settings
  if (lifecycle !== undefined && countsNewer(lifecycle)) yield* keyChanged(bucket, key, context)
}

/** Part of a transaction that took a version away: the next newest may be current again, or a marker stand alone. */
export function* versionRemoved(
  bucket: Bucket,
  { key, isLatest }: { readonly key: string; readonly isLatest: boolean },
  context: TransactionContext,
): Steps<void> {
  if (bucket.settings.lifecycle === undefined) return
  const left = yield statement('SELECT is_marker, seq FROM versions WHERE bucket_id = ?1 AND key = ?2 ORDER BY id LIMIT 2', bucket.id, key)
  const [newest] = left
  if (newest === undefined) return
  if (isLatest || (left.length === 1 && newest.is_marker === 1)) yield* keyChanged(bucket, key, context)
}

/** Part of a transaction that brings a version in the place that its id has: it, and what it follows, may be older than what was judged already. */
export function* arrivedLate(
  bucket: Bucket,
  { key, lastModifiedMs }: { readonly key: string; readonly lastModifiedMs: number },
  context: TransactionContext,
): Steps<void> {
  if (bucket.settings.lifecycle === undefined) return
  const [row] = yield statement('SELECT max(judged_ms) AS judged_ms FROM lifecycle_marks WHERE bucket_id = ?1', bucket.id)
  const judgedMs = row?.judged_ms
  // A mark stands before a millisecond of which not all is judged.
  if (typeof judgedMs === 'number' && lastModifiedMs <= judgedMs + 1) yield* keyChanged(bucket, key, context)
}

/** Part of a transaction that changes tags or lock of a version. */
export function* attributeChanged(
  bucket: Bucket,
  version: VersionPlace & { readonly attribute: string },
  context: TransactionContext,
): Steps<void> {
  const { lifecycle } = bucket.settings
  if (lifecycle === undefined || version.attribute === 'acl') return
  if (version.attribute === 'tags' && !asksTags(lifecycle)) return
  yield* put({ ...version, dueMs: context.nowMs }, context)
}

/** Part of the transaction that ends a version's replication: what was held back for it is judged at once. */
export function* replicationSettled({ bucketId, key, id }: VersionPlace, { nowMs, seq }: TransactionContext): Steps<void> {
  yield statement(
    'UPDATE lifecycle_again SET due_ms = ?4, seq = ?5 WHERE bucket_id = ?1 AND key = ?2 AND id = ?3 AND due_ms > ?4',
    bucketId,
    key,
    id,
    nowMs,
    seq,
  )
}

/** Puts a version off, in place of what stood. */
export function* holdBack(
  { bucketId, key, id }: VersionPlace,
  until: { readonly reason: HoldReason; readonly dueMs: number },
  { seq }: TransactionContext,
): Steps<void> {
  yield statement(
    'INSERT OR REPLACE INTO lifecycle_again (bucket_id, key, id, due_ms, reason, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)',
    bucketId,
    key,
    id,
    until.dueMs,
    until.reason,
    seq,
  )
}

export function* dropAgain({ bucketId, key, id }: VersionPlace): Steps<void> {
  yield statement('DELETE FROM lifecycle_again WHERE bucket_id = ?1 AND key = ?2 AND id = ?3', bucketId, key, id)
}

/** All of a key has been judged. NOTE: what changed in it since `seq` leaves its row for another time. */
export function* keyJudged(of: { readonly bucketId: string; readonly key: string; readonly seq: number }): Steps<void> {
  yield statement(
    'DELETE FROM lifecycle_again WHERE bucket_id = ?1 AND key = ?2 AND id = ?3 AND seq = ?4',
    of.bucketId,
    of.key,
    wholeKey,
    of.seq,
  )
}

/** Those whose time has come, of all buckets, oldest first. */
export function* againDue(nowMs: number, limit: number): Steps<readonly Again[]> {
  const rows = yield statement(
    `SELECT ${columns} FROM lifecycle_again INDEXED BY lifecycle_again_due WHERE due_ms <= ?1 ORDER BY due_ms, bucket_id, key, id LIMIT ?2`,
    nowMs,
    limit,
  )
  return rows.map(toAgain)
}

/** When the next of them is due, of all buckets. */
export function* nextAgainMs(): Steps<number | undefined> {
  const [row] = yield statement('SELECT due_ms, seq FROM lifecycle_again WHERE due_ms < ?1 ORDER BY due_ms LIMIT 1', nextPassMs)
  return row === undefined ? undefined : number(row.due_ms)
}

/** Keys of a bucket that the next pass judges as a whole, behind a key. */
export function* keysForPass(bucketId: string, page: { readonly afterKey: string; readonly limit: number }): Steps<readonly Again[]> {
  const rows = yield statement(
    `SELECT ${columns} FROM lifecycle_again INDEXED BY lifecycle_again_due WHERE due_ms = ?1 AND bucket_id = ?2 AND key > ?3
     ORDER BY key, id LIMIT ?4`,
    nextPassMs,
    bucketId,
    page.afterKey,
    page.limit,
  )
  return rows.map(toAgain)
}

/** All of a bucket, behind a place. */
export function* againAfter(after: VersionPlace, limit: number): Steps<readonly Again[]> {
  const rows = yield statement(
    `SELECT ${columns} FROM lifecycle_again WHERE bucket_id = ?1 AND (key, id) > (?2, ?3) ORDER BY key, id LIMIT ?4`,
    after.bucketId,
    after.key,
    after.id,
    limit,
  )
  return rows.map(toAgain)
}

export function* isNoted({ bucketId, key, id }: VersionPlace): Steps<boolean> {
  const rows = yield statement(
    'SELECT 1 AS found, seq FROM lifecycle_again WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
    bucketId,
    key,
    id,
  )
  return rows.length > 0
}

/** How many are held back, by reason, among the first `limit` of a bucket. */
export function* heldBack(
  bucketId: string,
  limit: number,
): Steps<{ readonly seen: number; readonly reasons: Readonly<Record<string, number>> }> {
  const rows = yield statement(
    `SELECT reason, count(*) AS count FROM (SELECT reason FROM lifecycle_again WHERE bucket_id = ?1 LIMIT ?2) GROUP BY reason`,
    bucketId,
    limit,
  )
  const held = rows.filter(({ reason }) => reason !== null)
  return {
    seen: rows.reduce((sum, row) => sum + number(row.count), 0),
    reasons: Object.fromEntries(held.map((row) => [text(row.reason), number(row.count)])),
  }
}

const columns = 'bucket_id, key, id, due_ms, reason, seq'

function* put(again: VersionPlace & { readonly dueMs: number }, { seq }: TransactionContext): Steps<void> {
  yield statement(
    `INSERT INTO lifecycle_again (bucket_id, key, id, due_ms, reason, seq) VALUES (?1, ?2, ?3, ?4, NULL, ?5)
     ON CONFLICT (bucket_id, key, id) DO UPDATE SET due_ms = min(due_ms, excluded.due_ms), seq = excluded.seq`,
    again.bucketId,
    again.key,
    again.id,
    again.dueMs,
    seq,
  )
}

function toAgain(row: Row): Again {
  return {
    bucketId: text(row.bucket_id),
    key: text(row.key),
    id: text(row.id),
    dueMs: number(row.due_ms),
    reason: optionalText(row.reason),
    seq: number(row.seq),
  }
}
