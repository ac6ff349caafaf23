/** ListBuckets: what the caller owns, in every region. */
import { listBucketsMaxEntries } from '../model/limits.ts'
import { decodeToken, encodeToken } from '../model/listing-parameters.ts'
import { checkKeyText } from '../model/names.ts'
import { operation } from '../s3/define.ts'
import { integerQuery, query } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { isoTime } from '../s3/xml/write.ts'
import { accountOf } from './shared/account.ts'

/**
 * Read from the directory that every region has, so that any of them answers for all: a region that cannot be reached hides no bucket.
 * Beyond AWS, `bucket-region` may name another region than the one that is asked, and each bucket's region is always told.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
 */
export const ListBuckets = operation({
  name: 'ListBuckets',
  route: 'GET /',
  action: 's3:ListAllMyBuckets',
  input: {
    MaxBuckets: integerQuery('max-buckets', { min: 1, max: listBucketsMaxEntries }).optional(),
    ContinuationToken: query('continuation-token').map(decodeToken).optional(),
    Prefix: query('prefix').map(checkedPrefix).optional(),
    BucketRegion: query('bucket-region').optional(),
  },
  errors: ['InvalidArgument'],

  async handle({ caller, services }, { MaxBuckets: limit = listBucketsMaxEntries, ContinuationToken, Prefix, BucketRegion }) {
    const { canonicalId } = accountOf(caller)
    const found = await services.control.listBuckets({
      ownerId: canonicalId,
      after: ContinuationToken ?? '',
      prefix: Prefix ?? '',
      ...(BucketRegion !== undefined && { region: BucketRegion }),
      limit: limit + 1,
    })
    const page = found.slice(0, limit)
    const last = page.at(-1)
    const body = xml('ListAllMyBucketsResult', {
      Owner: { ID: canonicalId },
      Buckets: {
        Bucket: page.map(({ name, createdMs, region }) => ({ Name: name, CreationDate: isoTime(createdMs), BucketRegion: region })),
      },
      ContinuationToken: found.length > limit && last !== undefined ? encodeToken(last.name) : undefined,
      Prefix,
    })
    return { status: 200, body }
  },
})

function checkedPrefix(prefix: string): string {
  checkKeyText('prefix', prefix)
  return prefix
}
