/** Transactions on versions: every way a version is made, marked, changed or removed by clients of this region. */
import { isNewer } from '../../lib/hybrid-clock.ts'
import type { Grant } from '../../model/acl.ts'
import type { Bucket } from '../../model/bucket.ts'
import { checkDeleteConditions, checkWriteConditions, type WriteConditions } from '../../model/conditions.ts'
import { S3Error } from '../../model/errors.ts'
import { planAttributeChange, planVersion, type VersionFacts } from '../../model/replication-rules.ts'
import { pendingAgain, pendingState } from '../../model/replication-status.ts'
import type { StorageClass } from '../../model/storage-class.ts'
import type { Tag } from '../../model/tags.ts'
import {
  type Deleted,
  type ObjectVersion,
  publicVersionId,
  type Stamped,
  VersionIdBehind,
  type VersionRecord,
} from '../../model/version.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { activeBucket } from './buckets.ts'
import { forgetDamage } from './damage.ts'
import { attributeChanged, becameNoncurrent, versionRemoved } from './lifecycle-again.ts'
import { checkLockChange, checkUnlocked, type LockChange, lockedRecord, type Removal, stampOf } from './locks.ts'
import { dropMovesOf, enqueueMove, freeCopy } from './moves.ts'
import { dropTasksOf, enqueueAttributes, enqueueVersion } from './tasks.ts'
import { demote, insertVersion, newestVersion, nullVersion, recordText, versionById } from './version-rows.ts'

/** A version that is to be made. `id` is the writer's proposal: it must be above the key's newest, and the seal of the data key is bound to it. */
export interface NewVersion {
  readonly bucketId: string
  readonly key: string
  readonly id: string
  readonly size: number
  readonly etag: string
  readonly storageClass: StorageClass
  readonly blob?: string
  readonly blobSet?: string
  readonly partCount?: number
  readonly record: VersionRecord
  /** The class of the version has a place of its own: the bytes, written here first, are to be moved there. */
  readonly leaves?: boolean
}

type MadeBy = VersionFacts['madeBy']

/** What came of making a version. */
export interface MadeVersion {
  readonly version: ObjectVersion
  /** Whether clients are told a version id at all. */
  readonly isVersioned: boolean
}

/** @throws S3Error NoSuchBucket, PreconditionFailed, NoSuchKey; VersionIdBehind */
export function* putVersion(
  input: { readonly version: NewVersion; readonly conditions?: WriteConditions },
  context: TransactionContext,
): Steps<MadeVersion> {
  const bucket = yield* activeBucket(input.version.bucketId)
  const newest = yield* newestVersion(bucket.id, input.version.key)
  if (input.conditions !== undefined) checkWriteConditions(input.conditions, newest)
  return yield* makeVersion({ bucket, newest, made: input.version, isDeleteMarker: false }, context)
}

/** What DeleteObject without a version id is to do: a marker, or in an unversioned bucket a removal. */
export interface Deletion {
  readonly bucketId: string
  readonly key: string
  /** Proposed id of a marker. */
  readonly id: string
  readonly ownerId: string
  /** If-Match: the ETag that the current object must have. */
  readonly ifMatch?: string
}

/** @throws S3Error NoSuchBucket, PreconditionFailed; VersionIdBehind */
export function* deleteObject(input: Deletion, context: TransactionContext): Steps<Deleted> {
  return yield* deleteObjectOf(yield* activeBucket(input.bucketId), input, context)
}

function* deleteObjectOf(bucket: Bucket, input: Deletion, context: TransactionContext): Steps<Deleted> {
  const newest = yield* newestVersion(bucket.id, input.key)
  checkDeleteConditions(input, newest)
  if (bucket.versioning === 'Unversioned') {
    if (newest !== undefined) yield* removeVersion({ bucket, version: newest }, context)
    return {}
  }
  const { version } = yield* makeMarker({ bucket, newest, key: input.key, id: input.id, ownerId: input.ownerId, madeBy: 'user' }, context)
  return { deleteMarker: true, versionId: publicVersionId(version) }
}

/** Puts a delete marker on top of a key. */
export function* makeMarker(
  of: {
    readonly bucket: Bucket
    readonly newest: ObjectVersion | undefined
    readonly key: string
    /** Proposed. */
    readonly id: string
    readonly ownerId: string
    readonly madeBy: MadeBy
  },
  context: TransactionContext,
): Steps<MadeVersion> {
  const { bucket, newest, key, id, ownerId, madeBy } = of
  const made: NewVersion = {
    bucketId: bucket.id,
    key,
    id,
    size: 0,
    etag: '',
    storageClass: 'STANDARD',
    record: { ownerId, system: { contentType: '' }, user: [], tags: { stamp: id, value: [] }, acl: { stamp: id, value: [] } },
  }
  return yield* makeVersion({ bucket, newest, made, isDeleteMarker: true, madeBy }, context)
}

export interface VersionDeletion {
  readonly bucketId: string
  readonly key: string
  readonly versionId: string
  readonly ifMatch?: string
  /** The caller asked to bypass GOVERNANCE, and may. */
  readonly bypass?: boolean
}

/** Removes one version for good. An absent one is no error. @throws S3Error NoSuchBucket, PreconditionFailed, AccessDenied (locked) */
export function* deleteVersion(input: VersionDeletion, context: TransactionContext): Steps<Deleted> {
  return yield* deleteVersionOf(yield* activeBucket(input.bucketId), input, context)
}

function* deleteVersionOf(bucket: Bucket, input: VersionDeletion, context: TransactionContext): Steps<Deleted> {
  const version = yield* versionById(bucket.id, input.key, input.versionId)
  if (version === undefined) return { versionId: input.versionId }
  checkDeleteConditions(input, version)
  yield* removeForGood({ bucket, version, removal: { bypass: input.bypass === true } }, context)
  return { versionId: input.versionId, ...(version.isDeleteMarker ? { deleteMarker: true } : {}) }
}

export type DeleteOne = ({ readonly kind: 'object' } & Deletion) | ({ readonly kind: 'version' } & VersionDeletion)

/**
 * Many deletions in one commit, answered one by one: a refused one leaves the others alone.
 * @throws VersionIdBehind with all keys whose marker is behind, so that one more try is enough
 */
export function* deleteMany(
  input: { readonly deletions: readonly DeleteOne[] },
  context: TransactionContext,
): Steps<readonly (Deleted | { readonly code: string; readonly message: string })[]> {
  const outcomes: (Deleted | { code: string; message: string })[] = []
  const behind = new Map<string, string>()
  let bucket: Bucket | undefined
  for (const deletion of input.deletions) {
    try {
      if (bucket?.id !== deletion.bucketId) bucket = yield* activeBucket(deletion.bucketId)
      outcomes.push(
        yield* deletion.kind === 'object' ? deleteObjectOf(bucket, deletion, context) : deleteVersionOf(bucket, deletion, context),
      )
    } catch (error) {
      // NOTE: a deletion refuses before its first write, so nothing of a refused one is left in this commit.
      if (error instanceof VersionIdBehind) {
        for (const [key, id] of error.newest) behind.set(key, id)
        continue
      }
      if (!(error instanceof S3Error)) throw error
      outcomes.push({ code: error.code, message: error.message })
    }
  }
  if (behind.size > 0) throw new VersionIdBehind(behind)
  return outcomes
}

export type AttributeChange =
  | { readonly name: 'tags'; readonly value: readonly Tag[] }
  | { readonly name: 'acl'; readonly value: readonly Grant[] }
  | LockChange

/**
 * Changes tags, ACL or lock of a version that stands, and queues it for its destinations again.
 * @param input.stamp  an ordered id: the change's place among changes of both regions
 * @throws S3Error NoSuchBucket, NoSuchKey, NoSuchVersion, MethodNotAllowed (a delete marker), OperationAborted (another version is the newest by now);
 *   InvalidRequest (a lock in a bucket without), AccessDenied (the lock that stands forbids it)
 */
export function* setAttribute(
  input: {
    readonly bucketId: string
    readonly key: string
    readonly versionId?: string
    /** The version that was judged, by its ordered id: another that came meanwhile is not changed. */
    readonly judgedId?: string
    readonly stamp: string
    readonly change: AttributeChange
  },
  context: TransactionContext,
): Steps<ObjectVersion> {
  const bucket = yield* activeBucket(input.bucketId)
  const version = yield* input.versionId === undefined
    ? newestVersion(bucket.id, input.key)
    : versionById(bucket.id, input.key, input.versionId)
  if (version === undefined) {
    throw input.versionId === undefined
      ? new S3Error('NoSuchKey', { details: { Key: input.key } })
      : new S3Error('NoSuchVersion', { details: { Key: input.key, VersionId: input.versionId } })
  }
  if (version.isDeleteMarker) {
    throw input.versionId === undefined
      ? new S3Error('NoSuchKey', { details: { Key: input.key }, headers: { 'x-amz-delete-marker': 'true' } })
      : new S3Error('MethodNotAllowed', { details: { Method: 'PUT', ResourceType: 'DeleteMarker' }, headers: { allow: 'DELETE' } })
  }
  if (input.judgedId !== undefined && version.id !== input.judgedId) throw new S3Error('OperationAborted')
  if (input.change.name === 'retention' || input.change.name === 'legalHold') checkLockChange(bucket, version, input.change, context)
  const stamp = stampOf(version.record[input.change.name]) ?? version.id
  if (!isNewer(input.stamp, stamp)) throw new VersionIdBehind(new Map([[input.key, stamp]]))
  const changed: Stamped<AttributeChange['value']> = { stamp: input.stamp, value: input.change.value }
  const record: VersionRecord = { ...version.record, [input.change.name]: changed }
  const plans =
    version.replication?.role === 'source'
      ? planAttributeChange(bucket.settings.replication?.configuration, { key: version.key, state: version.replication })
      : []
  const replication = pendingAgain(version.replication, plans)
  yield statement(
    'UPDATE versions SET record = ?4, replication = ?5, seq = ?6 WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
    bucket.id,
    version.key,
    version.id,
    recordText(version.id, record),
    replication === undefined ? null : JSON.stringify(replication),
    context.seq,
  )
  for (const plan of plans) {
    const destination = bucket.settings.replication?.destinations[plan.destinationBucket]
    if (destination !== undefined) yield* enqueueAttributes(version, plan, destination, context)
  }
  yield* attributeChanged(bucket, { ...version, attribute: input.change.name }, context)
  return { ...version, record, seq: context.seq, ...(replication === undefined ? {} : { replication }) }
}

/** Puts a version on top of its key, with all that follows from it: null version replaced, old latest demoted, replication queued. */
export function* makeVersion(
  input: {
    readonly bucket: Bucket
    readonly newest: ObjectVersion | undefined
    readonly made: NewVersion
    readonly isDeleteMarker: boolean
    readonly madeBy?: MadeBy
  },
  context: TransactionContext,
): Steps<MadeVersion> {
  const { bucket, newest, isDeleteMarker, madeBy = 'user' } = input
  const { leaves, ...made } = input.made
  if (newest !== undefined && !isNewer(made.id, newest.id)) throw new VersionIdBehind(new Map([[made.key, newest.id]]))
  const isNull = bucket.versioning !== 'Enabled'
  const record = isDeleteMarker ? made.record : lockedRecord(bucket, made, context)
  const replaced = isNull ? yield* nullVersion(bucket.id, made.key, newest) : undefined
  if (replaced !== undefined) yield* eraseVersion(replaced, context)
  if (newest !== undefined && newest.id !== replaced?.id) {
    yield* demote(newest, context.nowMs)
    yield* becameNoncurrent(bucket, made.key, context)
  }
  const replication = isNull ? undefined : bucket.settings.replication
  const plans = planVersion(replication?.configuration, {
    key: made.key,
    tags: made.record.tags.value,
    isDeleteMarker,
    madeBy,
    isReplica: false,
    storageClass: made.storageClass,
    encryption: made.record.encryption === undefined ? 'none' : 'SSE-S3',
  })
  const pending = pendingState(plans)
  const version: ObjectVersion = {
    ...made,
    record,
    isNull,
    isLatest: true,
    isDeleteMarker,
    lastModifiedMs: context.nowMs,
    sinceMs: context.nowMs,
    seq: context.seq,
    ...(pending === undefined ? {} : { replication: pending }),
  }
  yield* insertVersion(version)
  if (replication !== undefined) yield* enqueueVersion(version, plans, replication.destinations, context)
  if (leaves === true) yield* enqueueMove(version, { kind: 'store', storageClass: version.storageClass, dueMs: context.nowMs }, context)
  return { version, isVersioned: bucket.versioning !== 'Unversioned' }
}

const noBypass: Removal = { bypass: false }

interface VersionRemoval {
  readonly bucket: Bucket
  readonly version: ObjectVersion
  readonly removal?: Removal
}

/** Removes a version so that no delivery brings it back. @throws S3Error AccessDenied (locked) */
export function* removeForGood(of: VersionRemoval, context: TransactionContext): Steps<void> {
  yield* removeVersion(of, context)
  if (of.version.replication?.role === 'replica') yield* writeTombstone(of.version, context)
}

/** Removes a version and lets the next newest become the latest. @throws S3Error AccessDenied (locked) */
export function* removeVersion({ bucket, version, removal = noBypass }: VersionRemoval, context: TransactionContext): Steps<void> {
  yield* eraseVersion(version, context, removal)
  if (version.isLatest) {
    yield statement(
      `UPDATE versions SET is_latest = 1, since_ms = modified_ms, seq = ?3 WHERE bucket_id = ?1 AND key = ?2 AND id =
         (SELECT id FROM versions WHERE bucket_id = ?1 AND key = ?2 ORDER BY id LIMIT 1)`,
      version.bucketId,
      version.key,
      context.seq,
    )
  }
  yield* versionRemoved(bucket, version, context)
}

/**
 * Takes a version's row away and frees its blobs; who is latest then is the caller's to say.
 * NOTE: the one place where a version's row goes, so that no way around its lock is left.
 * @throws S3Error AccessDenied (locked), before anything is written
 */
export function* eraseVersion(version: ObjectVersion, context: TransactionContext, removal: Removal = noBypass): Steps<void> {
  checkUnlocked(version, removal, context)
  yield statement('DELETE FROM versions WHERE bucket_id = ?1 AND key = ?2 AND id = ?3', version.bucketId, version.key, version.id)
  if (version.blob !== undefined) yield statement('INSERT INTO garbage (blob, seq) VALUES (?1, ?2)', version.blob, context.seq)
  if (version.blobSet !== undefined) {
    yield statement('INSERT INTO garbage (blob, seq) SELECT blob, ?2 FROM parts WHERE blob_set = ?1', version.blobSet, context.seq)
    yield statement('DELETE FROM parts WHERE blob_set = ?1', version.blobSet)
  }
  yield* freeCopy(version, context.seq)
  yield* dropMovesOf(version)
  if (version.isDamaged === true) yield* forgetDamage(version)
  if (version.replication?.role === 'source') yield* dropTasksOf(version, context)
}

/** A purged replica must not come back with a delivery that was repeated because its answer was lost. */
function* writeTombstone(version: ObjectVersion, context: TransactionContext): Steps<void> {
  yield statement(
    'INSERT OR REPLACE INTO tombstones (bucket_id, key, version_id, purged_ms, seq) VALUES (?1, ?2, ?3, ?4, ?5)',
    version.bucketId,
    version.key,
    version.id,
    context.nowMs,
    context.seq,
  )
}

export const versionTransactions = { putVersion, deleteObject, deleteVersion, deleteMany, setAttribute } as const
