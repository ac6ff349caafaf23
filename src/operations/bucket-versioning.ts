/** The versioning state of a bucket. */
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { bucketName, headers, xmlBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { document, enumOf, optional, struct } from '../s3/xml/shapes.ts'

const VersioningConfiguration = document(
  'VersioningConfiguration',
  struct({ Status: optional(enumOf(['Enabled', 'Suspended'])), MfaDelete: optional(enumOf(['Enabled', 'Disabled'])) }),
)

/**
 * Turns versioning on, or suspends it. A bucket never returns to the unversioned state.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
 */
export const PutBucketVersioning = operation({
  name: 'PutBucketVersioning',
  route: 'PUT /{Bucket}?versioning',
  action: 's3:PutBucketVersioning',
  input: {
    Bucket: bucketName(),
    Supported: headers(refuseUnsupported),
    VersioningConfiguration: xmlBody(VersioningConfiguration),
  },
  errors: ['IllegalVersioningConfigurationException', 'InvalidBucketState', 'NotImplemented'],

  async handle({ bucket, services }, { VersioningConfiguration: { Status, MfaDelete } }) {
    if (Status === undefined) {
      throw new S3Error('IllegalVersioningConfigurationException', { message: 'The Versioning element must be specified' })
    }
    if (MfaDelete === 'Enabled') throw new S3Error('NotImplemented', { message: 'MfaDelete is not supported by this server.' })
    await services.buckets.setVersioning(bucket, Status)
    return { status: 200 }
  },
})

/**
 * An empty element says that versioning was never turned on.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
 */
export const GetBucketVersioning = operation({
  name: 'GetBucketVersioning',
  route: 'GET /{Bucket}?versioning',
  action: 's3:GetBucketVersioning',
  input: { Bucket: bucketName() },
  errors: [],

  async handle({ bucket }) {
    const { versioning } = bucket
    return { status: 200, body: xml('VersioningConfiguration', versioning === 'Unversioned' ? {} : { Status: versioning }) }
  },
})
