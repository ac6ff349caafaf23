/** Temporary copies of archived versions: asked for, made, prolonged, and taken away when their days are over. */
import { S3Error } from '../../model/errors.ts'
import { readableCopy, restoreExpiryMs } from '../../model/restore.ts'
import { needsRestore } from '../../model/storage-class.ts'
import type { ObjectVersion, Part, Restore, RestoreTier, VersionRecord } from '../../model/version.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { activeBucket } from './buckets.ts'
import { forgetDamage } from './damage.ts'
import { updateVersion } from './move-commits.ts'
import { dropMove, enqueueMove, freeCopy } from './moves.ts'
import { insertPart, partsOf } from './uploads.ts'
import { type VersionPlace, versionByOrderedId } from './version-rows.ts'

/**
 * Asks for a copy, or lets one that is here stay longer.
 * @param input.id  the version that was judged, by its ordered id
 * @returns `requested`: it will be made. `prolonged`: it is here
 * @throws S3Error NoSuchBucket, NoSuchKey (the version went meanwhile), InvalidObjectState, RestoreAlreadyInProgress
 */
function* requestRestore(
  input: VersionPlace & {
    readonly days: number
    readonly tier: RestoreTier
    /** From now on, to the copy's first byte. */
    readonly delayMs: number
    readonly dayMs: number
  },
  context: TransactionContext,
): Steps<'requested' | 'prolonged'> {
  yield* activeBucket(input.bucketId)
  const version = yield* versionByOrderedId(input.bucketId, input.key, input.id)
  if (version === undefined) throw new S3Error('NoSuchKey', { details: { Key: input.key } })
  const { storageClass, record } = version
  if (!needsRestore(storageClass)) {
    throw new S3Error('InvalidObjectState', {
      message: "Restore is not allowed for the object's current storage class",
      details: { StorageClass: storageClass },
    })
  }
  if (record.restore?.state === 'ongoing') throw new S3Error('RestoreAlreadyInProgress')
  const { nowMs, seq } = context
  const copy = readableCopy(version, nowMs)
  if (copy !== undefined) {
    const expiryMs = restoreExpiryMs({ nowMs, days: input.days, dayMs: input.dayMs })
    yield* updateVersion(version, { record: { ...record, restore: { ...copy, expiryMs } }, storageClass }, seq)
    yield* enqueueMove(version, { kind: 'expire', storageClass, dueMs: expiryMs }, context)
    return 'prolonged'
  }
  yield* freeCopy(version, seq)
  yield* dropMove(version, 'expire')
  const restore: Restore = { state: 'ongoing', requestedMs: nowMs, days: input.days, tier: input.tier }
  yield* updateVersion(version, { record: { ...record, restore }, storageClass }, seq)
  yield* enqueueMove(version, { kind: 'restore', storageClass, dueMs: nowMs + input.delayMs }, context)
  return 'requested'
}

/**
 * Gives a version the copy that was made of it, verified. A mark of damage goes: the bytes were read, and are well.
 * @returns `changed`: the version went, or another copy was asked for. The copy belongs to nobody then
 */
function* completeRestore(
  input: VersionPlace & {
    /** Of the request that it answers. */
    readonly requestedMs: number
    readonly blobSet: string
    readonly parts: readonly Part[]
    readonly dayMs: number
  },
  context: TransactionContext,
): Steps<'restored' | 'changed'> {
  const version = yield* versionByOrderedId(input.bucketId, input.key, input.id)
  const wish = version?.record.restore
  if (version === undefined || wish?.state !== 'ongoing' || wish.requestedMs !== input.requestedMs) {
    yield* dropMove(input, 'restore')
    return 'changed'
  }
  for (const part of input.parts) yield* insertPart(input.blobSet, part, context.seq)
  const expiryMs = restoreExpiryMs({ nowMs: context.nowMs, days: wish.days, dayMs: input.dayMs })
  const restore: Restore = { state: 'restored', requestedMs: wish.requestedMs, blobSet: input.blobSet, expiryMs }
  const { storageClass } = version
  if (version.isDamaged === true) {
    yield* forgetDamage(version)
    yield statement(
      'UPDATE versions SET is_damaged = 0 WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
      version.bucketId,
      version.key,
      version.id,
    )
  }
  yield* updateVersion(version, { record: { ...version.record, restore }, storageClass }, context.seq)
  yield* dropMove(version, 'restore')
  yield* enqueueMove(version, { kind: 'expire', storageClass, dueMs: expiryMs }, context)
  return 'restored'
}

/** Takes a copy away whose days are over. */
function* expireRestore(input: VersionPlace, context: TransactionContext): Steps<'expired' | 'kept'> {
  const version = yield* versionByOrderedId(input.bucketId, input.key, input.id)
  const copy = version?.record.restore
  // Somebody let it stay longer: the wish that was put for that stands.
  if (copy?.state === 'restored' && copy.expiryMs > context.nowMs) return 'kept'
  yield* dropMove(input, 'expire')
  if (version === undefined || copy?.state !== 'restored') return 'kept'
  yield* endCopy(version, context)
  return 'expired'
}

/** Takes a copy away of which a blob does not read, if it still refers to that. */
function* dropCopy(
  input: VersionPlace & { readonly blobSet: string; readonly number: number; readonly blob: string },
  context: TransactionContext,
): Steps<void> {
  const version = yield* versionByOrderedId(input.bucketId, input.key, input.id)
  const copy = version?.record.restore
  if (version === undefined || copy?.state !== 'restored' || copy.blobSet !== input.blobSet) return
  const [part] = yield* partsOf(input.blobSet, { afterNumber: input.number - 1, limit: 1 })
  if (part?.blob !== input.blob) return
  yield* dropMove(version, 'expire')
  yield* endCopy(version, context)
}

function* endCopy(version: ObjectVersion, { seq }: TransactionContext): Steps<void> {
  yield* freeCopy(version, seq)
  yield* updateVersion(version, { record: withoutRestore(version.record), storageClass: version.storageClass }, seq)
}

function withoutRestore({ restore: _over, ...record }: VersionRecord): VersionRecord {
  return record
}

export const restoreTransactions = { requestRestore, completeRestore, expireRestore, dropCopy } as const
