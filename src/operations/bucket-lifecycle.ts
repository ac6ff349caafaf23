/** What becomes of a bucket's versions as they age: the lifecycle configuration. */
import { randomUUID } from 'node:crypto'
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { checkLifecycleConfiguration, parseDefaultMinimumObjectSize } from '../model/lifecycle-configuration.ts'
import { operation } from '../s3/define.ts'
import { bucketName, header, headers, xmlBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import type { XmlValue } from '../s3/xml/write.ts'
import { LifecycleConfigurationDocument } from './shared/lifecycle-document.ts'

const minimumHeader = 'x-amz-transition-default-minimum-object-size'

/**
 * Replaces the whole configuration. It takes the older form, a Prefix in place of a Filter, as it was put by PutBucketLifecycle.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
 */
export const PutBucketLifecycleConfiguration = operation({
  name: 'PutBucketLifecycleConfiguration',
  route: 'PUT /{Bucket}?lifecycle',
  action: 's3:PutLifecycleConfiguration',
  input: {
    Bucket: bucketName(),
    Supported: headers(refuseUnsupported),
    TransitionDefaultMinimumObjectSize: header(minimumHeader).map(parseDefaultMinimumObjectSize).optional(),
    Configuration: xmlBody(LifecycleConfigurationDocument),
  },
  errors: ['InvalidArgument', 'InvalidRequest', 'InvalidTag', 'MalformedXML'],

  async handle({ bucket, services }, { Configuration, TransitionDefaultMinimumObjectSize: asked }) {
    const minimum = asked ?? parseDefaultMinimumObjectSize(undefined)
    const configuration = checkLifecycleConfiguration(Configuration, { makeId: () => randomUUID(), minimum })
    await services.buckets.setSetting(bucket, 'lifecycle', configuration)
    return { status: 200, headers: { [minimumHeader]: minimum } }
  },
})

/**
 * Answers each rule in the form in which it was put.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html
 */
export const GetBucketLifecycleConfiguration = operation({
  name: 'GetBucketLifecycleConfiguration',
  route: 'GET /{Bucket}?lifecycle',
  action: 's3:GetLifecycleConfiguration',
  input: { Bucket: bucketName() },
  errors: ['NoSuchLifecycleConfiguration'],

  async handle({ bucket }) {
    const { lifecycle } = bucket.settings
    if (lifecycle === undefined) throw new S3Error('NoSuchLifecycleConfiguration', { details: { BucketName: bucket.name } })
    const { Rule, transitionDefaultMinimumObjectSize } = lifecycle
    return {
      status: 200,
      headers: { [minimumHeader]: transitionDefaultMinimumObjectSize },
      // Rules are stored in S3's words and order, with text and numbers at their leaves; interfaces only lack the index signature of XmlValue.
      body: xml('LifecycleConfiguration', { Rule: Rule as unknown as XmlValue }),
    }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketLifecycle.html */
export const DeleteBucketLifecycle = operation({
  name: 'DeleteBucketLifecycle',
  route: 'DELETE /{Bucket}?lifecycle',
  action: 's3:PutLifecycleConfiguration',
  input: { Bucket: bucketName() },
  errors: [],

  async handle({ bucket, services }) {
    await services.buckets.setSetting(bucket, 'lifecycle', undefined)
    return { status: 204 }
  },
})
