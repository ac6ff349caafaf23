/**
 * Access control lists: what a request asks for, what it comes to, and where it is allowed. What a grant opens is decided elsewhere.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
 */
import type { ObjectOwnership, PublicAccessBlock } from './bucket.ts'
import { S3Error } from './errors.ts'
import { grantsMax } from './limits.ts'

export type Permission = 'FULL_CONTROL' | 'READ' | 'WRITE' | 'READ_ACP' | 'WRITE_ACP'

export const permissions: readonly Permission[] = ['FULL_CONTROL', 'READ', 'WRITE', 'READ_ACP', 'WRITE_ACP']

export interface Owner {
  /** Canonical user id. */
  readonly ID: string
}

/** `Type` is `xsi:type` on the wire. */
export type Grantee = { readonly Type: 'CanonicalUser'; readonly ID: string } | { readonly Type: 'Group'; readonly URI: string }

export interface Grant {
  readonly Grantee: Grantee
  readonly Permission: Permission
}

export interface AccessControlPolicy {
  readonly Owner: Owner
  readonly Grants: readonly Grant[]
}

export const allUsers = 'http://acs.amazonaws.com/groups/global/AllUsers'
export const authenticatedUsers = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers'
export const logDelivery = 'http://acs.amazonaws.com/groups/s3/LogDelivery'
const groups: readonly string[] = [allUsers, authenticatedUsers, logDelivery]

/** The canonical user that EC2 reads AMI bundles as: AWS, canned ACL aws-exec-read. */
const ec2CanonicalUser = '6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c'

export const cannedAcls = [
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
  'log-delivery-write',
] as const
export type CannedAcl = (typeof cannedAcls)[number]

/** What a request asks for: a name, grant headers, or the policy in its body. */
export type RequestedAcl =
  | { readonly kind: 'canned'; readonly canned: CannedAcl }
  | { readonly kind: 'grants'; readonly grants: readonly Grant[] }
  | { readonly kind: 'policy'; readonly policy: AccessControlPolicy }

/** Who owns what the ACL is for; `bucketOwner` only where it is an object. */
export interface AclOwners {
  readonly owner: Owner
  readonly bucketOwner?: Owner
}

/** The ACL of whatever was stored without one, and the only one where ACLs are off. */
export function ownerOnly(owner: Owner): AccessControlPolicy {
  return { Owner: { ID: owner.ID }, Grants: [toUser(owner, 'FULL_CONTROL')] }
}

/** The grants of what a request asks for. A canned name that means something only for objects is `private` for a bucket, and the reverse. */
export function resolveAcl(requested: RequestedAcl, owners: AclOwners): AccessControlPolicy {
  switch (requested.kind) {
    case 'canned':
      return { Owner: { ID: owners.owner.ID }, Grants: cannedGrants(requested.canned, owners) }
    case 'grants':
      return { Owner: { ID: owners.owner.ID }, Grants: requested.grants }
    case 'policy':
      return requested.policy
    default:
      return requested satisfies never
  }
}

function cannedGrants(canned: CannedAcl, { owner, bucketOwner }: AclOwners): readonly Grant[] {
  const own = toUser(owner, 'FULL_CONTROL')
  // An object's owner who owns the bucket too needs no second grant.
  const other = bucketOwner === undefined || bucketOwner.ID === owner.ID ? undefined : bucketOwner
  switch (canned) {
    case 'private':
      return [own]
    case 'public-read':
      return [own, toGroup(allUsers, 'READ')]
    case 'public-read-write':
      return [own, toGroup(allUsers, 'READ'), toGroup(allUsers, 'WRITE')]
    case 'authenticated-read':
      return [own, toGroup(authenticatedUsers, 'READ')]
    case 'aws-exec-read':
      return [own, toUser({ ID: ec2CanonicalUser }, 'READ')]
    case 'bucket-owner-read':
      return other === undefined ? [own] : [own, toUser(other, 'READ')]
    case 'bucket-owner-full-control':
      return other === undefined ? [own] : [own, toUser(other, 'FULL_CONTROL')]
    case 'log-delivery-write':
      return bucketOwner === undefined ? [own, toGroup(logDelivery, 'WRITE'), toGroup(logDelivery, 'READ_ACP')] : [own]
    default:
      return canned satisfies never
  }
}

/**
 * With ACLs off (BucketOwnerEnforced) a request may name no ACL, `bucket-owner-full-control`, or a policy that says the same.
 * @throws S3Error AccessControlListNotSupported
 */
export function checkAclAllowed(ownership: ObjectOwnership, requested: RequestedAcl | undefined, bucketOwner: Owner): void {
  if (ownership !== 'BucketOwnerEnforced' || requested === undefined) return
  const isAllowed = requested.kind === 'canned' ? requested.canned === 'bucket-owner-full-control' : isOwnerOnly(requested, bucketOwner)
  if (!isAllowed) throw new S3Error('AccessControlListNotSupported')
}

/**
 * A bucket may be created with ACLs off and an ACL that opens it to nobody.
 * @throws S3Error InvalidBucketAclWithObjectOwnership
 */
export function checkCreateBucketAcl(ownership: ObjectOwnership, requested: RequestedAcl | undefined, owner: Owner): void {
  if (ownership !== 'BucketOwnerEnforced' || requested === undefined) return
  if (!isOwnerOnly(requested, owner)) throw new S3Error('InvalidBucketAclWithObjectOwnership')
}

/** Whether an ACL opens anything to everybody, or to everybody with any account. */
export function isPublic(grants: readonly Grant[]): boolean {
  return grants.some(({ Grantee }) => Grantee.Type === 'Group' && (Grantee.URI === allUsers || Grantee.URI === authenticatedUsers))
}

/** Whether an ACL gives anything to anybody but the owner. */
export function opensToOthers(grants: readonly Grant[], owner: Owner): boolean {
  return grants.some(({ Grantee }) => Grantee.Type !== 'CanonicalUser' || Grantee.ID !== owner.ID)
}

/** @throws S3Error AccessDenied (a public ACL under BlockPublicAcls) */
export function checkPublicAcl(block: Pick<PublicAccessBlock, 'BlockPublicAcls'> | undefined, grants: readonly Grant[]): void {
  if (block?.BlockPublicAcls && isPublic(grants)) {
    throw new S3Error('AccessDenied', { message: 'Access Denied: public ACLs are blocked by the BlockPublicAcls setting.' })
  }
}

/**
 * Checks a policy that came in a request's body or grant headers against the world: the owner stays, groups and users exist.
 * @param isKnownUser whether a canonical id is one of ours
 * @throws S3Error AccessDenied (another owner) | InvalidArgument (unknown group or user) | MalformedACLError (over 100 grants)
 */
export function checkPolicy(acl: AccessControlPolicy, owner: Owner, isKnownUser: (canonicalId: string) => boolean): void {
  if (acl.Owner.ID !== owner.ID) throw new S3Error('AccessDenied')
  if (acl.Grants.length > grantsMax) throw new S3Error('MalformedACLError')
  for (const { Grantee } of acl.Grants) {
    if (Grantee.Type === 'Group') checkGroup(Grantee.URI)
    else if (!isKnownUser(Grantee.ID) && Grantee.ID !== ec2CanonicalUser) {
      throw new S3Error('InvalidArgument', {
        message: 'Invalid id',
        details: { ArgumentName: 'CanonicalUser/ID', ArgumentValue: Grantee.ID.slice(0, 128) },
      })
    }
  }
}

/** @throws S3Error InvalidArgument */
export function checkGroup(uri: string): void {
  if (groups.includes(uri)) return
  throw new S3Error('InvalidArgument', {
    message: 'Invalid group uri',
    details: { ArgumentName: 'Group/URI', ArgumentValue: uri.slice(0, 256) },
  })
}

function isOwnerOnly(requested: RequestedAcl, owner: Owner): boolean {
  const acl = resolveAcl(requested, { owner })
  const [grant] = acl.Grants
  return (
    acl.Owner.ID === owner.ID &&
    acl.Grants.length === 1 &&
    grant?.Permission === 'FULL_CONTROL' &&
    grant.Grantee.Type === 'CanonicalUser' &&
    grant.Grantee.ID === owner.ID
  )
}

function toUser(user: Owner, permission: Permission): Grant {
  return { Grantee: { Type: 'CanonicalUser', ID: user.ID }, Permission: permission }
}

function toGroup(uri: string, permission: Permission): Grant {
  return { Grantee: { Type: 'Group', URI: uri }, Permission: permission }
}
