/** ListParts. */
import { quoteEtag } from '../model/etag.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { listMaxEntries } from '../model/limits.ts'
import { operation } from '../s3/define.ts'
import { headers, integerQuery } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { isoTime } from '../s3/xml/write.ts'
import { checksumElement } from './shared/checksums.ts'
import { abortHeaders } from './shared/expiration.ts'
import { maxEntriesQuery } from './shared/listing.ts'
import { givenChecksum, uploadMembers } from './shared/uploads.ts'

/**
 * The parts that an open upload has so far.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
 */
export const ListParts = operation({
  name: 'ListParts',
  route: 'GET /{Bucket}/{Key+}?uploadId',
  action: 's3:ListMultipartUploadParts',
  input: {
    ...uploadMembers,
    MaxParts: maxEntriesQuery('max-parts'),
    PartNumberMarker: integerQuery('part-number-marker').optional(),
    Supported: headers(refuseUnsupported),
  },
  errors: ['InvalidArgument', 'NoSuchUpload'],

  async handle(context, { Key: key, UploadId: uploadId, MaxParts: limit = listMaxEntries, PartNumberMarker: marker = 0 }) {
    const { bucket, services } = context
    const page = await services.objects.listParts({ bucket, key, uploadId }, { afterNumber: marker, limit })
    const { record } = page.upload
    const body = xml('ListPartsResult', {
      Bucket: bucket.name,
      Key: key,
      UploadId: uploadId,
      Initiator: { ID: record.ownerId },
      Owner: { ID: record.ownerId },
      StorageClass: record.storageClass,
      PartNumberMarker: marker,
      NextPartNumberMarker: page.parts.at(-1)?.number ?? marker,
      MaxParts: limit,
      IsTruncated: page.isTruncated,
      ...givenChecksum(record),
      Part: page.parts.map((part) => ({
        PartNumber: part.number,
        LastModified: isoTime(part.lastModifiedMs),
        ETag: quoteEtag(part.etag),
        Size: part.size,
        ...(record.checksum.isGiven && checksumElement(part.checksum)),
      })),
    })
    return { status: 200, headers: abortHeaders(context, page.upload), body }
  },
})
