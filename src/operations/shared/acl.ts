/** ACLs on the wire: the document that is sent and answered, and what a request's headers and body come to. */
import {
  type AccessControlPolicy,
  checkAclAllowed,
  checkPolicy,
  checkPublicAcl,
  type Grant,
  type Grantee,
  type Owner,
  permissions,
  type RequestedAcl,
  resolveAcl,
} from '../../model/acl.ts'
import type { Bucket } from '../../model/bucket.ts'
import { S3Error } from '../../model/errors.ts'
import { grantsMax } from '../../model/limits.ts'
import { type XmlBody, xml } from '../../s3/reply.ts'
import { attribute, document, list, optional, struct, text, type XmlDocument } from '../../s3/xml/shapes.ts'

const UserElement = { ID: optional(text()), DisplayName: optional(text()) }
const GranteeElement = struct({ ...UserElement, type: attribute('type'), URI: optional(text()), EmailAddress: optional(text()) })

const policyDocument = document(
  'AccessControlPolicy',
  struct({
    Owner: optional(struct(UserElement)),
    AccessControlList: struct({ Grant: list(struct({ Grantee: GranteeElement, Permission: text() }), { max: grantsMax }) }),
  }),
)
type PolicyElement = ReturnType<typeof policyDocument.decode>
type GrantElement = PolicyElement['AccessControlList']['Grant'][number]

/** @throws S3Error MalformedACLError, as S3 calls every fault in this document, | UnresolvableGrantByEmailAddress */
export const AccessControlPolicyDocument: XmlDocument<AccessControlPolicy> = {
  ...policyDocument,
  decode(bytes) {
    try {
      return toPolicy(policyDocument.decode(bytes))
    } catch (error) {
      throw error instanceof S3Error && error.code === 'MalformedXML' ? new S3Error('MalformedACLError', { cause: error }) : error
    }
  },
}

function toPolicy({ Owner: owner, AccessControlList }: PolicyElement): AccessControlPolicy {
  if (owner?.ID === undefined) throw new S3Error('MalformedACLError')
  return { Owner: { ID: owner.ID }, Grants: AccessControlList.Grant.map(toGrant) }
}

function toGrant({ Grantee: grantee, Permission: given }: GrantElement): Grant {
  const permission = permissions.find((known) => known === given)
  if (permission === undefined) throw new S3Error('MalformedACLError')
  return { Grantee: toGrantee(grantee), Permission: permission }
}

function toGrantee({ type, ID, URI, EmailAddress }: GrantElement['Grantee']): Grantee {
  if (type === 'AmazonCustomerByEmail' && EmailAddress !== undefined) {
    // Accounts have no mail addresses here.
    throw new S3Error('UnresolvableGrantByEmailAddress', { details: { EmailAddress: EmailAddress.slice(0, 256) } })
  }
  // The type is that of an attribute with a prefix, `xsi:type="CanonicalUser"`.
  if (type === 'CanonicalUser' && ID !== undefined) return { Type: 'CanonicalUser', ID }
  if (type === 'Group' && URI !== undefined) return { Type: 'Group', URI }
  throw new S3Error('MalformedACLError')
}

/**
 * What a request that sets an ACL asks for, by exactly one of its two ways.
 * @throws S3Error UnexpectedContent (both) | MissingSecurityHeader (neither)
 */
export function requestedAcl(byHeaders: RequestedAcl | undefined, policy: AccessControlPolicy | undefined): RequestedAcl {
  if (byHeaders !== undefined && policy !== undefined) throw new S3Error('UnexpectedContent')
  if (policy !== undefined) return { kind: 'policy', policy }
  if (byHeaders === undefined) throw new S3Error('MissingSecurityHeader', { details: { MissingHeaderName: 'x-amz-acl' } })
  return byHeaders
}

export interface AclQuestion {
  /** Whose ACL it is: the bucket's own, or an object's in it. */
  readonly of: 'bucket' | 'object'
  readonly bucket: Pick<Bucket, 'ownerId' | 'settings'>
  readonly owner: Owner
  /** Whether a canonical id is an account's. */
  readonly isKnownUser: (canonicalId: string) => boolean
}

/**
 * The grants to store, by all rules of the bucket: ownership, blocked public access, known grantees.
 * @throws S3Error AccessControlListNotSupported | AccessDenied | InvalidArgument | MalformedACLError
 */
export function grantsToStore(requested: RequestedAcl, { of, bucket, owner, isKnownUser }: AclQuestion): readonly Grant[] {
  const bucketOwner: Owner = { ID: bucket.ownerId }
  checkAclAllowed(bucket.settings.ownership ?? 'ObjectWriter', requested, bucketOwner)
  const acl = resolveAcl(requested, of === 'object' ? { owner, bucketOwner } : { owner })
  checkPolicy(acl, owner, isKnownUser)
  checkPublicAcl(bucket.settings.publicAccessBlock, acl.Grants)
  return acl.Grants
}

/** The answer of GetBucketAcl and GetObjectAcl. */
export function aclBody({ Owner: { ID }, Grants }: AccessControlPolicy): XmlBody {
  const grants = Grants.map(({ Grantee: { Type, ...who }, Permission }) => ({ Grantee: { '@xsi:type': Type, ...who }, Permission }))
  return xml('AccessControlPolicy', { Owner: { ID }, AccessControlList: { Grant: grants } })
}
