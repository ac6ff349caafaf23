/** DeleteObject. */
import { headerValue, refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey } from '../s3/members.ts'
import { bypassMember, mayBypass } from './shared/object-lock.ts'
import { objectTarget, writerId } from './shared/targets.ts'
import { versionAction, versionIdQuery } from './shared/version-ids.ts'

/**
 * Without a version id: puts a delete marker on top, or removes the object of a bucket without versions. With one: removes that version for good.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 */
export const DeleteObject = operation({
  name: 'DeleteObject',
  route: 'DELETE /{Bucket}/{Key+}',
  action: versionAction('Delete', ''),
  input: {
    Key: objectKey(),
    VersionId: versionIdQuery(),
    IfMatch: headers((all) => headerValue(all, 'if-match')),
    ...bypassMember,
    Supported: headers(refuseUnsupported),
  },
  errors: ['InvalidArgument', 'NotImplemented', 'PreconditionFailed'],

  async handle(context, { Key, VersionId, IfMatch, Bypass }) {
    const { bucket, services } = context
    // Its answer tells what is there.
    const target = objectTarget(context, Key, VersionId)
    if (IfMatch !== undefined) await context.authorize(VersionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', target)
    const bypass = VersionId !== undefined && (await mayBypass(context, Bypass, { target }))
    const address = { bucket, key: Key, versionId: VersionId }
    const deleted = await services.objects.delete({ ...address, ownerId: writerId(context), ifMatch: IfMatch, bypass })
    return {
      status: 204,
      headers: { 'x-amz-delete-marker': deleted.deleteMarker === true ? 'true' : undefined, 'x-amz-version-id': deleted.versionId },
    }
  },
})
