/** Whether versions of a bucket can be locked, and for how long those are that say nothing of it. */
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { retentionModes } from '../model/object-lock.ts'
import { checkBucketLock } from '../model/object-lock-input.ts'
import { operation } from '../s3/define.ts'
import { bucketName, headers, xmlBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { document, enumOf, int, optional, struct } from '../s3/xml/shapes.ts'

const DefaultRetention = struct({ Mode: enumOf(retentionModes), Days: optional(int()), Years: optional(int()) })
const ObjectLockConfiguration = document(
  'ObjectLockConfiguration',
  struct({ ObjectLockEnabled: enumOf(['Enabled']), Rule: optional(struct({ DefaultRetention })) }),
)

/**
 * Turns Object Lock on in a bucket with versions, for ever; sets the default retention of new versions, or without a Rule takes it away.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
 */
export const PutObjectLockConfiguration = operation({
  name: 'PutObjectLockConfiguration',
  route: 'PUT /{Bucket}?object-lock',
  action: 's3:PutBucketObjectLockConfiguration',
  input: { Bucket: bucketName(), Supported: headers(refuseUnsupported), Configuration: xmlBody(ObjectLockConfiguration) },
  errors: ['InvalidArgument', 'InvalidBucketState', 'MalformedXML', 'MissingRequestBodyError', 'NotImplemented'],

  async handle({ bucket, services }, { Configuration: { Rule } }) {
    await services.buckets.setSetting(bucket, 'objectLock', checkBucketLock(Rule))
    return { status: 200 }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html */
export const GetObjectLockConfiguration = operation({
  name: 'GetObjectLockConfiguration',
  route: 'GET /{Bucket}?object-lock',
  action: 's3:GetBucketObjectLockConfiguration',
  input: { Bucket: bucketName() },
  errors: ['ObjectLockConfigurationNotFoundError'],

  async handle({ bucket }) {
    const { objectLock } = bucket.settings
    if (objectLock === undefined) throw new S3Error('ObjectLockConfigurationNotFoundError', { details: { BucketName: bucket.name } })
    const { defaultRetention } = objectLock
    const body = xml('ObjectLockConfiguration', {
      ObjectLockEnabled: 'Enabled',
      Rule: defaultRetention && {
        DefaultRetention: { Mode: defaultRetention.mode, [defaultRetention.period.unit]: defaultRetention.period.count },
      },
    })
    return { status: 200, body }
  },
})
