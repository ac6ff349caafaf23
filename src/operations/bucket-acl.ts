/** The ACL of a bucket. */
import { ownerOnly } from '../model/acl.ts'
import { parseAclHeaders } from '../model/acl-headers.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { bucketName, headers, optionalXmlBody } from '../s3/members.ts'
import { AccessControlPolicyDocument, aclBody, grantsToStore, requestedAcl } from './shared/acl.ts'
import { knownUsers } from './shared/known-users.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html */
export const PutBucketAcl = operation({
  name: 'PutBucketAcl',
  route: 'PUT /{Bucket}?acl',
  action: 's3:PutBucketAcl',
  input: {
    Bucket: bucketName(),
    Supported: headers(refuseUnsupported),
    ByHeaders: headers(parseAclHeaders),
    Policy: optionalXmlBody(AccessControlPolicyDocument),
  },
  errors: [
    'AccessControlListNotSupported',
    'InvalidArgument',
    'MalformedACLError',
    'MissingSecurityHeader',
    'UnexpectedContent',
    'UnresolvableGrantByEmailAddress',
  ],

  async handle({ bucket, services }, { ByHeaders, Policy }) {
    const requested = requestedAcl(ByHeaders, Policy)
    const isKnownUser = await knownUsers(services.control, requested, [bucket.ownerId])
    const acl = grantsToStore(requested, { of: 'bucket', bucket, owner: { ID: bucket.ownerId }, isKnownUser })
    await services.buckets.setSetting(bucket, 'acl', acl)
    return { status: 200 }
  },
})

/**
 * While ACLs are off (BucketOwnerEnforced) it is the owner's alone, whatever was set before.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html
 */
export const GetBucketAcl = operation({
  name: 'GetBucketAcl',
  route: 'GET /{Bucket}?acl',
  action: 's3:GetBucketAcl',
  input: { Bucket: bucketName() },
  errors: [],

  async handle({ bucket }) {
    const { acl, ownership } = bucket.settings
    const owner = { ID: bucket.ownerId }
    const isOff = acl === undefined || ownership === 'BucketOwnerEnforced'
    return { status: 200, body: aclBody(isOff ? ownerOnly(owner) : { Owner: owner, Grants: acl }) }
  },
})
