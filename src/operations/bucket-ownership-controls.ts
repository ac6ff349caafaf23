/** Who owns what is written into a bucket, and whether its ACLs count. */
import { opensToOthers } from '../model/acl.ts'
import { type ObjectOwnership, objectOwnerships } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { bucketName, headers, xmlBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { document, list, struct, text } from '../s3/xml/shapes.ts'

/** One is allowed. What goes beyond is read that far, so that the refusal comes from the rule. */
const readMax = 100

const OwnershipControls = document('OwnershipControls', struct({ Rule: list(struct({ ObjectOwnership: text() }), { max: readMax }) }))

/**
 * ACLs are switched off only in a bucket whose own ACL opens it to nobody.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html
 */
export const PutBucketOwnershipControls = operation({
  name: 'PutBucketOwnershipControls',
  route: 'PUT /{Bucket}?ownershipControls',
  action: 's3:PutBucketOwnershipControls',
  input: {
    Bucket: bucketName(),
    Supported: headers(refuseUnsupported),
    Controls: xmlBody(OwnershipControls),
  },
  errors: ['InvalidBucketAclWithObjectOwnership', 'MalformedXML'],

  async handle({ bucket, services }, { Controls }) {
    const ownership = ownershipOf(Controls.Rule)
    const { acl } = bucket.settings
    if (ownership === 'BucketOwnerEnforced' && opensToOthers(acl ?? [], { ID: bucket.ownerId })) {
      throw new S3Error('InvalidBucketAclWithObjectOwnership')
    }
    await services.buckets.setSetting(bucket, 'ownership', ownership)
    return { status: 200 }
  },
})

/** @throws S3Error MalformedXML */
function ownershipOf(rules: readonly { readonly ObjectOwnership: string }[]): ObjectOwnership {
  const [rule] = rules
  const known = objectOwnerships.find((one) => one === rule?.ObjectOwnership)
  if (known === undefined || rules.length !== 1) throw new S3Error('MalformedXML')
  return known
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html */
export const GetBucketOwnershipControls = operation({
  name: 'GetBucketOwnershipControls',
  route: 'GET /{Bucket}?ownershipControls',
  action: 's3:GetBucketOwnershipControls',
  input: { Bucket: bucketName() },
  errors: ['OwnershipControlsNotFoundError'],

  async handle({ bucket }) {
    const { ownership } = bucket.settings
    if (ownership === undefined) throw new S3Error('OwnershipControlsNotFoundError', { details: { BucketName: bucket.name } })
    return { status: 200, body: xml('OwnershipControls', { Rule: [{ ObjectOwnership: ownership }] }) }
  },
})

/**
 * Leaves the bucket as one of before ownership: ACLs count, and whoever writes an object owns it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketOwnershipControls.html
 */
export const DeleteBucketOwnershipControls = operation({
  name: 'DeleteBucketOwnershipControls',
  route: 'DELETE /{Bucket}?ownershipControls',
  action: 's3:PutBucketOwnershipControls',
  input: { Bucket: bucketName() },
  errors: [],

  async handle({ bucket, services }) {
    await services.buckets.setSetting(bucket, 'ownership', undefined)
    return { status: 204 }
  },
})
