/** The scans of `versions` that listings are made of: only what a listing tells, in key order. */
import type { StorageClass } from '../../model/storage-class.ts'
import type { ListedVersion, VersionRecord } from '../../model/version.ts'
import { type Row, type Steps, statement } from '../steps.ts'
import { json, number, text } from './columns.ts'

const columns = 'key, id, is_null, is_latest, is_marker, size, modified_ms, etag, storage_class, record, seq'

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

/** Rows that are read to see whether keys have more than one version here. */
const sampleRows = 32

/**
 * Current objects (no markers) in key order. The index of current versions passes over the old ones, however many; where nearly every version
 * is current, to read the rows where they lie costs half of that.
 */
export function* scanCurrent(scan: Scan): Steps<readonly ListedVersion[]> {
  const found: ListedVersion[] = []
  let { from } = scan
  for (let limit = Math.min(sampleRows, scan.limit); limit > 0; limit = scan.limit - found.length) {
    const rows = yield* scanRows({ ...scan, from, limit })
    const current = rows.filter(isCurrent)
    found.push(...current.map(toListed))
    const last = rows.at(-1)
    if (last === undefined || rows.length < limit) return found
    from = { key: text(last.key), after: true }
    if (current.length < rows.length) break
  }
  if (found.length < scan.limit) found.push(...(yield* scanIndex({ ...scan, from, limit: scan.limit - found.length })))
  return found
}

function* scanIndex({ bucketId, from, end = aboveAllKeys, limit }: Scan): Steps<readonly ListedVersion[]> {
  const rows = yield statement(
    `SELECT ${columns} FROM versions INDEXED BY versions_current
     WHERE bucket_id = ?1 AND key ${from.after ? '>' : '>='} ?2 AND key < ?3 AND is_latest = 1 AND is_marker = 0 ORDER BY key LIMIT ?4`,
    bucketId,
    from.key,
    end,
    limit,
  )
  return rows.map(toListed)
}

/**
 * All versions in the order key ascending, newest first.
 * @param scan.afterId  with `from` inclusive: begin behind this ordered id of that key
 */
export function* scanVersions(scan: Scan & { readonly afterId?: string }): Steps<readonly ListedVersion[]> {
  const { bucketId, from, afterId, limit } = scan
  if (afterId === undefined || from.after) return (yield* scanRows(scan)).map(toListed)
  const ofKey = yield statement(
    `SELECT ${columns} FROM versions WHERE bucket_id = ?1 AND key = ?2 AND id > ?3 ORDER BY id LIMIT ?4`,
    bucketId,
    from.key,
    afterId,
    limit,
  )
  if (ofKey.length >= limit) return ofKey.map(toListed)
  const behind = yield* scanRows({ ...scan, from: { key: from.key, after: true }, limit: limit - ofKey.length })
  return [...ofKey, ...behind].map(toListed)
}

function* scanRows({ bucketId, from, end = aboveAllKeys, limit }: Scan): Steps<readonly Row[]> {
  return yield statement(
    `SELECT ${columns} FROM versions WHERE bucket_id = ?1 AND key ${from.after ? '>' : '>='} ?2 AND key < ?3 ORDER BY key, id LIMIT ?4`,
    bucketId,
    from.key,
    end,
    limit,
  )
}

function isCurrent(row: Row): boolean {
  return row.is_latest === 1 && row.is_marker === 0
}

function toListed(row: Row): ListedVersion {
  const { ownerId, checksum, restore } = json<Pick<VersionRecord, 'ownerId' | 'checksum' | 'restore'>>(row.record)
  return {
    key: text(row.key),
    id: text(row.id),
    isNull: row.is_null === 1,
    isLatest: row.is_latest === 1,
    isDeleteMarker: row.is_marker === 1,
    size: number(row.size),
    lastModifiedMs: number(row.modified_ms),
    etag: text(row.etag),
    storageClass: text(row.storage_class) as StorageClass, // checked on the way in
    ownerId,
    checksum,
    restore,
  }
}
