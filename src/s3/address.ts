/** Reads bucket and key from the path and the Host header: path style, or virtual-host style under a configured domain. */
import { S3Error } from '../model/errors.ts'
import { decodePathKey } from '../model/names.ts'
import type { RouteShape } from './route.ts'

export interface Address {
  readonly shape: RouteShape
  readonly bucketName: string | undefined
  /** Decoded once; its rules are not checked yet. */
  readonly key: string | undefined
  /** What stands behind `/_` on a path-style address: `health/live`, `peer/…`. Such a bucket name cannot exist. */
  readonly internal: string | undefined
}

export interface Addressed {
  /** As sent, without the query. */
  readonly rawPath: string
  /** The Host header. */
  readonly host: string | undefined
}

const internalNames = ['/_health/', '/_peer/'] as const

/**
 * @param domains host names in lower case; `bucket.domain` addresses a bucket, any other host means path style
 * @throws S3Error InvalidURI
 */
export function addressOf({ rawPath, host }: Addressed, domains: readonly string[]): Address {
  if (!rawPath.startsWith('/')) throw new S3Error('InvalidURI')
  const hostBucket = bucketOfHost(host, domains)
  if (hostBucket !== undefined) return addressIn(hostBucket, rawPath.slice(1))

  if (internalNames.some((name) => rawPath.startsWith(name))) {
    return { shape: 'service', bucketName: undefined, key: undefined, internal: rawPath.slice('/_'.length) }
  }
  if (rawPath === '/') return { shape: 'service', bucketName: undefined, key: undefined, internal: undefined }
  const slash = rawPath.indexOf('/', 1)
  const bucketName = decodePathKey(slash === -1 ? rawPath.slice(1) : rawPath.slice(1, slash))
  return addressIn(bucketName, slash === -1 ? '' : rawPath.slice(slash + 1))
}

function addressIn(bucketName: string, rawKey: string): Address {
  if (rawKey === '') return { shape: 'bucket', bucketName, key: undefined, internal: undefined }
  return { shape: 'object', bucketName, key: decodePathKey(rawKey), internal: undefined }
}

/** Bucket names may hold dots, so that the domain is looked for at the end; the longest one that fits decides. */
function bucketOfHost(host: string | undefined, domains: readonly string[]): string | undefined {
  if (host === undefined || domains.length === 0) return undefined
  const name = host.toLowerCase().replace(/:\d*$/, '')
  const fitting = domains.filter((domain) => name === domain || name.endsWith(`.${domain}`)).sort((a, b) => b.length - a.length)
  const [domain] = fitting
  return domain === undefined || name === domain ? undefined : name.slice(0, -domain.length - 1)
}
