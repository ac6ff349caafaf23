/**
 * Multipart uploads belong to whoever began them: what others may do with one, beside the permission for the action itself.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
 */
import type { Bucket } from '../model/bucket.ts'
import type { Initiator, UploadRecord } from '../model/upload.ts'
import { type Caller, isPrincipal, type Principal } from './caller.ts'

type Begun = Pick<UploadRecord, 'initiator' | 'ownerId'>

export function initiatorOf({ kind, arn, userId, canonicalId, session }: Principal): Initiator {
  // A role's next session goes on with what the last one began.
  const id = session?.kind === 'role' ? session.issuerId : userId
  return { id, arn, canonicalId, isRoot: kind === 'root' }
}

/** Whoever began it, and the root of that account. */
export function isInitiator(caller: Caller, { initiator, ownerId }: Begun): boolean {
  if (!isPrincipal(caller)) return false
  if (initiator === undefined) return caller.canonicalId === ownerId
  if (caller.canonicalId !== initiator.canonicalId) return false
  return caller.kind === 'root' || initiatorOf(caller).id === initiator.id
}

/** Adding parts and completing is for the initiator and for the account of the bucket: for nobody else, whatever he may put there otherwise. */
export function mayContinue(caller: Caller, upload: Begun, bucket: Pick<Bucket, 'ownerId'>): boolean {
  return (isPrincipal(caller) && caller.canonicalId === bucket.ownerId) || isInitiator(caller, upload)
}
