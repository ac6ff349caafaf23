/** Listings: the model folds rows into a page and says what to read next; this reads it. */
import type { Steps } from '../metadata/steps.ts'
import { scanUploads } from '../metadata/tables/uploads.ts'
import { type KeyBound, scanCurrent, scanVersions } from '../metadata/tables/version-scans.ts'
import type { Bucket } from '../model/bucket.ts'
import { ListingPage, type ListingResult, type ListingScan, type ListingStart } from '../model/listing.ts'
import type { Upload } from '../model/upload.ts'
import type { ListedVersion } from '../model/version.ts'
import type { ObjectParts } from './parts.ts'

export interface ListRequest<Position> {
  readonly bucket: Bucket
  readonly prefix?: string | undefined
  readonly delimiter?: string | undefined
  readonly maxEntries: number
  readonly start?: ListingStart<Position> | undefined
}

/** Current objects; delete markers are passed over. */
export function listCurrent(parts: ObjectParts, request: ListRequest<{ readonly key: string }>): Promise<ListingResult<ListedVersion>> {
  const begin = (): ListingPage<{ readonly key: string }, ListedVersion> => new ListingPage(request)
  return fill(parts, begin, (scan) => scanCurrent({ bucketId: request.bucket.id, from: keyBound(scan.from), ...boundsOf(scan) }))
}

/** Where a row of a version listing stands. `id` is the ordered id, which null versions have too. */
export interface VersionPosition {
  readonly key: string
  readonly id: string
}

/** All versions and delete markers, a key's newest first. */
export function listVersions(parts: ObjectParts, request: ListRequest<VersionPosition>): Promise<ListingResult<ListedVersion>> {
  const begin = (): ListingPage<VersionPosition, ListedVersion> => new ListingPage(request)
  return fill(parts, begin, ({ from, ...scan }) =>
    from.at === 'key'
      ? scanVersions({ bucketId: request.bucket.id, from: { key: from.key, after: false }, ...boundsOf(scan) })
      : scanVersions({
          bucketId: request.bucket.id,
          from: { key: from.position.key, after: false },
          afterId: from.position.id,
          ...boundsOf(scan),
        }),
  )
}

/** Open multipart uploads by key, then by the time they began. */
export function listUploads(
  parts: ObjectParts,
  request: ListRequest<{ readonly key: string; readonly id: string }>,
): Promise<ListingResult<Upload>> {
  const begin = (): ListingPage<{ readonly key: string; readonly id: string }, Upload> => new ListingPage(request)
  return fill(parts, begin, ({ from, before, limit }) =>
    scanUploads({
      bucketId: request.bucket.id,
      limit,
      ...(before === undefined ? {} : { end: before }),
      ...(from.at === 'key'
        ? { from: { key: from.key, after: false } }
        : { from: { key: from.position.key, after: false }, afterUploadId: from.position.id }),
    }),
  )
}

async function fill<Position extends { readonly key: string }, Row extends Position>(
  { metadata }: ObjectParts,
  begin: () => ListingPage<Position, Row>,
  rowsOf: (scan: ListingScan<Position>) => Steps<readonly Row[]>,
): Promise<ListingResult<Row>> {
  // One query for the whole page: it sees one state of the bucket. NOTE: it may be begun anew, and the page with it.
  return await metadata.read(function* () {
    const page = begin()
    for (let scan = page.nextScan(); scan !== undefined; scan = page.nextScan()) page.accept(yield* rowsOf(scan))
    return page.result()
  })
}

function keyBound(from: ListingStart<{ readonly key: string }>): KeyBound {
  return from.at === 'key' ? { key: from.key, after: false } : { key: from.position.key, after: true }
}

function boundsOf(scan: { readonly before?: string; readonly limit: number }): { readonly end?: string; readonly limit: number } {
  return scan.before === undefined ? { limit: scan.limit } : { limit: scan.limit, end: scan.before }
}
