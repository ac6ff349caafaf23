/** HeadBucket: whether a bucket is there, may be used, and in which region. */
import { operation } from '../s3/define.ts'
import { bucketName } from '../s3/members.ts'

/**
 * A bucket of another region answers 301, one that the caller may not use 403; both tell its region too.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 */
export const HeadBucket = operation({
  name: 'HeadBucket',
  route: 'HEAD /{Bucket}',
  action: 's3:ListBucket',
  input: { Bucket: bucketName() },
  errors: [],

  async handle({ bucket }) {
    return { status: 200, headers: { 'x-amz-bucket-region': bucket.region, 'x-amz-access-point-alias': 'false' } }
  },
})
