/** What keeps a bucket from being opened to everybody. */
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { bucketName, headers, xmlBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { bool, document, optional, struct } from '../s3/xml/shapes.ts'

const PublicAccessBlockConfiguration = document(
  'PublicAccessBlockConfiguration',
  struct({
    BlockPublicAcls: optional(bool()),
    IgnorePublicAcls: optional(bool()),
    BlockPublicPolicy: optional(bool()),
    RestrictPublicBuckets: optional(bool()),
  }),
)

/**
 * Replaces all four; one that is left out is off.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
 */
export const PutPublicAccessBlock = operation({
  name: 'PutPublicAccessBlock',
  route: 'PUT /{Bucket}?publicAccessBlock',
  action: 's3:PutBucketPublicAccessBlock',
  input: {
    Bucket: bucketName(),
    Supported: headers(refuseUnsupported),
    Configuration: xmlBody(PublicAccessBlockConfiguration),
  },
  errors: ['MalformedXML'],

  async handle({ bucket, services }, { Configuration }) {
    const { BlockPublicAcls = false, IgnorePublicAcls = false, BlockPublicPolicy = false, RestrictPublicBuckets = false } = Configuration
    const block = { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets }
    await services.buckets.setSetting(bucket, 'publicAccessBlock', block)
    return { status: 200 }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html */
export const GetPublicAccessBlock = operation({
  name: 'GetPublicAccessBlock',
  route: 'GET /{Bucket}?publicAccessBlock',
  action: 's3:GetBucketPublicAccessBlock',
  input: { Bucket: bucketName() },
  errors: ['NoSuchPublicAccessBlockConfiguration'],

  async handle({ bucket }) {
    const { publicAccessBlock: block } = bucket.settings
    if (block === undefined) throw new S3Error('NoSuchPublicAccessBlockConfiguration', { details: { BucketName: bucket.name } })
    return { status: 200, body: xml('PublicAccessBlockConfiguration', { ...block }) }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html */
export const DeletePublicAccessBlock = operation({
  name: 'DeletePublicAccessBlock',
  route: 'DELETE /{Bucket}?publicAccessBlock',
  action: 's3:PutBucketPublicAccessBlock',
  input: { Bucket: bucketName() },
  errors: [],

  async handle({ bucket, services }) {
    await services.buckets.setSetting(bucket, 'publicAccessBlock', undefined)
    return { status: 204 }
  },
})
