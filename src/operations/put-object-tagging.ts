/** PutObjectTagging. */
import { refuseUnsupported } from '../model/headers.ts'
import { checkObjectTags } from '../model/tags.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey, xmlBody } from '../s3/members.ts'
import { TaggingDocument } from './shared/tagging.ts'
import { isVersioned, versionAction, versionHeader, versionIdQuery } from './shared/version-ids.ts'

/**
 * Replaces a version's tags, all of them.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
 */
export const PutObjectTagging = operation({
  name: 'PutObjectTagging',
  route: 'PUT /{Bucket}/{Key+}?tagging',
  action: versionAction('Put', 'Tagging'),
  input: { Key: objectKey(), VersionId: versionIdQuery(), Supported: headers(refuseUnsupported), Tagging: xmlBody(TaggingDocument) },
  errors: ['BadRequest', 'InvalidTag', 'MalformedXML', 'MethodNotAllowed', 'MissingRequestBodyError', 'NoSuchKey', 'NoSuchVersion'],

  async handle({ bucket, services }, { Key, VersionId, Tagging }) {
    const tags = Tagging.TagSet.Tag
    checkObjectTags(tags)
    const version = await services.objects.setAttribute({ bucket, key: Key, versionId: VersionId }, { name: 'tags', value: tags })
    return { status: 200, headers: isVersioned(bucket) ? versionHeader(version) : {} }
  },
})
