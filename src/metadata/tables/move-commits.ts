/** What ends a move: rows refer to the new place of a version's bytes, and the old one is freed. */
import type { StorageClass } from '../../model/storage-class.ts'
import type { ObjectVersion, VersionRecord } from '../../model/version.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { text } from './columns.ts'
import { dropMove, moveOf } from './moves.ts'
import { checkNotRetired } from './segments.ts'
import { endTierWrite } from './tier-writes.ts'
import { recordText, type VersionPlace, versionByOrderedId } from './version-rows.ts'

/** A blob that was copied, and read back where it is now. */
export interface MovedBlob {
  /** 0: the version's one blob. */
  readonly part: number
  readonly from: string
  readonly to: string
  /** Of an encrypted blob: its new data key's. */
  readonly sealedKey?: string
}

/**
 * `moved`: rows refer to the copies. Anything else: the copies are garbage. `changed`: to be looked at again, the version's bytes or the wish are others now.
 * `gone`: there is nothing to move any more.
 */
export type MoveOutcome = 'moved' | 'changed' | 'gone'

/**
 * Gives a version's bytes their new place, all of them or some of its parts; with the last ones it gets its class, and the wish is fulfilled.
 * @throws S3Error ServiceUnavailable, see `checkNotRetired`; the copies are the caller's to remove then
 */
function* moveVersion(
  input: VersionPlace & { readonly storageClass: StorageClass; readonly blobs: readonly MovedBlob[]; readonly isLast: boolean },
  context: TransactionContext,
): Steps<MoveOutcome> {
  const version = yield* versionByOrderedId(input.bucketId, input.key, input.id)
  const outcome = yield* judge(version, input)
  if (version === undefined || outcome !== 'moved') {
    for (const { to } of input.blobs) yield* free(to, context.seq)
    if (outcome === 'gone') yield* dropMove(input, 'store')
  } else {
    let { record } = version
    for (const blob of input.blobs) {
      yield* checkNotRetired(blob.to)
      record = yield* changeRef(version, record, blob)
      yield* free(blob.from, context.seq)
    }
    // NOTE: a version whose large blobs moved has another `seq`: that is how a reader learns of it.
    yield* updateVersion(version, { record, storageClass: input.isLast ? input.storageClass : version.storageClass }, context.seq)
    if (input.isLast) yield* dropMove(version, 'store')
  }
  for (const { to } of input.blobs) yield* endTierWrite(to)
  return outcome
}

function* judge(version: ObjectVersion | undefined, input: Parameters<typeof moveVersion>[0]): Steps<MoveOutcome> {
  if (version === undefined || version.isDeleteMarker) return 'gone'
  const wish = yield* moveOf(input, 'store')
  if (wish === undefined) return 'gone'
  if (wish.storageClass !== input.storageClass || version.isDamaged === true) return 'changed'
  for (const { part, from } of input.blobs) if ((yield* refOf(version, part)) !== from) return 'changed'
  return 'moved'
}

function* refOf({ blob, blobSet }: ObjectVersion, part: number): Steps<string | undefined> {
  if (part === 0 || blobSet === undefined) return blob
  const [row] = yield statement('SELECT blob, seq FROM parts WHERE blob_set = ?1 AND number = ?2', blobSet, part)
  return row === undefined ? undefined : text(row.blob)
}

function* changeRef(version: ObjectVersion, record: VersionRecord, { part, to, sealedKey }: MovedBlob): Steps<VersionRecord> {
  if (version.blobSet !== undefined) {
    yield statement(
      'UPDATE parts SET blob = ?3, sealed_key = ?4 WHERE blob_set = ?1 AND number = ?2',
      version.blobSet,
      part,
      to,
      sealedKey ?? null,
    )
    return record
  }
  yield statement(
    'UPDATE versions SET blob = ?4 WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
    version.bucketId,
    version.key,
    version.id,
    to,
  )
  return sealedKey === undefined ? record : { ...record, encryption: { algorithm: 'AES256', sealedKey } }
}

/** Part of a transaction: what a version is after its bytes were moved or restored. */
export function* updateVersion(
  { bucketId, key, id }: VersionPlace,
  to: { readonly record: VersionRecord; readonly storageClass: StorageClass },
  seq: number,
): Steps<void> {
  yield statement(
    'UPDATE versions SET record = ?4, storage_class = ?5, seq = ?6 WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
    bucketId,
    key,
    id,
    recordText(id, to.record),
    to.storageClass,
    seq,
  )
}

function* free(blob: string, seq: number): Steps<void> {
  yield statement('INSERT INTO garbage (blob, seq) VALUES (?1, ?2)', blob, seq)
}

export const moveCommits = { moveVersion } as const
