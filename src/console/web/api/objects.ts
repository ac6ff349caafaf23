/** Objects and their versions, page by page. */
import type { Api } from './http.ts'
import { s3Get, s3Path } from './s3.ts'
import type { XmlElement } from './xml.ts'

export interface BucketAt {
  readonly region: string
  readonly bucket: string
}

/** A line of a listing: a folder (a common prefix), an object, a version or a delete marker. */
export type Entry =
  | { readonly kind: 'folder'; readonly prefix: string }
  | {
      readonly kind: 'object' | 'marker'
      readonly key: string
      readonly versionId: string | undefined
      readonly isLatest: boolean
      readonly size: number
      readonly modifiedAt: string
      readonly storageClass: string
      readonly etag: string
    }

export interface EntryPage {
  readonly entries: readonly Entry[]
  /** What the next page is asked for with; undefined on the last. */
  readonly next: Readonly<Record<string, string>> | undefined
}

const pageSize = '1000'

/** @throws ApiError */
export async function listEntries(
  api: Api,
  at: BucketAt,
  of: {
    readonly prefix: string
    readonly withVersions: boolean
    readonly from: Readonly<Record<string, string>>
    readonly signal: AbortSignal
  },
): Promise<EntryPage> {
  const common = { prefix: of.prefix, delimiter: '/', 'max-keys': pageSize, 'encoding-type': 'url', ...of.from }
  const query: Record<string, string> = of.withVersions ? { versions: '', ...common } : { 'list-type': '2', ...common }
  const page = await s3Get(api, { ...at, query }, { signal: of.signal })
  const folders = page.all('CommonPrefixes').map((one): Entry => ({ kind: 'folder', prefix: decoded(one.text('Prefix')) }))
  const objects = page.children.flatMap((child) => entriesOf(child))
  return { entries: [...folders, ...objects], next: nextOf(page) }
}

function entriesOf(child: XmlElement): readonly Entry[] {
  if (!['Contents', 'Version', 'DeleteMarker'].includes(child.name)) return []
  return [
    {
      kind: child.name === 'DeleteMarker' ? 'marker' : 'object',
      key: decoded(child.text('Key')),
      versionId: child.text('VersionId'),
      isLatest: child.text('IsLatest') !== 'false',
      size: child.number('Size') ?? 0,
      modifiedAt: child.text('LastModified') ?? '',
      storageClass: child.text('StorageClass') ?? '',
      etag: (child.text('ETag') ?? '').replaceAll('"', ''),
    },
  ]
}

function nextOf(page: XmlElement): EntryPage['next'] {
  if (page.text('IsTruncated') !== 'true') return undefined
  const token = page.text('NextContinuationToken')
  if (token !== undefined) return { 'continuation-token': token }
  const keyMarker = decoded(page.text('NextKeyMarker'))
  const versionMarker = page.text('NextVersionIdMarker')
  return { 'key-marker': keyMarker, ...(versionMarker === undefined || versionMarker === '' ? {} : { 'version-id-marker': versionMarker }) }
}

/** S3 escapes as forms do: a space is a plus. */
function decoded(text: string | undefined): string {
  return decodeURIComponent((text ?? '').replaceAll('+', ' '))
}

/** The answer to HEAD, as header name → value. @throws ApiError */
export async function headObject(
  api: Api,
  at: BucketAt & { readonly key: string; readonly versionId?: string | undefined },
): Promise<ReadonlyMap<string, string>> {
  const { versionId, ...address } = at
  const answer = await api.call(s3Path({ ...address, query: { versionId } }), {
    method: 'HEAD',
    headers: { 'x-amz-checksum-mode': 'ENABLED' },
  })
  return new Map(answer.headers)
}

/** Without a version: a marker is put on top, or an unversioned object goes. @throws ApiError */
export async function deleteObject(
  api: Api,
  at: BucketAt & { readonly key: string; readonly versionId?: string | undefined },
): Promise<void> {
  const { versionId, ...address } = at
  await api.call(s3Path({ ...address, query: { versionId } }), { method: 'DELETE' })
}
