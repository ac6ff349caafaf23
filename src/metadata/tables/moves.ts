/** Versions whose bytes are to be elsewhere than they are: to a tier or back, restored for a time, or a restored copy that is to go. */
import type { StorageClass } from '../../model/storage-class.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import type { VersionPlace } from './version-rows.ts'

/**
 * `store`: its bytes go where its class says, or to another class (a transition). `restore`: a temporary copy is to be made. `expire`: that copy is to go.
 */
export type MoveKind = 'store' | 'restore' | 'expire'

/** Part of a transaction: asks for a move, in place of one of the same kind that waits. */
export function* enqueueMove(
  place: VersionPlace,
  move: { readonly kind: MoveKind; readonly storageClass: StorageClass; readonly dueMs: number },
  context: TransactionContext,
): Steps<void> {
  yield statement(
    `INSERT OR REPLACE INTO moves (bucket_id, key, id, kind, storage_class, due_ms, created_ms, attempts, reason, seq)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, NULL, ?8)`,
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
