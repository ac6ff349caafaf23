/**
 * Conditional reads, writes, deletes and copies. ETags are bare inside (see etag.ts).
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html and RFC 9110 §13
 */
import { S3Error } from './errors.ts'
import { quoteEtag, unquoteEtag } from './etag.ts'
import { parseHttpDate } from './http-date.ts'

/** Header values as they came; one that cannot be read as a date is passed over. */
export interface ReadConditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
  readonly ifModifiedSince?: string | undefined
  readonly ifUnmodifiedSince?: string | undefined
}

export interface WriteConditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

/** What a read would answer with. */
export interface Validators {
  readonly etag: string
  readonly lastModifiedMs: number
}

/** The current version of a key, as far as a write's conditions ask. */
export interface CurrentVersion {
  readonly etag: string
  readonly isDeleteMarker: boolean
}

/**
 * @throws S3Error PreconditionFailed (412) | NotModified (304, with ETag and Last-Modified on the answer)
 */
export function checkReadConditions(conditions: ReadConditions, current: Validators): void {
  const failed = failedCondition(conditions, current)
  if (failed === undefined) return
  if (failed === 'If-Match' || failed === 'If-Unmodified-Since') throw preconditionFailed(failed)
  throw new S3Error('NotModified', {
    headers: { etag: quoteEtag(current.etag), 'last-modified': new Date(current.lastModifiedMs).toUTCString() },
  })
}

/**
 * The `x-amz-copy-source-if-*` of a copy; the same rules as a read, but there is no 304.
 * @throws S3Error PreconditionFailed
 */
export function checkCopySourceConditions(conditions: ReadConditions, source: Validators): void {
  const failed = failedCondition(conditions, source)
  if (failed !== undefined) throw preconditionFailed(`x-amz-copy-source-${failed}`)
}

/**
 * The conditions of PutObject, CopyObject and CompleteMultipartUpload on the key they write; a delete marker counts as absent.
 * If-None-Match takes an ETag too, not only `*`: AWS answers 501 there, clients of self-hosted servers expect it to work.
 * @throws S3Error PreconditionFailed | NoSuchKey (If-Match, and there is nothing)
 */
export function checkWriteConditions(conditions: WriteConditions, current: CurrentVersion | undefined, key?: string): void {
  const etag = current === undefined || current.isDeleteMarker ? undefined : current.etag
  if (conditions.ifMatch !== undefined) {
    if (etag === undefined) throw new S3Error('NoSuchKey', key === undefined ? {} : { details: { Key: key } })
    if (!matches(conditions.ifMatch, etag, 'strong')) throw preconditionFailed('If-Match')
  }
  if (conditions.ifNoneMatch !== undefined && etag !== undefined && matches(conditions.ifNoneMatch, etag, 'weak')) {
    throw preconditionFailed('If-None-Match')
  }
}

/**
 * If-Match of DeleteObject, and `<ETag>` of an entry of DeleteObjects. Deleting what is not there is fine.
 * @throws S3Error PreconditionFailed
 */
export function checkDeleteConditions(conditions: { readonly ifMatch?: string | undefined }, current: CurrentVersion | undefined): void {
  if (conditions.ifMatch === undefined || current === undefined || current.isDeleteMarker) return
  if (!matches(conditions.ifMatch, current.etag, 'strong')) throw preconditionFailed('If-Match')
}

/** RFC 9110 §13.2.2: a test by ETag silences the test by date that stands for the same. */
function failedCondition(conditions: ReadConditions, current: Validators): string | undefined {
  const modifiedMs = Math.floor(current.lastModifiedMs / 1000) * 1000
  if (conditions.ifMatch !== undefined) {
    if (!matches(conditions.ifMatch, current.etag, 'strong')) return 'If-Match'
  } else {
    const sinceMs = parseHttpDate(conditions.ifUnmodifiedSince)
    if (sinceMs !== undefined && modifiedMs > sinceMs) return 'If-Unmodified-Since'
  }
  if (conditions.ifNoneMatch !== undefined) {
    if (matches(conditions.ifNoneMatch, current.etag, 'weak')) return 'If-None-Match'
  } else {
    const sinceMs = parseHttpDate(conditions.ifModifiedSince)
    if (sinceMs !== undefined && modifiedMs <= sinceMs) return 'If-Modified-Since'
  }
  return undefined
}

/** Whether a list of ETags (quoted, weak or bare, separated by commas; or `*`) names this one. A weak tag never matches strongly. */
function matches(list: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  for (const item of list.split(',')) {
    const tag = item.trim()
    if (tag === '*') return true
    const isWeak = tag.startsWith('W/')
    if (isWeak && comparison === 'strong') continue
    if (unquoteEtag(isWeak ? tag.slice(2) : tag) === etag) return true
  }
  return false
}

function preconditionFailed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', { details: { Condition: condition } })
}
