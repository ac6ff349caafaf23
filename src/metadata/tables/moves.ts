/** Versions whose bytes are to be elsewhere than they are: to a tier or back, restored for a time, or a restored copy that is to go. */
import type { StorageClass } from '../../model/storage-class.ts'
import type { ObjectVersion } from '../../model/version.ts'
import { type Row, type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, optionalText, text } from './columns.ts'
import type { VersionPlace } from './version-rows.ts'

/**
 * `store`: its bytes go where its class says, or to another class (a transition). `restore`: a temporary copy is to be made. `expire`: that copy is to go.
 */
export type MoveKind = 'store' | 'restore' | 'expire'

export interface Move extends VersionPlace {
  readonly kind: MoveKind
  readonly storageClass: StorageClass
  readonly dueMs: number
  readonly createdMs: number
  readonly attempts: number
  /** Why the last attempt came to nothing. */
  readonly reason: string | undefined
}

const columns = 'bucket_id, key, id, kind, storage_class, due_ms, created_ms, attempts, reason'

/** Part of a transaction: asks for a move, in place of one of the same kind that waits. */
export function* enqueueMove(
  place: VersionPlace,
  move: { readonly kind: MoveKind; readonly storageClass: StorageClass; readonly dueMs: number },
  context: TransactionContext,
): Steps<void> {
  yield statement(
    `INSERT OR REPLACE INTO moves (${columns}, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, NULL, ?8)`,
    place.bucketId,
    place.key,
    place.id,
    move.kind,
    move.storageClass,
    move.dueMs,
    context.nowMs,
    context.seq,
  )
}

/** Part of a transaction that takes a version away. */
export function* dropMovesOf({ bucketId, key, id }: VersionPlace): Steps<void> {
  yield statement('DELETE FROM moves WHERE bucket_id = ?1 AND key = ?2 AND id = ?3', bucketId, key, id)
}

/** Part of a transaction that takes a version or its copy away. */
export function* freeCopy({ record: { restore } }: Pick<ObjectVersion, 'record'>, seq: number): Steps<void> {
  if (restore?.state !== 'restored') return
  yield statement('INSERT INTO garbage (blob, seq) SELECT blob, ?2 FROM parts WHERE blob_set = ?1', restore.blobSet, seq)
  yield statement('DELETE FROM parts WHERE blob_set = ?1', restore.blobSet)
}

/** Part of a transaction that has done what was asked for. */
export function* dropMove({ bucketId, key, id }: VersionPlace, kind: MoveKind): Steps<void> {
  yield statement('DELETE FROM moves WHERE bucket_id = ?1 AND key = ?2 AND id = ?3 AND kind = ?4', bucketId, key, id, kind)
}

export function* moveOf({ bucketId, key, id }: VersionPlace, kind: MoveKind): Steps<Move | undefined> {
  const [row] = yield statement(
    `SELECT ${columns}, seq FROM moves WHERE bucket_id = ?1 AND key = ?2 AND id = ?3 AND kind = ?4`,
    bucketId,
    key,
    id,
    kind,
  )
  return row === undefined ? undefined : toMove(row)
}

/** Moves of one kind and class that are due, the oldest first: those of another class may lead to a tier that is away. */
export function* dueMoves(of: {
  readonly kind: MoveKind
  readonly storageClass: StorageClass
  readonly nowMs: number
  readonly limit: number
}): Steps<readonly Move[]> {
  const rows = yield statement(
    `SELECT ${columns}, seq FROM moves INDEXED BY moves_due WHERE kind = ?1 AND storage_class = ?2 AND due_ms <= ?3 ORDER BY due_ms LIMIT ?4`,
    of.kind,
    of.storageClass,
    of.nowMs,
    of.limit,
  )
  return rows.map(toMove)
}

/** When the next of one kind and class is due; undefined: none waits. */
export function* nextDueMs(kind: MoveKind, storageClass: StorageClass): Steps<number | undefined> {
  const [row] = yield statement(
    'SELECT due_ms, seq FROM moves INDEXED BY moves_due WHERE kind = ?1 AND storage_class = ?2 ORDER BY due_ms LIMIT 1',
    kind,
    storageClass,
  )
  return row === undefined ? undefined : number(row.due_ms)
}

/** A move, as people see it. */
export interface ListedMove extends Move {
  readonly bucket: string
  readonly isNull: boolean
  readonly size: number
}

export type MovePlace = VersionPlace & { readonly kind: string }

/** What waits, in the order of versions. */
export function* listMoves({ after, limit }: { readonly after: MovePlace; readonly limit: number }): Steps<readonly ListedMove[]> {
  const rows = yield statement(
    `SELECT moves.bucket_id, moves.key, moves.id, kind, moves.storage_class, due_ms, moves.created_ms, attempts, reason, moves.seq,
       buckets.name AS bucket, versions.is_null, versions.size
     FROM moves JOIN buckets ON buckets.id = moves.bucket_id
       JOIN versions ON versions.bucket_id = moves.bucket_id AND versions.key = moves.key AND versions.id = moves.id
     WHERE (moves.bucket_id, moves.key, moves.id, kind) > (?1, ?2, ?3, ?4)
     ORDER BY moves.bucket_id, moves.key, moves.id, kind LIMIT ?5`,
    after.bucketId,
    after.key,
    after.id,
    after.kind,
    limit,
  )
  return rows.map((row) => ({ ...toMove(row), bucket: text(row.bucket), isNull: row.is_null === 1, size: number(row.size) }))
}

/** Puts a move off that came to nothing, and says why. */
function* postponeMove(
  input: VersionPlace & { readonly kind: MoveKind; readonly dueMs: number; readonly reason: string },
  { seq }: TransactionContext,
): Steps<void> {
  yield statement(
    `UPDATE moves SET attempts = attempts + 1, due_ms = ?5, reason = ?6, seq = ?7
     WHERE bucket_id = ?1 AND key = ?2 AND id = ?3 AND kind = ?4`,
    input.bucketId,
    input.key,
    input.id,
    input.kind,
    input.dueMs,
    input.reason,
    seq,
  )
}

/** Forgets a move for which there is nothing to do any more. */
function* forgetMove(input: VersionPlace & { readonly kind: MoveKind }, _context: TransactionContext): Steps<void> {
  yield* dropMove(input, input.kind)
}

export const moveTransactions = { postponeMove, forgetMove } as const

function toMove(row: Row): Move {
  return {
    bucketId: text(row.bucket_id),
    key: text(row.key),
    id: text(row.id),
    kind: text(row.kind) as MoveKind, // written by this folder only
    storageClass: text(row.storage_class) as StorageClass, // checked on the way in
    dueMs: number(row.due_ms),
    createdMs: number(row.created_ms),
    attempts: number(row.attempts),
    reason: optionalText(row.reason),
  }
}
