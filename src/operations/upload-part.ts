/** UploadPart. */

import type { ChecksumClaim } from '../model/checksums.ts'
import { S3Error } from '../model/errors.ts'
import { quoteEtag } from '../model/etag.ts'
import { refuseUnsupported } from '../model/headers.ts'
import type { RequestedLock } from '../model/object-lock-input.ts'
import type { UploadRecord } from '../model/upload.ts'
import { operation } from '../s3/define.ts'
import { headers } from '../s3/members.ts'
import { encryptionHeader } from './shared/attributes.ts'
import { checksumHeaders, claimedChecksum, contentClaims } from './shared/checksums.ts'
import { checkLockedContent } from './shared/object-lock.ts'
import { partNumberMember, uploadMembers } from './shared/uploads.ts'

/**
 * Stores one part of an upload, in place of an earlier one of its number.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
 */
export const UploadPart = operation({
  name: 'UploadPart',
  route: 'PUT /{Bucket}/{Key+}?partNumber&uploadId',
  action: 's3:PutObject',
  writes: true,
  input: { ...uploadMembers, ...partNumberMember, Claims: contentClaims(), Supported: headers(refuseUnsupported) },
  body: 'stream',
  errors: ['BadDigest', 'EntityTooLarge', 'InvalidArgument', 'InvalidDigest', 'InvalidRequest', 'MissingContentLength', 'NoSuchUpload'],

  async handle({ bucket, services, signal }, { Key: key, UploadId: uploadId, PartNumber: number, Claims: claims }, body) {
    const address = { bucket, key, uploadId }
    const { record } = await services.objects.findOpenUpload(address)
    checkClaim(record, claims.checksum)
    checkLockedContent(bucket, { lock: lockIn(record), claims, what: 'Part' })
    const { part } = await services.objects.putPart({ ...address, number, claims, signal }, body)
    return {
      status: 200,
      headers: {
        etag: quoteEtag(part.etag),
        ...encryptionHeader(record.isEncrypted),
        ...checksumHeaders(claimedChecksum(claims, body) ?? part.checksum),
      },
    }
  },
})

function lockIn({ retention, legalHold }: UploadRecord): RequestedLock {
  return { ...(retention !== undefined && { retention }), ...(legalHold !== undefined && { legalHold }) }
}

/**
 * An upload with a checksum of the client's choice takes no other; one that is made of its parts' checksums needs each of them.
 * @throws S3Error InvalidRequest
 */
function checkClaim({ checksum }: UploadRecord, claim: ChecksumClaim | undefined): void {
  if (!checksum.isGiven) return
  const isMissing = claim === undefined && checksum.type === 'COMPOSITE'
  if (!isMissing && (claim === undefined || claim.algorithm === checksum.algorithm)) return
  const [expected, actual] = [checksum.algorithm.toLowerCase(), claim?.algorithm.toLowerCase() ?? 'null']
  throw new S3Error('InvalidRequest', {
    message: `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual}`,
  })
}
