/** AbortMultipartUpload. */
import { refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { headers } from '../s3/members.ts'
import { authorizeUpload, uploadMembers } from './shared/uploads.ts'

/**
 * Ends an upload and frees its parts.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
 */
export const AbortMultipartUpload = operation({
  name: 'AbortMultipartUpload',
  route: 'DELETE /{Bucket}/{Key+}?uploadId',
  action: 's3:AbortMultipartUpload',
  asksItself: true,
  input: { ...uploadMembers, Supported: headers(refuseUnsupported) },
  errors: ['NoSuchUpload', 'NotImplemented'],

  async handle(context, input) {
    const { bucket, services } = context
    const { Key: key, UploadId: uploadId } = input
    await authorizeUpload(context, 's3:AbortMultipartUpload', input)
    await services.objects.abortUpload({ bucket, key, uploadId })
    return { status: 204 }
  },
})
