/** Rows of `versions`, to values and back, and the lookups by which transactions and readers find them. */
import type { ReplicationState } from '../../model/replication-status.ts'
import type { StorageClass } from '../../model/storage-class.ts'
import type { ObjectVersion, Stamped, VersionRecord } from '../../model/version.ts'
import { type Row, type Steps, statement } from '../steps.ts'
import { json, jsonOrNull, number, optionalJson, optionalNumber, optionalText, text } from './columns.ts'
import { checkNotRetired } from './segments.ts'

export const versionColumns =
  'bucket_id, key, id, is_null, is_latest, is_marker, size, modified_ms, etag, storage_class, blob, blob_set, part_count, record, replication, seq, is_damaged, since_ms'

export function toVersion(row: Row): ObjectVersion {
  const blob = optionalText(row.blob)
  const blobSet = optionalText(row.blob_set)
  const partCount = optionalNumber(row.part_count)
  const replication = optionalJson<ReplicationState>(row.replication)
  return {
    bucketId: text(row.bucket_id),
    key: text(row.key),
    id: text(row.id),
    isNull: row.is_null === 1,
    isLatest: row.is_latest === 1,
    isDeleteMarker: row.is_marker === 1,
    size: number(row.size),
    lastModifiedMs: number(row.modified_ms),
    sinceMs: number(row.since_ms),
    etag: text(row.etag),
    storageClass: text(row.storage_class) as StorageClass, // checked on the way in
    record: recordOf(text(row.record), text(row.id)),
    seq: number(row.seq),
    ...(blob === undefined ? {} : { blob }),
    ...(blobSet === undefined ? {} : { blobSet }),
    ...(partCount === undefined ? {} : { partCount }),
    ...(replication === undefined ? {} : { replication }),
    ...(row.is_damaged === 1 ? { isDamaged: true } : {}),
  }
}

/** A record without what says nothing: a row has a third of the size, and is written and read in half the time. */
type StoredRecord = Omit<VersionRecord, 'user' | 'tags' | 'acl'> & Partial<VersionRecord>

/** The record of the version `id` as its row keeps it. */
export function recordText(id: string, { user, tags, acl, ...told }: VersionRecord): string {
  const stored: StoredRecord = {
    ...told,
    ...(user.length > 0 && { user }),
    ...(isUntouched(tags, id) ? {} : { tags }),
    ...(isUntouched(acl, id) ? {} : { acl }),
  }
  return JSON.stringify(stored)
}

/** Empty since the version was made. */
function isUntouched({ stamp, value }: Stamped<readonly unknown[]>, id: string): boolean {
  return stamp === id && value.length === 0
}

function recordOf(stored: string, id: string): VersionRecord {
  const untouched = { stamp: id, value: [] }
  return { user: [], tags: untouched, acl: untouched, ...json<StoredRecord>(stored) }
}

/** @throws S3Error ServiceUnavailable, see `checkNotRetired` */
export function* insertVersion(version: ObjectVersion): Steps<void> {
  if (version.blob !== undefined) yield* checkNotRetired(version.blob)
  yield statement(
    `INSERT INTO versions (${versionColumns})
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)`,
    version.bucketId,
    version.key,
    version.id,
    version.isNull ? 1 : 0,
    version.isLatest ? 1 : 0,
    version.isDeleteMarker ? 1 : 0,
    version.size,
    version.lastModifiedMs,
    version.etag,
    version.storageClass,
    version.blob ?? null,
    version.blobSet ?? null,
    version.partCount ?? null,
    recordText(version.id, version.record),
    jsonOrNull(version.replication),
    version.seq,
    version.isDamaged === true ? 1 : 0,
    version.sinceMs,
  )
}

/** A newer version of its key, of this Last-Modified, takes its place. */
export function* demote({ bucketId, key, id }: VersionPlace, sinceMs: number): Steps<void> {
  yield statement(
    'UPDATE versions SET is_latest = 0, since_ms = ?4 WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
    bucketId,
    key,
    id,
    sinceMs,
  )
}

/** The place of a version among all, in the order of their primary key. */
export interface VersionPlace {
  readonly bucketId: string
  readonly key: string
  readonly id: string
}

/** Versions of all buckets behind a place. */
export function* versionsAfter(place: VersionPlace, limit: number): Steps<readonly ObjectVersion[]> {
  const rows = yield statement(
    `SELECT ${versionColumns} FROM versions WHERE (bucket_id, key, id) > (?1, ?2, ?3) ORDER BY bucket_id, key, id LIMIT ?4`,
    place.bucketId,
    place.key,
    place.id,
    limit,
  )
  return rows.map(toVersion)
}

/** The version whose one blob this is. */
export function* versionOfBlob(blob: string): Steps<ObjectVersion | undefined> {
  const [row] = yield statement(`SELECT ${versionColumns} FROM versions WHERE blob = ?1`, blob)
  return row === undefined ? undefined : toVersion(row)
}

/** The newest version of a key, marker or not. */
export function* newestVersion(bucketId: string, key: string): Steps<ObjectVersion | undefined> {
  const [row] = yield statement(
    `SELECT ${versionColumns} FROM versions WHERE bucket_id = ?1 AND key = ?2 ORDER BY id LIMIT 1`,
    bucketId,
    key,
  )
  return versionAt(row, bucketId, key)
}

/** Versions of a key that are not current, the oldest first. */
export function* noncurrentFromOldest(of: {
  readonly bucketId: string
  readonly key: string
  /** Only those newer than this one. */
  readonly beforeId?: string | undefined
  readonly limit: number
}): Steps<readonly ObjectVersion[]> {
  const rows = yield statement(
    `SELECT ${versionColumns} FROM versions WHERE bucket_id = ?1 AND key = ?2 AND id < ?3 AND is_latest = 0 ORDER BY id DESC LIMIT ?4`,
    of.bucketId,
    of.key,
    of.beforeId ?? aboveAllIds,
    of.limit,
  )
  return rows.map(toVersion)
}

/** Ids have letters up to v. */
export const aboveAllIds = 'w'

/** One version by the id that clients use: `null` is the null version. */
export function* versionById(bucketId: string, key: string, versionId: string): Steps<ObjectVersion | undefined> {
  if (versionId === 'null') return yield* nullVersion(bucketId, key, yield* newestVersion(bucketId, key))
  const version = yield* versionByOrderedId(bucketId, key, versionId)
  return version?.isNull === true ? undefined : version
}

/** @param newest  of that key */
export function* nullVersion(bucketId: string, key: string, newest: ObjectVersion | undefined): Steps<ObjectVersion | undefined> {
  if (newest === undefined || newest.isNull) return newest
  const [row] = yield statement(
    `SELECT ${versionColumns} FROM versions WHERE bucket_id = ?1 AND key = ?2 AND is_null = 1 AND is_latest = 0`,
    bucketId,
    key,
  )
  return versionAt(row, bucketId, key)
}

/** One version by its ordered id, which a null version has too. */
export function* versionByOrderedId(bucketId: string, key: string, id: string): Steps<ObjectVersion | undefined> {
  const [row] = yield statement(`SELECT ${versionColumns} FROM versions WHERE bucket_id = ?1 AND key = ?2 AND id = ?3`, bucketId, key, id)
  return versionAt(row, bucketId, key)
}

/**
 * NOTE: where a tree of the database is damaged, a page written to another's place, SQLite ends at rows of other keys and does not look again: its
 * answer would be another object, whole and with fitting checksums.
 * @throws Error when the row is another key's
 */
function versionAt(row: Row | undefined, bucketId: string, key: string): ObjectVersion | undefined {
  if (row === undefined) return undefined
  if (row.bucket_id !== bucketId || row.key !== key)
    throw new Error(`The metadata is damaged: a row of ${String(row.key)} stands for ${key}.`)
  return toVersion(row)
}

/** Which of these blobs some version or part refers to. */
export function* referencedBlobs(blobs: readonly string[]): Steps<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const blob of blobs) {
    const rows = yield statement(
      'SELECT 1 AS found FROM versions WHERE blob = ?1 UNION ALL SELECT 1 FROM parts WHERE blob = ?1 UNION ALL SELECT 1 FROM garbage WHERE blob = ?1 LIMIT 1',
      blob,
    )
    if (rows.length > 0) found.add(blob)
  }
  return found
}
