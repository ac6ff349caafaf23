/** ListObjectVersions: every version and delete marker, a key's newest first. */
import { S3Error } from '../model/errors.ts'
import { listMaxEntries } from '../model/limits.ts'
import { type ListingStart, startAfterMarker } from '../model/listing.ts'
import { type ListedVersion, publicVersionId } from '../model/version.ts'
import type { VersionPosition } from '../objects/list.ts'
import { type OperationContext, operation } from '../s3/define.ts'
import { query } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { escapeXml, isoTime, Markup, type XmlValue } from '../s3/xml/write.ts'
import {
  commonPrefixElements,
  delimiterElement,
  type KeyWriter,
  keyTextQuery,
  keyWriter,
  type MarkupOptions,
  maxEntriesQuery,
  objectListMembers,
  objectMarkup,
  ownerMarkup,
  restoreAt,
} from './shared/listing.ts'
import { parseVersionId } from './shared/version-ids.ts'

interface Markers {
  readonly prefix: string
  readonly delimiter: string
  readonly keyMarker: string
  readonly versionIdMarker: string | undefined
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
export const ListObjectVersions = operation({
  name: 'ListObjectVersions',
  route: 'GET /{Bucket}?versions',
  action: 's3:ListBucketVersions',
  input: {
    ...objectListMembers,
    KeyMarker: keyTextQuery('key-marker').optional(),
    VersionIdMarker: query('version-id-marker').map(parseMarker).optional(),
    MaxKeys: maxEntriesQuery('max-keys'),
  },
  errors: ['InvalidArgument', 'KeyTooLongError'],

  async handle(context, input) {
    const { bucket, services } = context
    const { Prefix: prefix = '', Delimiter: delimiter = '', KeyMarker: keyMarker = '', MaxKeys: maxEntries = listMaxEntries } = input
    const start = await startOf(context, { prefix, delimiter, keyMarker, versionIdMarker: input.VersionIdMarker })
    const page = await services.objects.listVersions({ bucket, prefix, delimiter, maxEntries, start })
    const write = keyWriter(input.EncodingType)
    const options = { withOwner: true, restoreAt: restoreAt(input, context.nowMs) }
    const last = page.next?.lastEntry
    const body = xml('ListVersionsResult', {
      Name: bucket.name,
      Prefix: write(prefix),
      KeyMarker: write(keyMarker),
      VersionIdMarker: input.VersionIdMarker ?? '',
      NextKeyMarker: last === undefined ? undefined : write(last.kind === 'row' ? last.row.key : last.prefix),
      NextVersionIdMarker: last?.kind === 'row' ? publicVersionId(last.row) : undefined,
      MaxKeys: maxEntries,
      Delimiter: delimiterElement(delimiter, write),
      EncodingType: input.EncodingType,
      IsTruncated: page.isTruncated,
      '*': page.contents.map((version) => versionElement(version, write, options)),
      CommonPrefixes: commonPrefixElements(page.commonPrefixes, write),
    })
    return { status: 200, headers: { 'x-amz-bucket-region': bucket.region }, body }
  },
})

/** @throws S3Error InvalidArgument */
function parseMarker(text: string): string {
  if (text !== '') return parseVersionId(text, 'version-id-marker')
  throw invalidMarker('A version-id marker cannot be empty.', text)
}

/** @throws S3Error InvalidArgument for a version marker without its key */
async function startOf(
  { bucket, services }: OperationContext,
  { prefix, delimiter, keyMarker, versionIdMarker }: Markers,
): Promise<ListingStart<VersionPosition> | undefined> {
  if (keyMarker === '') {
    if (versionIdMarker === undefined) return undefined
    throw invalidMarker('A version-id marker cannot be specified without a key marker.', versionIdMarker)
  }
  if (versionIdMarker === undefined) return startAfterMarker(keyMarker, prefix, delimiter)
  if (versionIdMarker !== 'null') return { at: 'after', position: { key: keyMarker, id: versionIdMarker } }
  const marked = await services.objects.nullVersion({ bucket, key: keyMarker })
  // A null version that was deleted since leaves its place unknown. What was listed before it may come again; nothing is passed over.
  return marked === undefined ? { at: 'key', key: keyMarker } : { at: 'after', position: { key: keyMarker, id: marked.id } }
}

function invalidMarker(message: string, value: string): S3Error {
  return new S3Error('InvalidArgument', { message, details: { ArgumentName: 'version-id-marker', ArgumentValue: value } })
}

function versionElement(version: ListedVersion, write: KeyWriter, options: MarkupOptions): XmlValue {
  const { key, isLatest, isDeleteMarker, lastModifiedMs, ownerId } = version
  const names = `<Key>${escapeXml(write(key))}</Key><VersionId>${publicVersionId(version)}</VersionId><IsLatest>${isLatest}</IsLatest>`
  if (!isDeleteMarker) return { Version: new Markup(names + objectMarkup(version, options)) }
  return { DeleteMarker: new Markup(`${names}<LastModified>${isoTime(lastModifiedMs)}</LastModified>${ownerMarkup(ownerId)}`) }
}
