/** Rows of `versions`, to values and back, and the lookups by which transactions and readers find them. */
import type { ReplicationState } from '../../model/replication-status.ts'
import type { StorageClass } from '../../model/storage-class.ts'
import type { ObjectVersion, VersionRecord } from '../../model/version.ts'
import { type Row, type Steps, statement } from '../steps.ts'
import { json, jsonOrNull, number, optionalJson, optionalNumber, optionalText, text } from './columns.ts'

export const versionColumns =
  'bucket_id, key, id, is_null, is_latest, is_marker, size, modified_ms, etag, storage_class, blob, blob_set, part_count, record, replication, seq'

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
    etag: text(row.etag),
    storageClass: text(row.storage_class) as StorageClass, // checked on the way in
    record: json<VersionRecord>(row.record),
    seq: number(row.seq),
    ...(blob === undefined ? {} : { blob }),
    ...(blobSet === undefined ? {} : { blobSet }),
    ...(partCount === undefined ? {} : { partCount }),
    ...(replication === undefined ? {} : { replication }),
  }
}

export function* insertVersion(version: ObjectVersion): Steps<void> {
  yield statement(
    `INSERT INTO versions (${versionColumns})
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)`,
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
    JSON.stringify(version.record),
    jsonOrNull(version.replication),
    version.seq,
  )
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

/** One version by the id that clients use: `null` is the null version. */
export function* versionById(bucketId: string, key: string, versionId: string): Steps<ObjectVersion | undefined> {
  const [row] =
    versionId === 'null'
      ? yield statement(`SELECT ${versionColumns} FROM versions WHERE bucket_id = ?1 AND key = ?2 AND is_null = 1`, bucketId, key)
      : yield statement(
          `SELECT ${versionColumns} FROM versions WHERE bucket_id = ?1 AND key = ?2 AND id = ?3 AND is_null = 0`,
          bucketId,
          key,
          versionId,
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

/** Longer than any key may be, of the highest code point: a scan without an end stops below it. */
export const aboveAllKeys = '\u{10ffff}'.repeat(257)

/** Where a scan of keys begins: at the first key at or (`after`) above this one. */
export interface KeyBound {
  readonly key: string
  readonly after: boolean
}

interface Scan {
  readonly bucketId: string
  readonly from: KeyBound
  /** Keys at or above this one are left out. */
  readonly end?: string
  readonly limit: number
}

/** Current objects (no markers) in key order. */
export function* scanCurrent(scan: Scan): Steps<readonly ObjectVersion[]> {
  const rows = scan.from.after
    ? yield statement(
        `SELECT ${versionColumns} FROM versions INDEXED BY versions_current
         WHERE bucket_id = ?1 AND key > ?2 AND key < ?3 AND is_latest = 1 AND is_marker = 0 ORDER BY key LIMIT ?4`,
        scan.bucketId,
        scan.from.key,
        scan.end ?? aboveAllKeys,
        scan.limit,
      )
    : yield statement(
        `SELECT ${versionColumns} FROM versions INDEXED BY versions_current
         WHERE bucket_id = ?1 AND key >= ?2 AND key < ?3 AND is_latest = 1 AND is_marker = 0 ORDER BY key LIMIT ?4`,
        scan.bucketId,
        scan.from.key,
        scan.end ?? aboveAllKeys,
        scan.limit,
      )
  return rows.map(toVersion)
}

/**
 * All versions in the order key ascending, newest first.
 * @param scan.afterId  with `from` inclusive: begin behind this ordered id of that key
 */
export function* scanVersions(scan: Scan & { readonly afterId?: string }): Steps<readonly ObjectVersion[]> {
  const found: ObjectVersion[] = []
  let from = scan.from
  if (scan.afterId !== undefined && !from.after) {
    const rows = yield statement(
      `SELECT ${versionColumns} FROM versions WHERE bucket_id = ?1 AND key = ?2 AND id > ?3 ORDER BY id LIMIT ?4`,
      scan.bucketId,
      from.key,
      scan.afterId,
      scan.limit,
    )
    found.push(...rows.map(toVersion))
    from = { key: from.key, after: true }
  }
  if (found.length >= scan.limit) return found
  const rows = from.after
    ? yield statement(
        `SELECT ${versionColumns} FROM versions
         WHERE bucket_id = ?1 AND key > ?2 AND key < ?3 ORDER BY key, id LIMIT ?4`,
        scan.bucketId,
        from.key,
        scan.end ?? aboveAllKeys,
        scan.limit - found.length,
      )
    : yield statement(
        `SELECT ${versionColumns} FROM versions
         WHERE bucket_id = ?1 AND key >= ?2 AND key < ?3 ORDER BY key, id LIMIT ?4`,
        scan.bucketId,
        from.key,
        scan.end ?? aboveAllKeys,
        scan.limit - found.length,
      )
  found.push(...rows.map(toVersion))
  return found
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

/** Whether some version or part refers to a blob whose reference lies in [from, end). */
export function* isBlobRangeReferenced(from: string, end: string): Steps<boolean> {
  const rows = yield statement(
    `SELECT 1 AS found FROM versions WHERE blob >= ?1 AND blob < ?2
     UNION ALL SELECT 1 FROM parts WHERE blob >= ?1 AND blob < ?2 LIMIT 1`,
    from,
    end,
  )
  return rows.length > 0
}
