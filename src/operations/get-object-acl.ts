/** GetObjectAcl. */
import { ownerOnly } from '../model/acl.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey } from '../s3/members.ts'
import { aclBody } from './shared/acl.ts'
import { findObject } from './shared/find.ts'
import { isVersioned, versionAction, versionHeader, versionIdQuery } from './shared/version-ids.ts'

/**
 * A version's ACL. While ACLs are off (BucketOwnerEnforced) everything is the bucket owner's alone, whatever was set before.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html
 */
export const GetObjectAcl = operation({
  name: 'GetObjectAcl',
  route: 'GET /{Bucket}/{Key+}?acl',
  action: versionAction('Get', 'Acl'),
  input: { Key: objectKey(), VersionId: versionIdQuery(), Supported: headers(refuseUnsupported) },
  errors: ['InvalidArgument', 'MethodNotAllowed', 'NoSuchKey', 'NoSuchVersion'],

  async handle(context, { Key, VersionId }) {
    const { bucket } = context
    const version = await findObject(context, { key: Key, versionId: VersionId })
    const isOff = bucket.settings.ownership === 'BucketOwnerEnforced'
    const owner = { ID: isOff ? bucket.ownerId : version.record.ownerId }
    const grants = version.record.acl.value
    return {
      status: 200,
      headers: isVersioned(bucket) ? versionHeader(version) : {},
      body: aclBody(isOff || grants.length === 0 ? ownerOnly(owner) : { Owner: owner, Grants: grants }),
    }
  },
})
