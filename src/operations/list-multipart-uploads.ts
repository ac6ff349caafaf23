/** ListMultipartUploads: uploads that were begun and neither completed nor aborted. */
import { isOrderedId } from '../lib/hybrid-clock.ts'
import { S3Error } from '../model/errors.ts'
import { listMaxEntries } from '../model/limits.ts'
import { type ListingStart, startAfterMarker } from '../model/listing.ts'
import type { Upload } from '../model/upload.ts'
import { operation } from '../s3/define.ts'
import { query } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { isoTime, type XmlValue } from '../s3/xml/write.ts'
import {
  commonPrefixElements,
  delimiterElement,
  type KeyWriter,
  keyTextQuery,
  keyWriter,
  listMembers,
  maxEntriesQuery,
} from './shared/listing.ts'
import { givenChecksum, uploadPeople } from './shared/uploads.ts'

interface Markers {
  readonly prefix: string
  readonly delimiter: string
  readonly keyMarker: string
  readonly uploadIdMarker: string
}

/**
 * By key, and of one key by the time they began.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 */
export const ListMultipartUploads = operation({
  name: 'ListMultipartUploads',
  route: 'GET /{Bucket}?uploads',
  action: 's3:ListBucketMultipartUploads',
  input: {
    ...listMembers,
    KeyMarker: keyTextQuery('key-marker').optional(),
    UploadIdMarker: query('upload-id-marker').map(parseMarker).optional(),
    MaxUploads: maxEntriesQuery('max-uploads'),
  },
  errors: ['InvalidArgument', 'KeyTooLongError'],

  async handle({ bucket, services }, input) {
    const { Prefix: prefix = '', Delimiter: delimiter = '', KeyMarker: keyMarker = '', UploadIdMarker: uploadIdMarker = '' } = input
    const { MaxUploads: maxEntries = listMaxEntries } = input
    const start = startOf({ prefix, delimiter, keyMarker, uploadIdMarker })
    const page = await services.objects.listUploads({ bucket, prefix, delimiter, maxEntries, start })
    const write = keyWriter(input.EncodingType)
    const last = page.next?.lastEntry
    const body = xml('ListMultipartUploadsResult', {
      Bucket: bucket.name,
      KeyMarker: write(keyMarker),
      UploadIdMarker: keyMarker === '' ? '' : uploadIdMarker,
      NextKeyMarker: last === undefined ? undefined : write(last.kind === 'row' ? last.row.key : last.prefix),
      NextUploadIdMarker: last?.kind === 'row' ? last.row.id : undefined,
      Prefix: write(prefix),
      Delimiter: delimiterElement(delimiter, write),
      EncodingType: input.EncodingType,
      MaxUploads: maxEntries,
      IsTruncated: page.isTruncated,
      Upload: page.contents.map((upload) => uploadElement(upload, write)),
      CommonPrefixes: commonPrefixElements(page.commonPrefixes, write),
    })
    return { status: 200, body }
  },
})

/** @throws S3Error InvalidArgument */
function parseMarker(text: string): string {
  if (text === '' || isOrderedId(text)) return text
  throw new S3Error('InvalidArgument', {
    message: 'Invalid uploadId marker',
    details: { ArgumentName: 'upload-id-marker', ArgumentValue: text.slice(0, 1024) },
  })
}

/** S3: without a key-marker the upload-id-marker means nothing. */
function startOf({
  prefix,
  delimiter,
  keyMarker,
  uploadIdMarker,
}: Markers): ListingStart<{ readonly key: string; readonly id: string }> | undefined {
  if (keyMarker === '') return undefined
  if (uploadIdMarker === '') return startAfterMarker(keyMarker, prefix, delimiter)
  return { at: 'after', position: { key: keyMarker, id: uploadIdMarker } }
}

function uploadElement({ id, key, record, initiatedMs }: Upload, write: KeyWriter): XmlValue {
  return {
    Key: write(key),
    UploadId: id,
    ...uploadPeople(record),
    StorageClass: record.storageClass,
    Initiated: isoTime(initiatedMs),
    ...givenChecksum(record),
  }
}
