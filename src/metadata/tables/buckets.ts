/** Buckets of this region: their rows, and what may change in them. */
import type { Bucket, BucketName, BucketSettings, ReplicationDestination, VersioningState } from '../../model/bucket.ts'
import { S3Error } from '../../model/errors.ts'
import { type Row, type Steps, statement, type TransactionContext } from '../steps.ts'
import { json, number, text } from './columns.ts'
import { beginAgain } from './lifecycle-marks.ts'

const columns = 'id, name, region, owner_id, created_ms, state, versioning, settings'

/** The bucket of that name, if it lives in this region. */
export function* bucketByName(name: string): Steps<Bucket | undefined> {
  const [row] = yield statement(`SELECT ${columns} FROM buckets WHERE name = ?1`, name)
  return row === undefined ? undefined : toBucket(row)
}

export function* bucketById(id: string): Steps<Bucket | undefined> {
  const [row] = yield statement(`SELECT ${columns} FROM buckets WHERE id = ?1`, id)
  return row === undefined ? undefined : toBucket(row)
}

/** Buckets that send: those with a replication configuration. */
export function* replicatingBuckets(): Steps<readonly Bucket[]> {
  const rows = yield statement(`SELECT ${columns} FROM buckets WHERE settings LIKE '%"replication":%'`)
  return rows.map(toBucket).filter((bucket) => bucket.settings.replication !== undefined)
}

/** Buckets with lifecycle rules. */
export function* agingBuckets(): Steps<readonly Bucket[]> {
  const rows = yield statement(`SELECT ${columns} FROM buckets WHERE settings LIKE '%"lifecycle":%'`)
  return rows.map(toBucket).filter(({ state, settings }) => state === 'active' && settings.lifecycle !== undefined)
}

/**
 * The bucket as a write must find it: there, and not about to go.
 * @throws S3Error NoSuchBucket
 */
export function* activeBucket(id: string): Steps<Bucket> {
  const bucket = yield* bucketById(id)
  if (bucket === undefined || bucket.state !== 'active') throw new S3Error('NoSuchBucket', { details: bucketName(bucket) })
  return bucket
}

/** The bucket as it begins, out of a row of the control log or out of a snapshot: both must make the same. */
export function* insertNewBucket(name: BucketName, settings: BucketSettings, context: TransactionContext): Steps<void> {
  // What a lock is on must have versions.
  const versioning = settings.objectLock === undefined ? 'Unversioned' : 'Enabled'
  yield* insertBucket({ ...name, state: 'active', versioning, settings }, context)
}

function* insertBucket(bucket: Bucket, { seq }: TransactionContext): Steps<void> {
  yield statement(
    `INSERT INTO buckets (${columns}, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
    bucket.id,
    bucket.name,
    bucket.region,
    bucket.ownerId,
    bucket.createdMs,
    bucket.state,
    bucket.versioning,
    JSON.stringify(bucket.settings),
    seq,
  )
}

/** Sets the versioning state. @throws S3Error NoSuchBucket; InvalidBucketState when a replicating bucket, or one with Object Lock, is to be suspended */
function* setVersioning(
  input: { readonly bucketId: string; readonly versioning: Exclude<VersioningState, 'Unversioned'> },
  { seq }: TransactionContext,
): Steps<void> {
  const bucket = yield* activeBucket(input.bucketId)
  if (input.versioning === 'Suspended' && bucket.settings.replication !== undefined) {
    throw new S3Error('InvalidBucketState', {
      message: 'A replication configuration is present on this bucket, so the versioning state cannot be changed.',
      details: { BucketName: bucket.name },
    })
  }
  if (input.versioning === 'Suspended' && bucket.settings.objectLock !== undefined) {
    // A locked version must stay reachable by its id, which suspension would let an overwrite take.
    throw new S3Error('InvalidBucketState', {
      message: 'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
      details: { BucketName: bucket.name },
    })
  }
  yield statement('UPDATE buckets SET versioning = ?2, seq = ?3 WHERE id = ?1', bucket.id, input.versioning, seq)
}

/**
 * Replaces one setting, or removes it (`value` null).
 * @throws S3Error NoSuchBucket; InvalidRequest for replication without versioning; InvalidBucketState for Object Lock without versioning, or to be switched off
 */
function* setBucketSetting(
  input: { readonly bucketId: string } & {
    readonly [Name in keyof BucketSettings]-?: { readonly name: Name; readonly value: NonNullable<BucketSettings[Name]> | null }
  }[keyof BucketSettings],
  context: TransactionContext,
): Steps<void> {
  const bucket = yield* activeBucket(input.bucketId)
  if (input.name === 'replication' && input.value !== null && bucket.versioning !== 'Enabled') {
    throw new S3Error('InvalidRequest', { message: "Versioning must be 'Enabled' on the bucket to apply a replication configuration" })
  }
  if (input.name === 'objectLock' && (input.value === null || bucket.versioning !== 'Enabled')) {
    throw new S3Error('InvalidBucketState', {
      message: "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
      details: { BucketName: bucket.name },
    })
  }
  const settings: Record<string, unknown> = { ...bucket.settings }
  if (input.value === null) delete settings[input.name]
  else settings[input.name] = input.value
  yield statement('UPDATE buckets SET settings = ?2, seq = ?3 WHERE id = ?1', bucket.id, JSON.stringify(settings), context.seq)
  const isChanged = JSON.stringify(input.value) !== JSON.stringify(bucket.settings[input.name] ?? null)
  // Under other rules, or none, other changes are noted: what was judged under these is judged anew, even if the same come back.
  if (input.name === 'lifecycle' && isChanged) yield* beginAgain(bucket.id, context)
}

/** Lets later versions go to the bucket that has the name of a destination now: part of settling those that were planned for another. */
export function* followDestination(
  of: { readonly bucketId: string; readonly name: string; readonly to: ReplicationDestination },
  { seq }: TransactionContext,
): Steps<void> {
  const bucket = yield* bucketById(of.bucketId)
  const standing = bucket?.settings.replication
  const known = standing?.destinations[of.name]
  if (bucket === undefined || standing === undefined || known === undefined || known.bucketId === of.to.bucketId) return
  const replication = { ...standing, destinations: { ...standing.destinations, [of.name]: of.to } }
  yield statement(
    'UPDATE buckets SET settings = ?2, seq = ?3 WHERE id = ?1',
    bucket.id,
    JSON.stringify({ ...bucket.settings, replication }),
    seq,
  )
}

/** Turns "empty" into "deleting": from then on no write and no delivery gets in. @throws S3Error NoSuchBucket, BucketNotEmpty */
function* beginDeleteBucket(input: { readonly bucketId: string }, { seq }: TransactionContext): Steps<void> {
  const bucket = yield* bucketById(input.bucketId)
  if (bucket === undefined) throw new S3Error('NoSuchBucket')
  const versions = yield statement('SELECT 1 AS found FROM versions WHERE bucket_id = ?1 LIMIT 1', bucket.id)
  if (versions.length > 0) {
    throw new S3Error('BucketNotEmpty', {
      ...(bucket.versioning === 'Unversioned'
        ? {}
        : { message: 'The bucket you tried to delete is not empty. You must delete all versions in the bucket.' }),
      details: { BucketName: bucket.name },
    })
  }
  yield statement(`UPDATE buckets SET state = 'deleting', seq = ?2 WHERE id = ?1`, bucket.id, seq)
}

/** Takes "deleting" back, when home is known to have refused. */
function* cancelDeleteBucket(input: { readonly bucketId: string }, { seq }: TransactionContext): Steps<void> {
  yield statement(`UPDATE buckets SET state = 'active', seq = ?2 WHERE id = ?1`, input.bucketId, seq)
}

/** Buckets whose deletion was begun and not ended: what a start must resolve. */
export function* deletingBuckets(): Steps<readonly Bucket[]> {
  const rows = yield statement(`SELECT ${columns} FROM buckets WHERE state = 'deleting'`)
  return rows.map(toBucket)
}

/** Ids of those that hold versions, or uploads that go on. */
export function* bucketsInUse(): Steps<readonly string[]> {
  const rows = yield statement(
    `SELECT id FROM buckets WHERE EXISTS (SELECT 1 FROM versions WHERE bucket_id = buckets.id)
     OR EXISTS (SELECT 1 FROM uploads WHERE bucket_id = buckets.id AND state = 'open')`,
  )
  return rows.map((row) => text(row.id))
}

/** Drops an emptied bucket and all that goes by its id: part of applying a DeleteBucket of the control log in the region that held it. */
export function* dropBucket(bucketId: string, { seq }: TransactionContext): Steps<void> {
  yield statement(
    `INSERT INTO garbage (blob, seq) SELECT parts.blob, ?2 FROM parts JOIN uploads ON uploads.id = parts.blob_set
     WHERE uploads.bucket_id = ?1 AND uploads.state = 'open'`,
    bucketId,
    seq,
  )
  yield statement(`DELETE FROM parts WHERE blob_set IN (SELECT id FROM uploads WHERE bucket_id = ?1 AND state = 'open')`, bucketId)
  yield statement('DELETE FROM uploads WHERE bucket_id = ?1', bucketId)
  yield statement('DELETE FROM tasks WHERE bucket_id = ?1', bucketId)
  yield statement('DELETE FROM links WHERE bucket_id = ?1', bucketId)
  yield statement('DELETE FROM tombstones WHERE bucket_id = ?1', bucketId)
  yield* dropLifecycleMarks(bucketId)
  yield statement('DELETE FROM lifecycle_again WHERE bucket_id = ?1', bucketId)
  yield statement('DELETE FROM buckets WHERE id = ?1', bucketId)
}

/** How far lifecycle has come in a bucket. */
function* dropLifecycleMarks(bucketId: string): Steps<void> {
  yield statement('DELETE FROM lifecycle_marks WHERE bucket_id = ?1', bucketId)
  yield statement('DELETE FROM lifecycle_passes WHERE bucket_id = ?1', bucketId)
}

export const bucketTransactions = { setVersioning, setBucketSetting, beginDeleteBucket, cancelDeleteBucket } as const

function toBucket(row: Row): Bucket {
  return {
    id: text(row.id),
    name: text(row.name),
    region: text(row.region),
    ownerId: text(row.owner_id),
    createdMs: number(row.created_ms),
    state: text(row.state) as Bucket['state'], // written by this file only
    versioning: text(row.versioning) as VersioningState, // written by this file only
    settings: json<BucketSettings>(row.settings),
  }
}

function bucketName(bucket: Bucket | undefined): Record<string, string> {
  return bucket === undefined ? {} : { BucketName: bucket.name }
}
