/** What PutObject, CopyObject and CreateMultipartUpload say about an object beside its bytes. */
import type { Grant, RequestedAcl } from '../../model/acl.ts'
import { parseAclHeaders } from '../../model/acl-headers.ts'
import { parseEncryptionHeaders } from '../../model/encryption.ts'
import { S3Error } from '../../model/errors.ts'
import { headerValue } from '../../model/headers.ts'
import { checkRetainUntil, parseLockHeaders, type RequestedLock } from '../../model/object-lock-input.ts'
import { parseStorageClass } from '../../model/storage-class.ts'
import { parseTaggingHeader } from '../../model/tags.ts'
import { parseSystemMetadata, parseUserMetadata } from '../../model/user-metadata.ts'
import type { ObjectAttributes } from '../../objects/put.ts'
import type { OperationContext } from '../../s3/define.ts'
import { header, headers, type InputOf } from '../../s3/members.ts'
import type { ReplyHeaders } from '../../s3/reply.ts'
import { grantsToStore } from './acl.ts'
import { knownUsers } from './known-users.ts'
import { checkBucketHasLock } from './object-lock.ts'
import { newObjectTarget, writerId } from './targets.ts'

/** All of them refuse by name what this server does not do yet. */
export const attributeMembers = {
  Encryption: headers(parseEncryptionHeaders),
  StorageClass: headers((all) => parseStorageClass(headerValue(all, 'x-amz-storage-class'))),
  System: headers(parseSystemMetadata),
  User: headers(parseUserMetadata),
  Tagging: header('x-amz-tagging').map(parseTaggingHeader).optional(),
  Acl: headers(parseAclHeaders),
  Lock: headers(parseLockHeaders),
}

type AttributeInput = InputOf<typeof attributeMembers> & { readonly Key: string }

/** @throws S3Error AccessDenied (to tag, grant or lock), and as the bucket's rules for ACLs decide */
export async function attributesOf(context: OperationContext, input: AttributeInput): Promise<ObjectAttributes> {
  const { Key, Encryption, StorageClass, System, User, Tagging = [], Lock } = input
  if (Tagging.length > 0) await context.authorize('s3:PutObjectTagging', newObjectTarget(context, Key, Tagging))
  const acl = await aclOf(context, input)
  await checkLock(context, Key, Lock)
  return { ...acl, ...Lock, storageClass: StorageClass, system: System, user: User, tags: Tagging, encryption: Encryption }
}

/** @throws S3Error AccessDenied | InvalidRequest (a bucket without lock) | InvalidArgument (a date that has passed) */
async function checkLock(context: OperationContext, key: string, lock: RequestedLock): Promise<void> {
  const { retention, legalHold } = lock
  if (retention === undefined && legalHold === undefined) return
  const target = { ...newObjectTarget(context, key), lock }
  if (retention !== undefined) await context.authorize('s3:PutObjectRetention', target)
  if (legalHold !== undefined) await context.authorize('s3:PutObjectLegalHold', target)
  checkBucketHasLock(context.bucket)
  checkRetainUntil(retention, context.nowMs)
}

/** @throws as `attributesOf` */
export async function aclOf(
  context: OperationContext,
  { Key, Acl }: { readonly Key: string; readonly Acl: RequestedAcl | undefined },
): Promise<Pick<ObjectAttributes, 'ownerId' | 'acl'>> {
  const { bucket } = context
  const isGiven =
    Acl?.kind === 'canned' && Acl.canned === 'bucket-owner-full-control' && bucket.settings.ownership === 'BucketOwnerPreferred'
  const ownerId = isGiven ? bucket.ownerId : writerId(context)
  if (Acl === undefined) return { ownerId, acl: [] }
  await context.authorize('s3:PutObjectAcl', newObjectTarget(context, Key))
  return { ownerId, acl: await storedGrants(context, { requested: Acl, ownerId }) }
}

/** The grants as a version keeps them: none stands for the owner alone. */
export async function storedGrants(
  { bucket, services }: Pick<OperationContext, 'bucket' | 'services'>,
  { requested, ownerId }: { readonly requested: RequestedAcl; readonly ownerId: string },
): Promise<readonly Grant[]> {
  const isKnownUser = await knownUsers(services.control, requested, [ownerId, bucket.ownerId])
  const grants = grantsToStore(requested, { of: 'object', bucket, owner: { ID: ownerId }, isKnownUser })
  // Stored, no grants would mean the owner's own.
  if (grants.length === 0) throw new S3Error('NotImplemented', { message: 'An ACL without any grant is not supported by this server.' })
  return isOwnerAlone(grants, ownerId) ? [] : grants
}

function isOwnerAlone(grants: readonly Grant[], ownerId: string): boolean {
  const [only] = grants
  return grants.length === 1 && only?.Permission === 'FULL_CONTROL' && only.Grantee.Type === 'CanonicalUser' && only.Grantee.ID === ownerId
}

export function encryptionHeader(isEncrypted: boolean): ReplyHeaders {
  return isEncrypted ? { 'x-amz-server-side-encryption': 'AES256' } : {}
}
