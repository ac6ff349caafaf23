/** What a client is told when the system refuses for a while: too many files are open, the disk was made read-only, a tier is away. */
import { BlobIoError, codeOf, NoDescriptors } from '../blobs/errors.ts'
import { S3Error } from '../model/errors.ts'
import { TierFull, TierRefused, TierUnavailable } from '../tiers/errors.ts'

/** Who comes again may be served. Any other error stays what it is. */
export function asUnavailable(cause: unknown): unknown {
  if (cause instanceof NoDescriptors) return new S3Error('ServiceUnavailable', { message: 'The server has too many files open.', cause })
  if (cause instanceof BlobIoError && codeOf(cause.cause) === 'EROFS') {
    return new S3Error('ServiceUnavailable', { message: 'The disk takes no writes.', cause })
  }
  if (isTierAway(cause)) {
    // What the tier itself says names places and credentials of the operator: it is for the log.
    const message = 'The place where the bytes of this object are kept cannot be reached now. Please try again later.'
    return new S3Error('ServiceUnavailable', { message, cause })
  }
  return cause
}

/** It says nothing about the blob: the tier cannot be used as things are. */
export function isTierAway(error: unknown): error is TierUnavailable | TierFull | TierRefused {
  return error instanceof TierUnavailable || error instanceof TierFull || error instanceof TierRefused
}
