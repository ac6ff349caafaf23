/** GetBucketLocation: the region of a bucket, asked in any region. */
import { S3Error } from '../model/errors.ts'
import { operation } from '../s3/define.ts'
import { bucketName, header } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { accountOf } from './shared/account.ts'
import { bucketTarget } from './shared/targets.ts'

/**
 * Answered from the directory and not redirected: clients that hold only one region's address ask this to learn where a bucket lives.
 * us-east-1 is an empty element.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
 */
export const GetBucketLocation = operation({
  name: 'GetBucketLocation',
  route: 'GET /{Bucket}?location',
  action: 's3:GetBucketLocation',
  bucket: 'new',
  input: { Bucket: bucketName(), ExpectedBucketOwner: header('x-amz-expected-bucket-owner').optional() },
  errors: ['NoSuchBucket', 'AccessDenied'],

  async handle(context, { Bucket: name, ExpectedBucketOwner }) {
    const { accountId, canonicalId } = accountOf(context.caller)
    const found = await context.services.control.nameOf(name)
    if (found === undefined) throw new S3Error('NoSuchBucket', { details: { BucketName: name } })
    if (found.region === context.services.defaults.region) {
      const bucket = await context.resolveBucket(name, ExpectedBucketOwner)
      await context.authorize('s3:GetBucketLocation', bucketTarget({ bucket }))
    } else {
      // What a bucket elsewhere allows is known there: here its own account is answered, and nobody else.
      const isOwn = found.ownerId === canonicalId
      if (!isOwn || (ExpectedBucketOwner !== undefined && ExpectedBucketOwner !== accountId)) throw new S3Error('AccessDenied')
    }
    return { status: 200, body: xml('LocationConstraint', found.region === 'us-east-1' ? '' : found.region) }
  },
})
