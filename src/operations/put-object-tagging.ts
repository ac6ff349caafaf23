/** PutObjectTagging. */
import { refuseUnsupported } from '../model/headers.ts'
import { checkObjectTags } from '../model/tags.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey, xmlBody } from '../s3/members.ts'
import { findObject, hidingAbsence } from './shared/find.ts'
import { TaggingDocument } from './shared/tagging.ts'
import { objectTarget } from './shared/targets.ts'
import { isVersioned, versionAction, versionHeader, versionIdQuery } from './shared/version-ids.ts'

const putTagging = versionAction('Put', 'Tagging')

/**
 * Replaces a version's tags, all of them.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
 */
export const PutObjectTagging = operation({
  name: 'PutObjectTagging',
  route: 'PUT /{Bucket}/{Key+}?tagging',
  action: putTagging,
  tagsInBody: true,
  input: { Key: objectKey(), VersionId: versionIdQuery(), Supported: headers(refuseUnsupported), Tagging: xmlBody(TaggingDocument) },
  errors: [
    'BadRequest',
    'InvalidTag',
    'MalformedXML',
    'MethodNotAllowed',
    'MissingRequestBodyError',
    'NoSuchKey',
    'NoSuchVersion',
    'OperationAborted',
  ],

  async handle(context, { Key, VersionId, Tagging }) {
    const { bucket, services } = context
    const tags = Tagging.TagSet.Tag
    checkObjectTags(tags)
    const confirm = await context.authorize(putTagging({ VersionId }), { ...objectTarget(context, Key, VersionId), tags })
    const judged = await findObject(context, { key: Key, versionId: VersionId })
    confirm?.(judged)
    const version = await hidingAbsence(context, () =>
      services.objects.setAttribute({ bucket, key: Key, versionId: VersionId, judged }, { name: 'tags', value: tags }),
    )
    return { status: 200, headers: isVersioned(bucket) ? versionHeader(version) : {} }
  },
})
