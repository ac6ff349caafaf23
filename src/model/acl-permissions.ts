/**
 * What the grants of an ACL open, in the words of policies.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions
 */
import { allUsers, authenticatedUsers, type Grant, type Permission } from './acl.ts'

/** Who asks: an account by its canonical id, or nobody. The group LogDelivery is never among those who ask. */
export interface AclAsker {
  readonly canonicalId: string | undefined
  /** Whether somebody with any account asks, for the group AuthenticatedUsers. */
  readonly isIdentified: boolean
  /** Whether groups that hold everybody count: not under IgnorePublicAcls. */
  readonly ignoresPublic: boolean
}

const bucketPermissions: Readonly<Record<string, Permission>> = {
  's3:ListBucket': 'READ',
  's3:ListBucketVersions': 'READ',
  's3:ListBucketMultipartUploads': 'READ',
  's3:PutObject': 'WRITE',
  's3:DeleteObject': 'WRITE',
  's3:GetBucketAcl': 'READ_ACP',
  's3:PutBucketAcl': 'WRITE_ACP',
}

const objectPermissions: Readonly<Record<string, Permission>> = {
  's3:GetObject': 'READ',
  's3:GetObjectVersion': 'READ',
  's3:GetObjectTorrent': 'READ',
  's3:GetObjectAcl': 'READ_ACP',
  's3:GetObjectVersionAcl': 'READ_ACP',
  's3:PutObjectAcl': 'WRITE_ACP',
  's3:PutObjectVersionAcl': 'WRITE_ACP',
}

/** Actions that the owner of an object decides about, whoever owns the bucket. */
export function isObjectOwnersAction(action: string): boolean {
  return Object.hasOwn(objectPermissions, action)
}

/**
 * Whether an ACL of the bucket allows the action. Versions are deleted by the bucket's owner alone, who needs no grant.
 * @param of.isNew  the object is being written: whoever may write it may say who may read it
 */
export function bucketAclAllows(
  grants: readonly Grant[],
  asker: AclAsker,
  { action, isNew }: { readonly action: string; readonly isNew: boolean },
): boolean {
  const isAclOfNew = action === 's3:PutObjectAcl' && isNew
  const needed = isAclOfNew ? 'WRITE' : Object.hasOwn(bucketPermissions, action) ? bucketPermissions[action] : undefined
  return needed !== undefined && grants.some((grant) => opens(grant, needed, asker))
}

export function objectAclAllows(grants: readonly Grant[], asker: AclAsker, action: string): boolean {
  const needed = Object.hasOwn(objectPermissions, action) ? objectPermissions[action] : undefined
  return needed !== undefined && grants.some((grant) => opens(grant, needed, asker))
}

function opens({ Grantee, Permission }: Grant, needed: Permission, { canonicalId, isIdentified, ignoresPublic }: AclAsker): boolean {
  if (Permission !== needed && Permission !== 'FULL_CONTROL') return false
  if (Grantee.Type === 'CanonicalUser') return Grantee.ID === canonicalId
  if (ignoresPublic) return false
  return Grantee.URI === allUsers || (Grantee.URI === authenticatedUsers && isIdentified)
}
