/** What the operations on one multipart upload share. */
import { isOrderedId } from '../../lib/hybrid-clock.ts'
import { S3Error } from '../../model/errors.ts'
import { parsePartNumber } from '../../model/ranges.ts'
import type { UploadRecord } from '../../model/upload.ts'
import { objectKey, query } from '../../s3/members.ts'

/** @throws S3Error NoSuchUpload: what has not the form of an id is the id of nothing */
export const uploadMembers = {
  Key: objectKey(),
  UploadId: query('uploadId').map((text) => {
    if (isOrderedId(text)) return text
    throw new S3Error('NoSuchUpload', { details: { UploadId: text.slice(0, 1024) } })
  }),
}

export const partNumberMember = { PartNumber: query('partNumber').map(parsePartNumber) }

/** The checksum of an upload in XML, as far as the client named one. */
export function givenChecksum({ checksum }: UploadRecord): { readonly ChecksumAlgorithm?: string; readonly ChecksumType?: string } {
  return checksum.isGiven ? { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type } : {}
}
