/** CreateMultipartUpload. */
import { parseChecksumAlgorithm, parseChecksumType, resolveMultipartChecksum } from '../model/checksums.ts'
import { headerValue } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { attributeMembers, attributesOf, encryptionHeader } from './shared/attributes.ts'
import { abortHeaders } from './shared/expiration.ts'

/**
 * Begins an upload in parts. What the object will carry is fixed now; whether its key may be written is judged when it is completed.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
 */
export const CreateMultipartUpload = operation({
  name: 'CreateMultipartUpload',
  route: 'POST /{Bucket}/{Key+}?uploads',
  action: 's3:PutObject',
  writes: true,
  input: {
    Key: objectKey(),
    ...attributeMembers,
    Checksum: headers((all) => {
      const algorithm = headerValue(all, 'x-amz-checksum-algorithm')
      const type = headerValue(all, 'x-amz-checksum-type')
      return resolveMultipartChecksum({
        algorithm: algorithm === undefined ? undefined : parseChecksumAlgorithm(algorithm),
        type: type === undefined ? undefined : parseChecksumType(type),
      })
    }),
  },
  errors: [
    'AccessControlListNotSupported',
    'BadRequest',
    'InvalidArgument',
    'InvalidRequest',
    'InvalidStorageClass',
    'InvalidTag',
    'MetadataTooLarge',
    'NotImplemented',
  ],

  async handle(context, input) {
    const { bucket, services } = context
    const { algorithm, type, isRequested } = input.Checksum
    const attributes = await attributesOf(context, input)
    const checksum = { algorithm, type, isGiven: isRequested }
    const { uploadId, initiatedMs, record } = await services.objects.createUpload({ bucket, key: input.Key, attributes, checksum })
    return {
      status: 200,
      headers: {
        ...encryptionHeader(record.isEncrypted),
        ...(isRequested && { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': type }),
        ...abortHeaders(context, { key: input.Key, initiatedMs }),
      },
      body: xml('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: input.Key, UploadId: uploadId }),
    }
  },
})
