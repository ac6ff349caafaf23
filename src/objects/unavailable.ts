/** What a client is told when the system refuses for a while: the process may open no more files, or the disk was made read-only. */
import { BlobIoError, codeOf, NoDescriptors } from '../blobs/errors.ts'
import { S3Error } from '../model/errors.ts'

/** Who comes again may be served. Any other error stays what it is. */
export function asUnavailable(cause: unknown): unknown {
  if (cause instanceof NoDescriptors) return new S3Error('ServiceUnavailable', { message: 'The server has too many files open.', cause })
  if (cause instanceof BlobIoError && codeOf(cause.cause) === 'EROFS') {
    return new S3Error('ServiceUnavailable', { message: 'The disk takes no writes.', cause })
  }
  return cause
}
