/** ListObjects: the first form of the listing, with markers that are keys. */
import { listMaxEntries } from '../model/limits.ts'
import { startAfterMarker } from '../model/listing.ts'
import { operation } from '../s3/define.ts'
import { xml } from '../s3/reply.ts'
import {
  commonPrefixElements,
  contentsMarkup,
  delimiterElement,
  keyTextQuery,
  keyWriter,
  maxEntriesQuery,
  objectListMembers,
  restoreAt,
} from './shared/listing.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
export const ListObjects = operation({
  name: 'ListObjects',
  route: 'GET /{Bucket}',
  action: 's3:ListBucket',
  input: { ...objectListMembers, Marker: keyTextQuery('marker').optional(), MaxKeys: maxEntriesQuery('max-keys') },
  errors: ['InvalidArgument', 'KeyTooLongError'],

  async handle({ bucket, services, nowMs }, input) {
    const { Prefix: prefix = '', Delimiter: delimiter = '', Marker: marker = '', MaxKeys: maxEntries = listMaxEntries } = input
    const start = marker === '' ? undefined : startAfterMarker(marker, prefix, delimiter)
    const page = await services.objects.listCurrent({ bucket, prefix, delimiter, maxEntries, start })
    const write = keyWriter(input.EncodingType)
    const options = { withOwner: true, restoreAt: restoreAt(input, nowMs) }
    const last = page.next?.lastEntry
    const body = xml('ListBucketResult', {
      Name: bucket.name,
      Prefix: write(prefix),
      Marker: write(marker),
      // Without a delimiter the last key of the page is the next marker, and clients take it from there.
      NextMarker: delimiter === '' || last === undefined ? undefined : write(last.kind === 'row' ? last.row.key : last.prefix),
      MaxKeys: maxEntries,
      Delimiter: delimiterElement(delimiter, write),
      EncodingType: input.EncodingType,
      IsTruncated: page.isTruncated,
      Contents: page.contents.map((version) => contentsMarkup(version, write, options)),
      CommonPrefixes: commonPrefixElements(page.commonPrefixes, write),
    })
    return { status: 200, headers: { 'x-amz-bucket-region': bucket.region }, body }
  },
})
