/** CopyObject. */
import { parseChecksumAlgorithm } from '../model/checksums.ts'
import { S3Error } from '../model/errors.ts'
import { quoteEtag } from '../model/etag.ts'
import { headerValue } from '../model/headers.ts'
import { putObjectMaxBytes } from '../model/limits.ts'
import { isUnreadable } from '../model/restore.ts'
import type { ObjectAttributes } from '../objects/put.ts'
import { type OperationContext, operation } from '../s3/define.ts'
import { header, headers, type InputOf, objectKey } from '../s3/members.ts'
import { type Reply, slow, xml } from '../s3/reply.ts'
import { isoTime } from '../s3/xml/write.ts'
import { attributeMembers, attributesOf, encryptionHeader } from './shared/attributes.ts'
import { typedChecksumElements } from './shared/checksums.ts'
import { conditionally, writeConditions } from './shared/conditions.ts'
import { type FoundSource, findSource, sourceHeader, sourceMembers } from './shared/copy-source.ts'
import { expirationHeader } from './shared/expiration.ts'
import { untilOpened } from './shared/find.ts'
import { newObjectTarget } from './shared/targets.ts'
import { versionHeader } from './shared/version-ids.ts'

const directives = ['COPY', 'REPLACE'] as const

const members = {
  Key: objectKey(),
  ...sourceMembers,
  ...attributeMembers,
  MetadataDirective: directive('x-amz-metadata-directive', 'Unknown metadata directive.'),
  TaggingDirective: directive('x-amz-tagging-directive', 'Unknown tagging directive.'),
  Algorithm: header('x-amz-checksum-algorithm').map(parseChecksumAlgorithm).optional(),
  Conditions: writeConditions(),
  /** Whether the request asks for something that a copy onto itself would change. */
  HasNewAttribute: headers((all) => attributeHeaders.some((name) => headerValue(all, name) !== undefined)),
}

type CopyInput = InputOf<typeof members>

/** S3: what must be there, or REPLACE, when an object is copied to itself. */
const attributeHeaders = [
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
  'x-amz-server-side-encryption',
  'x-amz-checksum-algorithm',
]

/**
 * Stores the bytes of one object as another, read and written anew. Metadata and tags come along unless REPLACE; ACL, storage class, encryption and
 * website redirect are the request's.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export const CopyObject = operation({
  name: 'CopyObject',
  route: 'PUT /{Bucket}/{Key+} [x-amz-copy-source]',
  action: 's3:PutObject',
  writes: true,
  input: members,
  errors: [
    'AccessControlListNotSupported',
    'BadRequest',
    'ConditionalRequestConflict',
    'InvalidArgument',
    'InvalidRequest',
    'InvalidStorageClass',
    'InvalidTag',
    'MetadataTooLarge',
    'NoSuchKey',
    'NoSuchVersion',
    'NotImplemented',
    'ObjectNotInActiveTierError',
    'PreconditionFailed',
  ],

  async handle(context, input) {
    // What can be refused at once is refused with a status of its own.
    const found = await checkedSource(context, input)
    return slow(untilOpened(async (isRepeated) => copy(context, input, isRepeated ? await checkedSource(context, input) : found)))
  },
})

function directive(name: string, message: string) {
  return headers((all): (typeof directives)[number] => {
    const value = headerValue(all, name) ?? 'COPY'
    const known = directives.find((one) => one === value)
    if (known === undefined)
      throw new S3Error('InvalidArgument', { message, details: { ArgumentName: name, ArgumentValue: value.slice(0, 64) } })
    return known
  })
}

async function checkedSource(context: OperationContext, input: CopyInput): Promise<FoundSource> {
  const source = await findSource(context, input)
  checkSize(source)
  if (isUnreadable(source.version, context.nowMs)) throw new S3Error('ObjectNotInActiveTierError')
  checkChanges(context, input, source)
  return source
}

async function copy(context: OperationContext, input: CopyInput, source: FoundSource): Promise<Reply> {
  const { bucket, services, signal } = context
  const attributes = await copiedAttributes(context, input, source)
  const { Key: key, Conditions: conditions, Algorithm: algorithm } = input
  const { version, isVersioned } = await conditionally(context, { key, conditions }, () =>
    services.objects.copy({ bucket, key, attributes, algorithm, conditions, signal, source: source.version }),
  )
  const { record } = version
  return {
    status: 200,
    headers: {
      ...(isVersioned && versionHeader(version)),
      ...sourceHeader(source),
      ...encryptionHeader(record.encryption !== undefined),
      ...expirationHeader(context, version),
    },
    body: xml('CopyObjectResult', {
      LastModified: isoTime(version.lastModifiedMs),
      ETag: quoteEtag(version.etag),
      ...typedChecksumElements(record.checksum),
    }),
  }
}

function checkSize({ version }: FoundSource): void {
  if (version.size <= putObjectMaxBytes) return
  throw new S3Error('InvalidRequest', {
    message: `The specified copy source is larger than the maximum allowable size for a copy source: ${putObjectMaxBytes}`,
  })
}

/** An older version of the key may be copied as it is: that is how it is brought back. */
function checkChanges({ bucket }: OperationContext, input: CopyInput, source: FoundSource): void {
  const isItself = source.bucket.id === bucket.id && source.version.key === input.Key && input.CopySource.versionId === undefined
  if (!isItself || input.MetadataDirective === 'REPLACE' || input.HasNewAttribute) return
  throw new S3Error('InvalidRequest', {
    message:
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  })
}

async function copiedAttributes(context: OperationContext, input: CopyInput, source: FoundSource): Promise<ObjectAttributes> {
  const { record } = source.version
  const keepsTags = input.TaggingDirective === 'COPY'
  const asked = await attributesOf(context, keepsTags ? { ...input, Tagging: undefined } : input)
  const tags = keepsTags ? record.tags.value : asked.tags
  if (keepsTags && tags.length > 0) {
    await context.authorize(input.CopySource.versionId === undefined ? 's3:GetObjectTagging' : 's3:GetObjectVersionTagging', source.target)
    await context.authorize('s3:PutObjectTagging', newObjectTarget(context, input.Key, tags))
  }
  if (input.MetadataDirective === 'REPLACE') return { ...asked, tags }
  const { websiteRedirectLocation: _notCopied, ...system } = record.system
  const { websiteRedirectLocation } = asked.system
  return {
    ...asked,
    tags,
    user: record.user,
    system: { ...system, ...(websiteRedirectLocation !== undefined && { websiteRedirectLocation }) },
  }
}
