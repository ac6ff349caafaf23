/** CompleteMultipartUpload. */

import { parseChecksumType } from '../model/checksums.ts'
import { S3Error } from '../model/errors.ts'
import { quoteEtag, unquoteEtag } from '../model/etag.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { objectMaxBytes, partNumberMax, xmlListBodyMaxBytes } from '../model/limits.ts'
import type { UploadOutcome } from '../model/upload.ts'
import { publicVersionId } from '../model/version.ts'
import type { CompleteRequest } from '../objects/multipart.ts'
import { type OperationContext, operation } from '../s3/define.ts'
import { header, headers, xmlBody } from '../s3/members.ts'
import { type Reply, type ReplyHeaders, slow, xml } from '../s3/reply.ts'
import { document, int, list, struct, text } from '../s3/xml/shapes.ts'
import { encryptionHeader } from './shared/attributes.ts'
import { checksumFields, givenChecksums, objectChecksum, typedChecksumElements } from './shared/checksums.ts'
import { writeConditions } from './shared/conditions.ts'
import { expirationHeader } from './shared/expiration.ts'
import { locationOf } from './shared/location.ts'
import { objectTarget } from './shared/targets.ts'
import { uploadMembers } from './shared/uploads.ts'

const Part = struct({ PartNumber: int({ min: 1, max: partNumberMax, code: 'InvalidArgument' }), ETag: text(), ...checksumFields })
const CompleteMultipartUploadDocument = document('CompleteMultipartUpload', struct({ Part: list(Part, { min: 1, max: partNumberMax }) }), {
  maxBytes: xmlListBodyMaxBytes,
})

/**
 * Makes an object of the parts that are named. Asked again with the same parts, it answers the same.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export const CompleteMultipartUpload = operation({
  name: 'CompleteMultipartUpload',
  route: 'POST /{Bucket}/{Key+}?uploadId',
  action: 's3:PutObject',
  writes: true,
  input: {
    ...uploadMembers,
    Checksum: objectChecksum(),
    ChecksumType: header('x-amz-checksum-type').map(parseChecksumType).optional(),
    ObjectSize: header('x-amz-mp-object-size').map(parseSize).optional(),
    Conditions: writeConditions(),
    Supported: headers(refuseUnsupported),
    // The checksum headers are of the object that the parts become.
    Parts: xmlBody(CompleteMultipartUploadDocument, { integrity: 'md5-only' }),
  },
  errors: [
    'BadDigest',
    'EntityTooLarge',
    'EntityTooSmall',
    'InvalidArgument',
    'InvalidPart',
    'InvalidPartOrder',
    'InvalidRequest',
    'MalformedXML',
    'MissingRequestBodyError',
    'NoSuchKey',
    'NoSuchUpload',
    'NotImplemented',
    'PreconditionFailed',
  ],

  handle(context, input) {
    const request: CompleteRequest = {
      bucket: context.bucket,
      key: input.Key,
      uploadId: input.UploadId,
      chosen: input.Parts.Part.map((part) => ({
        PartNumber: part.PartNumber,
        ETag: unquoteEtag(part.ETag),
        checksums: givenChecksums(part),
      })),
      checksum: input.Checksum,
      checksumType: input.ChecksumType,
      objectSize: input.ObjectSize,
      conditions: input.Conditions,
    }
    return Promise.resolve(slow(complete(context, request)))
  },
})

async function complete(context: OperationContext, request: CompleteRequest): Promise<Reply> {
  // The answer to If-Match tells what is there.
  if (request.conditions?.ifMatch !== undefined) await context.authorize('s3:GetObject', objectTarget(context, request.key))
  // NOTE: its conditions are judged by the commit alone: asked again, it answers what it did, although the key is there now.
  const outcome = await context.services.objects.completeUpload(request)
  return {
    status: 200,
    headers: {
      'x-amz-version-id': outcome.isVersioned ? outcome.versionId : undefined,
      ...encryptionHeader(outcome.isEncrypted),
      ...(await expirationOf(context, request.key, outcome)),
    },
    body: xml('CompleteMultipartUploadResult', {
      Location: locationOf(context, request.key),
      ...resultElements(context, request.key, outcome),
    }),
  }
}

/** Of the object as it stands now; nothing when it has been written anew since. */
async function expirationOf(context: OperationContext, key: string, { versionId, etag }: UploadOutcome): Promise<ReplyHeaders> {
  const { bucket, services } = context
  if (bucket.settings.lifecycle === undefined) return {}
  const version = await services.objects.current({ bucket, key, versionId: undefined })
  const isSame = version !== undefined && publicVersionId(version) === versionId && version.etag === etag
  return isSame ? expirationHeader(context, version) : {}
}

function resultElements({ bucket }: OperationContext, key: string, { etag, checksum }: UploadOutcome) {
  return { Bucket: bucket.name, Key: key, ETag: quoteEtag(etag), ...typedChecksumElements(checksum) }
}

/** @throws S3Error InvalidRequest */
function parseSize(value: string): number {
  const size = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  if (size <= objectMaxBytes) return size
  throw new S3Error('InvalidRequest', { message: 'Value for x-amz-mp-object-size header is invalid.' })
}
