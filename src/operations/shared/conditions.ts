/** Conditional requests on the wire, and the order in which a conditional write judges them. */
import type { ReadConditions, WriteConditions } from '../../model/conditions.ts'
import { checkWriteConditions } from '../../model/conditions.ts'
import { S3Error } from '../../model/errors.ts'
import { headerValue } from '../../model/headers.ts'
import type { OperationContext } from '../../s3/define.ts'
import { headers, type Member } from '../../s3/members.ts'
import { objectTarget } from './targets.ts'

/** @param prefix of the four headers: '' of a read, `x-amz-copy-source-` of a copy's source */
export function readConditions(prefix = ''): Member<ReadConditions> {
  return headers((all) => ({
    ifMatch: headerValue(all, `${prefix}if-match`),
    ifNoneMatch: headerValue(all, `${prefix}if-none-match`),
    ifModifiedSince: headerValue(all, `${prefix}if-modified-since`),
    ifUnmodifiedSince: headerValue(all, `${prefix}if-unmodified-since`),
  }))
}

/** undefined: the write asks for nothing. */
export function writeConditions(): Member<WriteConditions | undefined> {
  return headers((all) => {
    const ifMatch = headerValue(all, 'if-match')
    const ifNoneMatch = headerValue(all, 'if-none-match')
    return ifMatch === undefined && ifNoneMatch === undefined ? undefined : { ifMatch, ifNoneMatch }
  })
}

export interface ConditionalWrite {
  readonly key: string
  readonly conditions: WriteConditions | undefined
}

/**
 * Judges the conditions before the body is read, so that a refusal costs the client no upload; the commit judges them again.
 * An If-Match that held at first and no longer does lost a race, which is an answer of its own. If-None-Match stays 412 then: the first of
 * several writers wins, and the others find the key taken.
 * @throws S3Error AccessDenied | PreconditionFailed | NoSuchKey | ConditionalRequestConflict, and what the write throws
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export async function conditionally<T>(
  context: OperationContext,
  { key, conditions }: ConditionalWrite,
  write: () => Promise<T>,
): Promise<T> {
  if (conditions === undefined) return await write()
  const { bucket, services } = context
  // Its answer tells what is there: S3 asks for the right to read it.
  if (conditions.ifMatch !== undefined) await context.authorize('s3:GetObject', objectTarget(context, key))
  checkWriteConditions(conditions, await services.objects.current({ bucket, key }), key)
  try {
    return await write()
  } catch (error) {
    throw conditions.ifMatch !== undefined && isLostRace(error)
      ? new S3Error('ConditionalRequestConflict', { details: { Condition: 'If-Match', Key: key }, cause: error })
      : error
  }
}

function isLostRace(error: unknown): boolean {
  if (!(error instanceof S3Error)) return false
  return error.code === 'NoSuchKey' || (error.code === 'PreconditionFailed' && error.details['Condition'] === 'If-Match')
}
