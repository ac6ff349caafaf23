/** Object Lock in requests and answers: who may bypass it, who is told of it, and what a locked write must bring. */
import type { Bucket } from '../../model/bucket.ts'
import { S3Error } from '../../model/errors.ts'
import { headerValue } from '../../model/headers.ts'
import { readLegalHold, readRetention } from '../../model/object-lock.ts'
import { lockHeaderNames, type RequestedLock } from '../../model/object-lock-input.ts'
import type { ObjectVersion } from '../../model/version.ts'
import type { ContentClaims } from '../../objects/content.ts'
import type { OperationContext, Target } from '../../s3/define.ts'
import { headers } from '../../s3/members.ts'
import type { ReplyHeaders } from '../../s3/reply.ts'
import { isoTime } from '../../s3/xml/write.ts'
import { objectTarget } from './targets.ts'

/** Whether the request asks to bypass GOVERNANCE; the console of AWS and some tools always do. */
export const bypassMember = {
  Bypass: headers((all) => headerValue(all, 'x-amz-bypass-governance-retention')?.toLowerCase() === 'true'),
}

/** Whether it may, too. Who asks and may not is as one who does not ask: what is not locked is nothing to bypass. */
export async function mayBypass(
  context: OperationContext,
  isAsked: boolean,
  { target, version }: { readonly target: Target; readonly version?: ObjectVersion },
): Promise<boolean> {
  return isAsked && (await isAllowed(context, 's3:BypassGovernanceRetention', { target, version }))
}

/** @throws S3Error InvalidRequest */
export function checkBucketHasLock({ settings }: Bucket): void {
  if (settings.objectLock === undefined) throw new S3Error('InvalidRequest', { message: 'Bucket is missing Object Lock Configuration' })
}

/**
 * What is to be kept unchanged must have arrived unchanged.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-put-object
 * @param what  S3's words for what is put
 * @throws S3Error InvalidRequest
 */
export function checkLockedContent(
  { settings }: Bucket,
  { lock, claims, what }: { readonly lock: RequestedLock; readonly claims: ContentClaims; readonly what: 'Object' | 'Part' },
): void {
  const isLocked = lock.retention !== undefined || lock.legalHold !== undefined || settings.objectLock?.defaultRetention !== undefined
  if (!isLocked || claims.contentMd5 !== undefined || claims.checksum !== undefined) return
  throw new S3Error('InvalidRequest', {
    message: `Content-MD5 OR x-amz-checksum- HTTP header is required for Put ${what} requests with Object Lock parameters`,
  })
}

/** The headers of GET and HEAD, each only for those who may read what it tells. */
export async function lockHeaders(
  context: OperationContext,
  { version, versionId }: { readonly version: ObjectVersion; readonly versionId: string | undefined },
): Promise<ReplyHeaders> {
  const { record } = version
  const retention = readRetention(record)
  const hold = record.legalHold === undefined ? undefined : readLegalHold(record)
  const of = { target: objectTarget(context, version.key, versionId), version }
  const tellsRetention = typeof retention === 'object' && (await isAllowed(context, 's3:GetObjectRetention', of))
  const tellsHold = typeof hold === 'boolean' && (await isAllowed(context, 's3:GetObjectLegalHold', of))
  return {
    ...(tellsRetention && { [lockHeaderNames.mode]: retention.mode, [lockHeaderNames.retainUntil]: isoTime(retention.untilMs) }),
    ...(tellsHold && { [lockHeaderNames.legalHold]: hold ? 'ON' : 'OFF' }),
  }
}

/** A version whose row is damaged is kept, and nobody can say for how long. */
export function unreadableLock(): S3Error {
  return new S3Error('ServiceUnavailable', { message: 'The lock of this version cannot be read. It is kept as locked.' })
}

async function isAllowed(
  context: OperationContext,
  action: string,
  { target, version }: { readonly target: Target; readonly version?: ObjectVersion | undefined },
): Promise<boolean> {
  try {
    const confirm = await context.authorize(action, target)
    if (version !== undefined) confirm?.(version)
    return true
  } catch (error) {
    if (!(error instanceof S3Error) || error.code !== 'AccessDenied') throw error
    return false
  }
}
