/** DeleteBucket: drops an empty bucket and its name in every region. */
import { operation } from '../s3/define.ts'
import { bucketName } from '../s3/members.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html */
export const DeleteBucket = operation({
  name: 'DeleteBucket',
  route: 'DELETE /{Bucket}',
  action: 's3:DeleteBucket',
  input: { Bucket: bucketName() },
  errors: ['BucketNotEmpty', 'ServiceUnavailable'],

  async handle({ bucket, services }) {
    await services.control.deleteBucket(bucket)
    return { status: 204 }
  },
})
