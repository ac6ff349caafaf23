/**
 * Configurations that no bucket has here, because they cannot be put: reading one is answered as S3 answers for a bucket without it. Clients that
 * look at everything that a bucket is, as Terraform does, go on; putting one is 501.
 */
import { S3Error, type S3ErrorCode } from '../model/errors.ts'
import { operation } from '../s3/define.ts'
import { bucketName } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAccelerateConfiguration.html */
export const GetBucketAccelerateConfiguration = operation({
  name: 'GetBucketAccelerateConfiguration',
  route: 'GET /{Bucket}?accelerate',
  action: 's3:GetAccelerateConfiguration',
  input: { Bucket: bucketName() },
  errors: [],

  handle: async () => ({ status: 200, body: xml('AccelerateConfiguration', {}) }),
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html */
export const GetBucketCors = operation({
  name: 'GetBucketCors',
  route: 'GET /{Bucket}?cors',
  action: 's3:GetBucketCORS',
  input: { Bucket: bucketName() },
  errors: ['NoSuchCORSConfiguration'],

  handle: async ({ bucket }) => hasNone('NoSuchCORSConfiguration', bucket),
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html */
export const GetBucketLogging = operation({
  name: 'GetBucketLogging',
  route: 'GET /{Bucket}?logging',
  action: 's3:GetBucketLogging',
  input: { Bucket: bucketName() },
  errors: [],

  handle: async () => ({ status: 200, body: xml('BucketLoggingStatus', {}) }),
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html */
export const GetBucketNotificationConfiguration = operation({
  name: 'GetBucketNotificationConfiguration',
  route: 'GET /{Bucket}?notification',
  action: 's3:GetBucketNotification',
  input: { Bucket: bucketName() },
  errors: [],

  handle: async () => ({ status: 200, body: xml('NotificationConfiguration', {}) }),
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketRequestPayment.html */
export const GetBucketRequestPayment = operation({
  name: 'GetBucketRequestPayment',
  route: 'GET /{Bucket}?requestPayment',
  action: 's3:GetBucketRequestPayment',
  input: { Bucket: bucketName() },
  errors: [],

  handle: async () => ({ status: 200, body: xml('RequestPaymentConfiguration', { Payer: 'BucketOwner' }) }),
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketWebsite.html */
export const GetBucketWebsite = operation({
  name: 'GetBucketWebsite',
  route: 'GET /{Bucket}?website',
  action: 's3:GetBucketWebsite',
  input: { Bucket: bucketName() },
  errors: ['NoSuchWebsiteConfiguration'],

  handle: async ({ bucket }) => hasNone('NoSuchWebsiteConfiguration', bucket),
})

function hasNone(code: S3ErrorCode, { name }: { readonly name: string }): never {
  throw new S3Error(code, { details: { BucketName: name } })
}
