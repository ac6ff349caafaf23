/** ListObjectsV2: the second form of the listing, with opaque tokens. */
import { listMaxEntries } from '../model/limits.ts'
import { type ListingStart, startAfterMarker } from '../model/listing.ts'
import { decodeToken, encodeToken } from '../model/listing-parameters.ts'
import { operation } from '../s3/define.ts'
import { query } from '../s3/members.ts'
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

interface Page {
  readonly token: string | undefined
  readonly startAfter: string | undefined
  readonly prefix: string
  readonly delimiter: string
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const ListObjectsV2 = operation({
  name: 'ListObjectsV2',
  route: 'GET /{Bucket}?list-type=2',
  action: 's3:ListBucket',
  input: {
    ...objectListMembers,
    StartAfter: keyTextQuery('start-after').optional(),
    ContinuationToken: query('continuation-token').optional(),
    FetchOwner: query('fetch-owner').optional(),
    MaxKeys: maxEntriesQuery('max-keys'),
  },
  errors: ['InvalidArgument', 'KeyTooLongError'],

  async handle({ bucket, services, nowMs }, input) {
    const { Prefix: prefix = '', Delimiter: delimiter = '', MaxKeys: maxEntries = listMaxEntries } = input
    const { StartAfter: startAfter, ContinuationToken: token, EncodingType } = input
    const start = startOf({ token, startAfter, prefix, delimiter })
    const page = await services.objects.listCurrent({ bucket, prefix, delimiter, maxEntries, start })
    const write = keyWriter(EncodingType)
    const options = { withOwner: input.FetchOwner?.toLowerCase() === 'true', restoreAt: restoreAt(input, nowMs) }
    const body = xml('ListBucketResult', {
      Name: bucket.name,
      Prefix: write(prefix),
      StartAfter: write(startAfter),
      ContinuationToken: token,
      NextContinuationToken: page.next === undefined ? undefined : encodeToken(page.next.nextKey),
      KeyCount: page.keyCount,
      MaxKeys: maxEntries,
      Delimiter: delimiterElement(delimiter, write),
      EncodingType,
      IsTruncated: page.isTruncated,
      Contents: page.contents.map((version) => contentsMarkup(version, write, options)),
      CommonPrefixes: commonPrefixElements(page.commonPrefixes, write),
    })
    return { status: 200, headers: { 'x-amz-bucket-region': bucket.region }, body }
  },
})

/** A token says where the page before it ended; `start-after` is only where the first one begins. */
function startOf({ token, startAfter, prefix, delimiter }: Page): ListingStart<never> | undefined {
  if (token !== undefined) return { at: 'key', key: decodeToken(token) }
  return startAfter === undefined || startAfter === '' ? undefined : startAfterMarker(startAfter, prefix, delimiter)
}
