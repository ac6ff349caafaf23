/** PutObject. */
import { quoteEtag } from '../model/etag.ts'
import { operation } from '../s3/define.ts'
import { objectKey } from '../s3/members.ts'
import { attributeMembers, attributesOf, encryptionHeader } from './shared/attributes.ts'
import { contentClaims, typedChecksumHeaders } from './shared/checksums.ts'
import { conditionally, writeConditions } from './shared/conditions.ts'
import { expirationHeader } from './shared/expiration.ts'
import { checkLockedContent } from './shared/object-lock.ts'
import { versionHeader } from './shared/version-ids.ts'

/**
 * Stores an object: bytes first, then its row; answered when both would survive a power cut.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export const PutObject = operation({
  name: 'PutObject',
  route: 'PUT /{Bucket}/{Key+}',
  action: 's3:PutObject',
  writes: true,
  input: { Key: objectKey(), ...attributeMembers, Claims: contentClaims(), Conditions: writeConditions() },
  body: 'stream',
  errors: [
    'AccessControlListNotSupported',
    'BadDigest',
    'BadRequest',
    'ConditionalRequestConflict',
    'EntityTooLarge',
    'InvalidArgument',
    'InvalidDigest',
    'InvalidRedirectLocation',
    'InvalidRequest',
    'InvalidStorageClass',
    'InvalidTag',
    'MetadataTooLarge',
    'MissingContentLength',
    'NoSuchKey',
    'NotImplemented',
    'PreconditionFailed',
  ],

  async handle(context, input, body) {
    const { bucket, services, signal } = context
    const { Key: key, Claims: claims, Conditions: conditions } = input
    const attributes = await attributesOf(context, input)
    checkLockedContent(bucket, { lock: input.Lock, claims, what: 'Object' })
    const { version, isVersioned } = await conditionally(context, { key, conditions }, () =>
      services.objects.put({ bucket, key, attributes, claims, conditions, signal }, body),
    )
    const { record } = version
    return {
      status: 200,
      headers: {
        etag: quoteEtag(version.etag),
        ...(isVersioned && versionHeader(version)),
        ...encryptionHeader(record.encryption !== undefined),
        ...typedChecksumHeaders(record.checksum),
        ...expirationHeader(context, version),
      },
    }
  },
})
