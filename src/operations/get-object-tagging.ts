/** GetObjectTagging. */
import { refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey } from '../s3/members.ts'
import { findObject } from './shared/find.ts'
import { taggingBody } from './shared/tagging.ts'
import { isVersioned, versionAction, versionHeader, versionIdQuery } from './shared/version-ids.ts'

/**
 * A version's tags; an empty set is an answer.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
 */
export const GetObjectTagging = operation({
  name: 'GetObjectTagging',
  route: 'GET /{Bucket}/{Key+}?tagging',
  action: versionAction('Get', 'Tagging'),
  input: { Key: objectKey(), VersionId: versionIdQuery(), Supported: headers(refuseUnsupported) },
  errors: ['InvalidArgument', 'MethodNotAllowed', 'NoSuchKey', 'NoSuchVersion'],

  async handle(context, { Key, VersionId }) {
    const version = await findObject(context, { key: Key, versionId: VersionId })
    return {
      status: 200,
      headers: isVersioned(context.bucket) ? versionHeader(version) : {},
      body: taggingBody(version.record.tags.value),
    }
  },
})
