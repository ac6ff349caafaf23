/** The destination's side of replication: "make version V equal", whatever of it is here already. */
import { isNewer } from '../../lib/hybrid-clock.ts'
import type { Bucket } from '../../model/bucket.ts'
import type { FailureReason } from '../../model/replication-reasons.ts'
import type { StorageClass } from '../../model/storage-class.ts'
import type { ObjectVersion, Part, Stamped, VersionRecord } from '../../model/version.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { bucketById } from './buckets.ts'
import { number } from './columns.ts'
import { arrivedLate, attributeChanged, becameNoncurrent } from './lifecycle-again.ts'
import { arrivedRecord, mergedLock } from './locks.ts'
import { enqueueMove } from './moves.ts'
import { insertPart } from './uploads.ts'
import { demote, insertVersion, newestVersion, recordText, versionByOrderedId } from './version-rows.ts'

/** One version as it arrived; its content, where it came along, is written and synced already. */
export interface Delivery {
  readonly sourceRegion: string
  readonly sourceBucket: string
  /** Id of the destination bucket. */
  readonly bucketId: string
  readonly key: string
  readonly id: string
  readonly isDeleteMarker: boolean
  readonly size: number
  readonly lastModifiedMs: number
  readonly etag: string
  readonly storageClass: StorageClass
  readonly record: VersionRecord
  /** The source bucket has Object Lock, so that this one must have it. */
  readonly isFromLocked?: boolean
  /** Absent: attributes only. */
  readonly content?:
    | { readonly kind: 'marker' }
    | { readonly kind: 'blob'; readonly blob: string }
    | { readonly kind: 'parts'; readonly blobSet: string; readonly parts: readonly Part[] }
  /** The class of the version has a place of its own: the bytes, written here first, are to be moved there. */
  readonly leaves?: boolean
}

/**
 * `stored`: the version is here now, with the content of this delivery. `merged`: it was here; newer attributes were taken.
 * `missing`: only attributes came, and the version is not here. `purged`: it was here, and somebody deleted it for good.
 */
export type DeliveryOutcome = 'stored' | 'merged' | 'missing' | 'purged' | { readonly refused: FailureReason }

/** Takes deliveries in their order, in one commit. The content of one that is not `stored` belongs to nobody: the caller removes it. */
function* receiveVersions(
  input: { readonly deliveries: readonly Delivery[] },
  context: TransactionContext,
): Steps<readonly DeliveryOutcome[]> {
  const outcomes: DeliveryOutcome[] = []
  for (const delivery of input.deliveries) outcomes.push(yield* receiveVersion(delivery, context))
  return outcomes
}

function* receiveVersion(delivery: Delivery, context: TransactionContext): Steps<DeliveryOutcome> {
  const bucket = yield* bucketById(delivery.bucketId)
  if (bucket === undefined || bucket.state !== 'active') return { refused: 'DstBucketNotFound' }
  if (bucket.versioning !== 'Enabled') return { refused: 'DstBucketUnversioned' }
  if (delivery.isFromLocked === true && bucket.settings.objectLock === undefined) return { refused: 'DstBucketObjectLockConfigMissing' }
  const standing = yield* versionByOrderedId(bucket.id, delivery.key, delivery.id)
  if (standing !== undefined) return yield* mergeInto({ bucket, standing, delivery }, context)
  const tombstones = yield statement(
    'SELECT 1 AS found FROM tombstones WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3',
    bucket.id,
    delivery.key,
    delivery.id,
  )
  if (tombstones.length > 0) return 'purged'
  if (delivery.content === undefined) return 'missing'
  const record = delivery.isDeleteMarker ? delivery.record : arrivedRecord(bucket, delivery, context)
  yield* insertReplica({ bucket, delivery: { ...delivery, record }, content: delivery.content }, context)
  return 'stored'
}

function* mergeInto(
  { bucket, standing, delivery }: { readonly bucket: Bucket; readonly standing: ObjectVersion; readonly delivery: Delivery },
  context: TransactionContext,
): Steps<DeliveryOutcome> {
  // Ids do not repeat, so another content under the same id is a fault somewhere, and not one to paper over.
  if (standing.etag !== delivery.etag || standing.size !== delivery.size || standing.isDeleteMarker !== delivery.isDeleteMarker) {
    return { refused: 'DstChecksumMismatch' }
  }
  const record: VersionRecord = {
    ...standing.record,
    tags: newerOf(standing.record.tags, delivery.record.tags),
    // An ACL is its owner's word: another account's opens nothing here.
    acl: standing.record.ownerId === delivery.record.ownerId ? newerOf(standing.record.acl, delivery.record.acl) : standing.record.acl,
    ...mergedLock(bucket, { standing: standing.record, arrived: delivery.record }, context),
  }
  const changed = mergedNames.filter((name) => record[name] !== standing.record[name])
  if (changed.length > 0) {
    yield statement(
      'UPDATE versions SET record = ?4, seq = ?5 WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
      standing.bucketId,
      standing.key,
      standing.id,
      recordText(standing.id, record),
      context.seq,
    )
    for (const attribute of changed) yield* attributeChanged(bucket, { ...standing, attribute }, context)
  }
  return 'merged'
}

const mergedNames = ['tags', 'acl', 'retention', 'legalHold'] as const

function* insertReplica(
  of: { readonly bucket: Bucket; readonly delivery: Delivery; readonly content: NonNullable<Delivery['content']> },
  context: TransactionContext,
): Steps<void> {
  const { bucket, delivery, content } = of
  const newest = yield* newestVersion(delivery.bucketId, delivery.key)
  // The highest id is the latest, whenever it arrives.
  const isLatest = newest === undefined || isNewer(delivery.id, newest.id)
  if (isLatest && newest !== undefined) yield* demote(newest, delivery.lastModifiedMs)
  const sinceMs = isLatest ? delivery.lastModifiedMs : yield* betweenOthers(delivery)
  yield* insertVersion({
    bucketId: delivery.bucketId,
    key: delivery.key,
    id: delivery.id,
    isNull: false,
    isLatest,
    isDeleteMarker: delivery.isDeleteMarker,
    size: delivery.size,
    lastModifiedMs: delivery.lastModifiedMs,
    sinceMs,
    etag: delivery.etag,
    storageClass: delivery.storageClass,
    record: delivery.record,
    replication: { role: 'replica', sourceRegion: delivery.sourceRegion, sourceBucket: delivery.sourceBucket },
    seq: context.seq,
    ...(content.kind === 'blob' ? { blob: content.blob } : {}),
    ...(content.kind === 'parts' ? { blobSet: content.blobSet, partCount: content.parts.length } : {}),
  })
  if (content.kind === 'parts') {
    for (const part of content.parts) yield* insertPart(content.blobSet, part, context.seq)
  }
  if (delivery.leaves === true && content.kind !== 'marker') {
    yield* enqueueMove(delivery, { kind: 'store', storageClass: delivery.storageClass, dueMs: context.nowMs }, context)
  }
  if (newest !== undefined) yield* becameNoncurrent(bucket, delivery.key, context)
  yield* arrivedLate(bucket, delivery, context)
}

/**
 * A version that comes behind newer ones: what took its place is the next newer, and it took the place of the next older.
 * @returns since when it is no longer the current one
 */
function* betweenOthers({ bucketId, key, id, lastModifiedMs }: Delivery): Steps<number> {
  yield statement(
    `UPDATE versions SET since_ms = ?4 WHERE bucket_id = ?1 AND key = ?2 AND id =
       (SELECT id FROM versions WHERE bucket_id = ?1 AND key = ?2 AND id > ?3 ORDER BY id LIMIT 1)`,
    bucketId,
    key,
    id,
    lastModifiedMs,
  )
  const [newer] = yield statement(
    'SELECT modified_ms FROM versions WHERE bucket_id = ?1 AND key = ?2 AND id < ?3 ORDER BY id DESC LIMIT 1',
    bucketId,
    key,
    id,
  )
  return newer === undefined ? lastModifiedMs : number(newer.modified_ms)
}

function newerOf<T>(standing: Stamped<T>, arrived: Stamped<T>): Stamped<T> {
  return isNewer(arrived.stamp, standing.stamp) ? arrived : standing
}

export const deliveryTransactions = { receiveVersions } as const
