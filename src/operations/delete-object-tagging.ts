/** DeleteObjectTagging. */
import { refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey } from '../s3/members.ts'
import { findObject, hidingAbsence } from './shared/find.ts'
import { isVersioned, versionAction, versionHeader, versionIdQuery } from './shared/version-ids.ts'

/**
 * Removes all tags of a version.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html
 */
export const DeleteObjectTagging = operation({
  name: 'DeleteObjectTagging',
  route: 'DELETE /{Bucket}/{Key+}?tagging',
  action: versionAction('Delete', 'Tagging'),
  input: { Key: objectKey(), VersionId: versionIdQuery(), Supported: headers(refuseUnsupported) },
  errors: ['InvalidArgument', 'MethodNotAllowed', 'NoSuchKey', 'NoSuchVersion', 'OperationAborted'],

  async handle(context, { Key, VersionId }) {
    const { bucket, services } = context
    const judged = await findObject(context, { key: Key, versionId: VersionId })
    const version = await hidingAbsence(context, () =>
      services.objects.setAttribute({ bucket, key: Key, versionId: VersionId, judged }, { name: 'tags', value: [] }),
    )
    return { status: 204, headers: isVersioned(bucket) ? versionHeader(version) : {} }
  },
})
