/** S3 as the screens speak to it: one region's endpoint, through the console's server. */
import type { Api, CallOptions } from './http.ts'
import { parseXml, toXml, type XmlElement, type XmlNode } from './xml.ts'

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'

export interface S3Address {
  readonly region: string
  readonly bucket?: string
  readonly key?: string
  readonly query?: Readonly<Record<string, string | undefined>>
}

/** The path below the console's origin. A key keeps its slashes, and everything else of it is escaped. */
export function s3Path({ region, bucket, key, query = {} }: S3Address): string {
  const path = ['/api/s3', encodeURIComponent(region), bucket, key?.split('/').map(escaped).join('/')].filter((part) => part !== undefined)
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [value === '' ? name : `${name}=${escaped(value)}`],
  )
  return path.join('/') + (bucket === undefined ? '/' : '') + (given.length > 0 ? `?${given.join('&')}` : '')
}

/** As S3 signs it: everything but unreserved characters. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** @throws ApiError */
export async function s3Get(api: Api, address: S3Address, options: CallOptions = {}): Promise<XmlElement> {
  const response = await api.call(s3Path(address), options)
  return parseXml(await response.text())
}

/** A document as the body. @throws ApiError */
export async function s3Put(
  api: Api,
  address: S3Address,
  document?: { readonly root: string; readonly content: XmlNode },
  options: Pick<CallOptions, 'headers' | 'method'> = {},
): Promise<Response> {
  const { root = '', content } = document ?? {}
  return await api.call(s3Path(address), {
    method: 'PUT',
    ...options,
    ...(document === undefined ? {} : { body: toXml(root, content).replace(`<${root}>`, `<${root} xmlns="${namespace}">`) }),
  })
}

export interface BucketEntry {
  readonly name: string
  readonly region: string
  readonly createdAt: string
}

/** Every bucket of the caller's account: each region knows those of all. @throws ApiError */
export async function listBuckets(api: Api, region: string, signal?: AbortSignal): Promise<readonly BucketEntry[]> {
  const found: BucketEntry[] = []
  for (let token: string | undefined = ''; token !== undefined; ) {
    const query = token === '' ? {} : { 'continuation-token': token }
    const page: XmlElement = await s3Get(api, { region, query }, signal === undefined ? {} : { signal })
    for (const bucket of page.child('Buckets')?.all('Bucket') ?? []) {
      found.push({
        name: bucket.text('Name') ?? '',
        region: bucket.text('BucketRegion') ?? region,
        createdAt: bucket.text('CreationDate') ?? '',
      })
    }
    token = page.text('ContinuationToken')
  }
  return found
}

/** @throws ApiError */
export async function getVersioning(
  api: Api,
  at: { readonly region: string; readonly bucket: string },
): Promise<'Off' | 'Enabled' | 'Suspended'> {
  const answer = await s3Get(api, { ...at, query: { versioning: '' } })
  const status = answer.text('Status')
  return status === 'Enabled' || status === 'Suspended' ? status : 'Off'
}

/** @throws ApiError */
export async function createBucket(
  api: Api,
  { region, bucket, isVersioned }: { readonly region: string; readonly bucket: string; readonly isVersioned: boolean },
): Promise<void> {
  await s3Put(
    api,
    { region, bucket },
    region === 'us-east-1' ? undefined : { root: 'CreateBucketConfiguration', content: { LocationConstraint: region } },
  )
  if (isVersioned) await putVersioning(api, { region, bucket, status: 'Enabled' })
}

/** @throws ApiError */
export async function putVersioning(
  api: Api,
  { region, bucket, status }: { readonly region: string; readonly bucket: string; readonly status: 'Enabled' | 'Suspended' },
): Promise<void> {
  await s3Put(api, { region, bucket, query: { versioning: '' } }, { root: 'VersioningConfiguration', content: { Status: status } })
}
