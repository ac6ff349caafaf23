/** May this caller do that? One account so far: its root may do everything with what it owns, and nobody else anything. */
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import type { Caller } from './caller.ts'

/** @throws S3Error AccessDenied */
export function authorize(request: { readonly caller: Caller; readonly action: string; readonly bucket: Bucket | undefined }): void {
  const { caller, bucket } = request
  switch (caller.kind) {
    case 'root':
      if (bucket === undefined || bucket.ownerId === caller.canonicalId) return
      break
    // No policy of a user or a session is read yet.
    case 'user':
    case 'session':
    case 'anonymous':
    // A region acts for a replication role, and that is judged delivery by delivery; it has no business with S3's own operations.
    case 'peer':
      break
    default:
      caller satisfies never
  }
  throw new S3Error('AccessDenied')
}
