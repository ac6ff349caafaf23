/** Multipart uploads: begun, fed part by part, and turned into a version without copying a byte. */
import type { WriteConditions } from '../../model/conditions.ts'
import { checkWriteConditions } from '../../model/conditions.ts'
import { S3Error } from '../../model/errors.ts'
import type { Upload, UploadOutcome, UploadRecord } from '../../model/upload.ts'
import type { Part, StoredChecksum } from '../../model/version.ts'
import { type Row, type Steps, statement, type TransactionContext } from '../steps.ts'
import { activeBucket } from './buckets.ts'
import { json, jsonOrNull, number, optionalJson, optionalText, text } from './columns.ts'
import { checkNotRetired } from './segments.ts'
import { newestVersion } from './version-rows.ts'
import { aboveAllKeys } from './version-scans.ts'
import { type MadeVersion, makeVersion, type NewVersion } from './versions.ts'

const columns = 'id, bucket_id, key, state, initiated_ms, record, outcome'

/** @throws S3Error NoSuchUpload when there is none of that id for this bucket and key */
export function* uploadById(of: { readonly bucketId: string; readonly key: string; readonly uploadId: string }): Steps<Upload> {
  const [row] = yield statement(`SELECT ${columns} FROM uploads WHERE id = ?1`, of.uploadId)
  const upload = row === undefined ? undefined : toUpload(row)
  if (upload === undefined || upload.bucketId !== of.bucketId || upload.key !== of.key) {
    throw new S3Error('NoSuchUpload', { details: { UploadId: of.uploadId } })
  }
  return upload
}

/** Open uploads by key, then by the time they began. */
export function* scanUploads(scan: {
  readonly bucketId: string
  readonly from: { readonly key: string; readonly after: boolean }
  /** With `from` inclusive: begin behind this upload of that key. */
  readonly afterUploadId?: string
  /** Keys at or above this one are left out. */
  readonly end?: string
  readonly limit: number
}): Steps<readonly Upload[]> {
  const rows =
    scan.afterUploadId === undefined || scan.from.after
      ? yield statement(
          `SELECT ${columns} FROM uploads INDEXED BY uploads_open WHERE bucket_id = ?1 AND state = 'open'
             AND key >= ?2 AND NOT (?3 AND key = ?2) AND key < ?4 ORDER BY key, id DESC LIMIT ?5`,
          scan.bucketId,
          scan.from.key,
          scan.from.after ? 1 : 0,
          scan.end ?? aboveAllKeys,
          scan.limit,
        )
      : yield statement(
          `SELECT ${columns} FROM uploads INDEXED BY uploads_open WHERE bucket_id = ?1 AND state = 'open'
             AND key >= ?2 AND (key > ?2 OR id < ?3) AND key < ?4 ORDER BY key, id DESC LIMIT ?5`,
          scan.bucketId,
          scan.from.key,
          scan.afterUploadId,
          scan.end ?? aboveAllKeys,
          scan.limit,
        )
  return rows.map(toUpload)
}

/** Open uploads of all buckets, by id. */
export function* uploadsAfter(id: string, limit: number): Steps<readonly Upload[]> {
  const rows = yield statement(`SELECT ${columns} FROM uploads WHERE id > ?1 AND state = 'open' ORDER BY id LIMIT ?2`, id, limit)
  return rows.map(toUpload)
}

/** Open uploads of a bucket that began until then, oldest first, behind a place. */
export function* uploadsBegunUntil(of: {
  readonly bucketId: string
  readonly untilMs: number
  readonly after: { readonly initiatedMs: number; readonly id: string }
  readonly limit: number
}): Steps<readonly Upload[]> {
  const rows = yield statement(
    `SELECT ${columns} FROM uploads INDEXED BY uploads_age WHERE bucket_id = ?1 AND state = 'open' AND initiated_ms <= ?2
       AND (initiated_ms, id) > (?3, ?4) ORDER BY initiated_ms, id LIMIT ?5`,
    of.bucketId,
    of.untilMs,
    of.after.initiatedMs,
    of.after.id,
    of.limit,
  )
  return rows.map(toUpload)
}

/** Parts of an upload or of a completed version, by number. */
export function* partsOf(blobSet: string, page: { readonly afterNumber: number; readonly limit: number }): Steps<readonly Part[]> {
  const rows = yield statement(
    `SELECT number, blob, size, etag, checksum, sealed_key, modified_ms, seq FROM parts
     WHERE blob_set = ?1 AND number > ?2 ORDER BY number LIMIT ?3`,
    blobSet,
    page.afterNumber,
    page.limit,
  )
  return rows.map(toPart)
}

/** Of all parts of an upload together. */
export function* partsBytes(blobSet: string): Steps<number> {
  const [row] = yield statement('SELECT coalesce(sum(size), 0) AS bytes FROM parts WHERE blob_set = ?1', blobSet)
  return number(row?.bytes)
}

/** @throws S3Error NoSuchBucket */
function* createUpload(
  input: { readonly id: string; readonly bucketId: string; readonly key: string; readonly record: UploadRecord },
  { seq, nowMs }: TransactionContext,
): Steps<{ readonly initiatedMs: number }> {
  yield* activeBucket(input.bucketId)
  yield statement(
    `INSERT INTO uploads (${columns}, seq) VALUES (?1, ?2, ?3, 'open', ?4, ?5, NULL, ?6)`,
    input.id,
    input.bucketId,
    input.key,
    nowMs,
    JSON.stringify(input.record),
    seq,
  )
  return { initiatedMs: nowMs }
}

/** Keeps a part, in place of one of the same number. @throws S3Error NoSuchUpload */
function* putPart(
  input: { readonly bucketId: string; readonly key: string; readonly uploadId: string; readonly part: Omit<Part, 'lastModifiedMs'> },
  { seq, nowMs }: TransactionContext,
): Steps<{ readonly lastModifiedMs: number }> {
  yield* activeBucket(input.bucketId)
  const upload = yield* uploadById(input)
  if (upload.state !== 'open') throw new S3Error('NoSuchUpload', { details: { UploadId: upload.id } })
  const { part } = input
  yield statement(
    'INSERT INTO garbage (blob, seq) SELECT blob, ?3 FROM parts WHERE blob_set = ?1 AND number = ?2',
    upload.id,
    part.number,
    seq,
  )
  yield* insertPart(upload.id, { ...part, lastModifiedMs: nowMs }, seq)
  return { lastModifiedMs: nowMs }
}

/** Writes one part's row: also that of a version which arrives whole from another region. */
export function* insertPart(blobSet: string, part: Part, seq: number): Steps<void> {
  yield* checkNotRetired(part.blob)
  yield statement(
    `INSERT OR REPLACE INTO parts (blob_set, number, blob, size, etag, checksum, sealed_key, modified_ms, seq)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
    blobSet,
    part.number,
    part.blob,
    part.size,
    part.etag,
    jsonOrNull(part.checksum),
    part.encryption?.sealedKey ?? null,
    part.lastModifiedMs,
    seq,
  )
}

type ChosenPart = Pick<Part, 'number' | 'etag' | 'size'>

/**
 * Makes the version out of the parts that the caller chose; the others go to garbage.
 * The caller has judged the part list; this makes sure that it still holds. @throws S3Error NoSuchUpload, InvalidPart, PreconditionFailed; VersionIdBehind
 */
function* completeUpload(
  input: {
    readonly uploadId: string
    readonly version: NewVersion
    /** The parts chosen, ascending, as the caller judged them. Their refs are not named: compaction may have changed them since. */
    readonly parts: readonly ChosenPart[]
    readonly outcome: Omit<UploadOutcome, 'versionId' | 'isVersioned'>
    readonly conditions?: WriteConditions
  },
  context: TransactionContext,
): Steps<MadeVersion> {
  const { version } = input
  const bucket = yield* activeBucket(version.bucketId)
  const upload = yield* uploadById({ bucketId: bucket.id, key: version.key, uploadId: input.uploadId })
  if (upload.state !== 'open') throw new S3Error('NoSuchUpload', { details: { UploadId: upload.id } })
  const newest = yield* newestVersion(bucket.id, version.key)
  if (input.conditions !== undefined) checkWriteConditions(input.conditions, newest)
  yield* keepChosenParts(upload.id, input.parts, context)
  const made = yield* makeVersion({ bucket, newest, made: version, isDeleteMarker: false }, context)
  const outcome: UploadOutcome = {
    ...input.outcome,
    versionId: made.version.isNull ? 'null' : made.version.id,
    isVersioned: made.isVersioned,
  }
  yield statement(
    `UPDATE uploads SET state = 'completed', outcome = ?2, seq = ?3, completed_ms = ?4 WHERE id = ?1`,
    upload.id,
    JSON.stringify(outcome),
    context.seq,
    context.nowMs,
  )
  return made
}

function* keepChosenParts(uploadId: string, chosen: readonly ChosenPart[], { seq }: TransactionContext): Steps<void> {
  const rows = yield statement('SELECT number, blob, etag, size FROM parts WHERE blob_set = ?1', uploadId)
  const standing = new Map(rows.map((row) => [number(row.number), row]))
  for (const part of chosen) {
    const row = standing.get(part.number)
    // A part was uploaded anew between the judgement and this commit.
    if (row?.etag !== part.etag || row.size !== part.size) {
      throw new S3Error('InvalidPart', { details: { UploadId: uploadId, PartNumber: part.number } })
    }
    standing.delete(part.number)
  }
  for (const [partNumber, row] of standing) {
    yield statement('INSERT INTO garbage (blob, seq) VALUES (?1, ?2)', text(row.blob), seq)
    yield statement('DELETE FROM parts WHERE blob_set = ?1 AND number = ?2', uploadId, partNumber)
  }
}

/** Ends an upload and frees its parts. @throws S3Error NoSuchBucket, NoSuchUpload */
export function* abortUpload(
  input: { readonly bucketId: string; readonly key: string; readonly uploadId: string },
  { seq }: TransactionContext,
): Steps<void> {
  yield* activeBucket(input.bucketId)
  const upload = yield* uploadById(input)
  // A completed upload's parts are a version's content now.
  if (upload.state !== 'open') throw new S3Error('NoSuchUpload', { details: { UploadId: upload.id } })
  yield statement('INSERT INTO garbage (blob, seq) SELECT blob, ?2 FROM parts WHERE blob_set = ?1', upload.id, seq)
  yield statement('DELETE FROM parts WHERE blob_set = ?1', upload.id)
  yield statement('DELETE FROM uploads WHERE id = ?1', upload.id)
}

/** Forgets what the oldest completed uploads answered. Their versions stay. */
function* forgetCompletedUploads(
  input: { readonly completedBeforeMs: number; readonly limit: number },
  _context: TransactionContext,
): Steps<{ readonly forgotten: number }> {
  const [row] = yield statement(
    `DELETE FROM uploads WHERE id IN
       (SELECT id FROM uploads INDEXED BY uploads_completed WHERE completed_ms < ?1 ORDER BY completed_ms LIMIT ?2)`,
    input.completedBeforeMs,
    input.limit,
  )
  return { forgotten: number(row?.changes) }
}

export const uploadTransactions = { createUpload, putPart, completeUpload, abortUpload, forgetCompletedUploads } as const

function toUpload(row: Row): Upload {
  const outcome = optionalJson<UploadOutcome>(row.outcome)
  return {
    id: text(row.id),
    bucketId: text(row.bucket_id),
    key: text(row.key),
    state: text(row.state) as Upload['state'], // written by this file only
    initiatedMs: number(row.initiated_ms),
    record: json<UploadRecord>(row.record),
    ...(outcome === undefined ? {} : { outcome }),
  }
}

export function toPart(row: Row): Part {
  const checksum = optionalJson<StoredChecksum>(row.checksum)
  const sealedKey = optionalText(row.sealed_key)
  return {
    number: number(row.number),
    blob: text(row.blob),
    size: number(row.size),
    etag: text(row.etag),
    lastModifiedMs: number(row.modified_ms),
    ...(checksum === undefined ? {} : { checksum }),
    ...(sealedKey === undefined ? {} : { encryption: { algorithm: 'AES256', sealedKey } }),
  }
}
