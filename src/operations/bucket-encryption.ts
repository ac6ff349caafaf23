/** How a bucket encrypts objects whose request does not say. */
import type { BucketEncryption } from '../model/bucket.ts'
import { checkBucketEncryption } from '../model/encryption.ts'
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { bucketName, headers, xmlBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { bool, document, list, optional, struct, text } from '../s3/xml/shapes.ts'

/** One is allowed. What goes beyond is read that far, so that the refusal comes from the rule. */
const readMax = 100

const ServerSideEncryptionConfiguration = document(
  'ServerSideEncryptionConfiguration',
  struct({
    Rule: list(
      struct({
        ApplyServerSideEncryptionByDefault: optional(struct({ SSEAlgorithm: optional(text()), KMSMasterKeyID: optional(text()) })),
        BucketKeyEnabled: optional(bool()),
        BlockedEncryptionTypes: optional(struct({ EncryptionType: list(text(), { max: readMax }) })),
      }),
      { max: readMax },
    ),
  }),
)

/**
 * SSE-S3 (AES256) only; SSE-KMS is refused by name.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
 */
export const PutBucketEncryption = operation({
  name: 'PutBucketEncryption',
  route: 'PUT /{Bucket}?encryption',
  action: 's3:PutEncryptionConfiguration',
  input: {
    Bucket: bucketName(),
    Supported: headers(refuseUnsupported),
    Configuration: xmlBody(ServerSideEncryptionConfiguration),
  },
  errors: ['MalformedXML', 'InvalidArgument', 'NotImplemented'],

  async handle({ bucket, services }, { Configuration }) {
    await services.buckets.setSetting(bucket, 'encryption', checkBucketEncryption(Configuration.Rule))
    return { status: 200 }
  },
})

/**
 * Without a configuration: what the server does by default, or 404 when it encrypts nothing by default.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html
 */
export const GetBucketEncryption = operation({
  name: 'GetBucketEncryption',
  route: 'GET /{Bucket}?encryption',
  action: 's3:GetEncryptionConfiguration',
  input: { Bucket: bucketName() },
  errors: ['ServerSideEncryptionConfigurationNotFoundError'],

  async handle({ bucket, services }) {
    const byServer: BucketEncryption | undefined = services.defaults.encryption === 'AES256' ? { SSEAlgorithm: 'AES256' } : undefined
    const encryption = bucket.settings.encryption ?? byServer
    if (encryption === undefined) {
      throw new S3Error('ServerSideEncryptionConfigurationNotFoundError', { details: { BucketName: bucket.name } })
    }
    const { SSEAlgorithm, BucketKeyEnabled = false } = encryption
    const body = xml('ServerSideEncryptionConfiguration', {
      Rule: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm }, BucketKeyEnabled }],
    })
    return { status: 200, body }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html */
export const DeleteBucketEncryption = operation({
  name: 'DeleteBucketEncryption',
  route: 'DELETE /{Bucket}?encryption',
  action: 's3:PutEncryptionConfiguration',
  input: { Bucket: bucketName() },
  errors: [],

  async handle({ bucket, services }) {
    await services.buckets.setSetting(bucket, 'encryption', undefined)
    return { status: 204 }
  },
})
