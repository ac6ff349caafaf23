/** The tags of a bucket. */
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { checkBucketTags } from '../model/tags.ts'
import { operation } from '../s3/define.ts'
import { bucketName, headers, xmlBody } from '../s3/members.ts'
import { TaggingDocument, taggingBody } from './shared/tagging.ts'

/**
 * Replaces all tags; an empty set removes them.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
 */
export const PutBucketTagging = operation({
  name: 'PutBucketTagging',
  route: 'PUT /{Bucket}?tagging',
  action: 's3:PutBucketTagging',
  input: { Bucket: bucketName(), Supported: headers(refuseUnsupported), Tagging: xmlBody(TaggingDocument) },
  errors: ['BadRequest', 'InvalidTag'],

  async handle({ bucket, services }, { Tagging }) {
    const tags = Tagging.TagSet.Tag
    checkBucketTags(tags)
    await services.buckets.setSetting(bucket, 'tags', tags.length === 0 ? undefined : tags)
    return { status: 204 }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html */
export const GetBucketTagging = operation({
  name: 'GetBucketTagging',
  route: 'GET /{Bucket}?tagging',
  action: 's3:GetBucketTagging',
  input: { Bucket: bucketName() },
  errors: ['NoSuchTagSet'],

  async handle({ bucket }) {
    const { tags } = bucket.settings
    if (tags === undefined) throw new S3Error('NoSuchTagSet', { details: { BucketName: bucket.name } })
    return { status: 200, body: taggingBody(tags) }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html */
export const DeleteBucketTagging = operation({
  name: 'DeleteBucketTagging',
  route: 'DELETE /{Bucket}?tagging',
  action: 's3:PutBucketTagging',
  input: { Bucket: bucketName() },
  errors: [],

  async handle({ bucket, services }) {
    await services.buckets.setSetting(bucket, 'tags', undefined)
    return { status: 204 }
  },
})
