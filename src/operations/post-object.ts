/** PostObject. */
import { S3Error } from '../model/errors.ts'
import { quoteEtag } from '../model/etag.ts'
import { type Headers, headerValue } from '../model/headers.ts'
import { checkObjectTags, parseTaggingHeader, type Tag } from '../model/tags.ts'
import type { ObjectVersion } from '../model/version.ts'
import { type OperationContext, operation } from '../s3/define.ts'
import { header, headers, objectKey } from '../s3/members.ts'
import { type Reply, type ReplyHeaders, xml } from '../s3/reply.ts'
import { attributeMembers, attributesOf, encryptionHeader } from './shared/attributes.ts'
import { contentClaims, typedChecksumHeaders } from './shared/checksums.ts'
import { expirationHeader } from './shared/expiration.ts'
import { locationOf } from './shared/location.ts'
import { TaggingDocument } from './shared/tagging.ts'
import { versionHeader } from './shared/version-ids.ts'

/**
 * Stores what a browser's form uploads. Its fields are read as the headers that PutObject would have.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
export const PostObject = operation({
  name: 'PostObject',
  route: 'POST /{Bucket}',
  action: 's3:PutObject',
  writes: true,
  input: {
    Key: objectKey(),
    ...attributeMembers,
    Tagging: headers(formTags),
    Claims: contentClaims(),
    Status: header('success_action_status').optional(),
    Redirect: header('success_action_redirect').map(redirectOf).optional(),
  },
  body: 'form',
  errors: [
    'AccessControlListNotSupported',
    'BadDigest',
    'BadRequest',
    'EntityTooLarge',
    'EntityTooSmall',
    'IncorrectNumberOfFilesInPostRequest',
    'InvalidArgument',
    'InvalidDigest',
    'InvalidPolicyDocument',
    'InvalidRedirectLocation',
    'InvalidRequest',
    'InvalidStorageClass',
    'InvalidTag',
    'MalformedPOSTRequest',
    'MalformedXML',
    'MaxPostPreDataLengthExceeded',
    'MetadataTooLarge',
    'MissingContentLength',
    'NotImplemented',
    'PreconditionFailed',
  ],

  async handle(context, input, body) {
    const { bucket, services, signal } = context
    const { Key: key, Claims: claims, Redirect: redirect, Status: status } = input
    const attributes = await attributesOf(context, input)
    const { version, isVersioned } = await services.objects.put({ bucket, key, attributes, claims, signal }, body)
    const reply = answerOf(context, { version, status, redirect })
    return { ...reply, headers: { ...objectHeaders(version, isVersioned), ...expirationHeader(context, version), ...reply.headers } }
  },
})

/** `tagging` is the form's own field, a document; `x-amz-tagging` is PutObject's. */
function formTags(all: Headers): readonly Tag[] | undefined {
  const document = headerValue(all, 'tagging')
  const header = headerValue(all, 'x-amz-tagging')
  if (document === undefined) return header === undefined ? undefined : parseTaggingHeader(header)
  if (header !== undefined) {
    throw new S3Error('InvalidArgument', { message: 'Tags are given twice.', details: { ArgumentName: 'tagging', ArgumentValue: '' } })
  }
  const tags = TaggingDocument.decode(Buffer.from(document)).TagSet.Tag
  checkObjectTags(tags)
  return tags
}

/** S3: "if it cannot interpret the URL, it acts as if the field is not present". */
function redirectOf(text: string): URL | undefined {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined
}

function objectHeaders(version: ObjectVersion, isVersioned: boolean): ReplyHeaders {
  const { etag, record } = version
  return {
    etag: quoteEtag(etag),
    ...(isVersioned && versionHeader(version)),
    ...encryptionHeader(record.encryption !== undefined),
    ...typedChecksumHeaders(record.checksum),
  }
}

interface Stored {
  readonly version: ObjectVersion
  readonly status: string | undefined
  readonly redirect: URL | undefined
}

/** 204 for every status that is not one of the three. */
function answerOf(context: OperationContext, { version: { key, etag }, status, redirect }: Stored): Reply {
  const { bucket } = context
  const ETag = quoteEtag(etag)
  if (redirect !== undefined) {
    for (const [name, value] of Object.entries({ bucket: bucket.name, key, etag: ETag })) redirect.searchParams.append(name, value)
    return { status: 303, headers: { location: redirect.href } }
  }
  const location = locationOf(context, key)
  if (status !== '201') return { status: status === '200' ? 200 : 204, headers: { location } }
  return { status: 201, headers: { location }, body: xml('PostResponse', { Location: location, Bucket: bucket.name, Key: key, ETag }) }
}
