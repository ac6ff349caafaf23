/**
 * What a client says about an object: its own `x-amz-meta-*`, and the system metadata that is returned as it came.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
import { S3Error } from './errors.ts'
import { type Headers, headerValue } from './headers.ts'
import { redirectLocationMaxBytes, userMetadataMaxBytes } from './limits.ts'

/** `[name without x-amz-meta-, value]`, by name. Pairs, not an object: a name may be `__proto__`. Survives JSON. */
export type UserMetadata = readonly (readonly [name: string, value: string])[]

/**
 * Values are header text: one character per byte (latin1), so that RFC 2047 words and raw UTF-8 alike come back byte for byte.
 */
export interface SystemMetadata {
  readonly contentType: string
  readonly cacheControl?: string
  readonly contentDisposition?: string
  readonly contentEncoding?: string
  readonly contentLanguage?: string
  /** As it was sent; S3 does not read it as a date. */
  readonly expires?: string
  readonly websiteRedirectLocation?: string
}

const metaPrefix = 'x-amz-meta-'
const defaultContentType = 'binary/octet-stream' // S3: PutObject

/** @throws S3Error MetadataTooLarge (over 2 KiB of names and values) */
export function parseUserMetadata(headers: Headers): UserMetadata {
  const entries: [string, string][] = []
  for (const header of Object.keys(headers)) {
    if (!header.startsWith(metaPrefix)) continue
    const value = headerValue(headers, header)
    if (value !== undefined) entries.push([header.slice(metaPrefix.length), value])
  }
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  checkUserMetadata(entries)
  return entries
}

/** @throws S3Error MetadataTooLarge */
export function checkUserMetadata(metadata: UserMetadata): void {
  let size = 0
  // Header text has one character per byte.
  for (const [name, value] of metadata) size += name.length + value.length
  if (size > userMetadataMaxBytes) {
    throw new S3Error('MetadataTooLarge', { details: { Size: size, MaxSizeAllowed: userMetadataMaxBytes } })
  }
}

/** The answer's headers for user metadata. */
export function userMetadataHeaders(metadata: UserMetadata): Readonly<Record<string, string>> {
  return Object.fromEntries(metadata.map(([name, value]) => [`${metaPrefix}${name}`, value]))
}

/**
 * `aws-chunked` says how the body travelled, not what is stored, and is dropped from the Content-Encoding.
 * @throws S3Error InvalidRedirectLocation
 */
export function parseSystemMetadata(headers: Headers): SystemMetadata {
  const optional = (name: string): string | undefined => headerValue(headers, name) || undefined
  const redirect = optional('x-amz-website-redirect-location')
  if (redirect !== undefined && (!/^(\/|https?:\/\/)/.test(redirect) || redirect.length > redirectLocationMaxBytes)) {
    throw new S3Error('InvalidRedirectLocation')
  }
  return withoutAbsent({
    contentType: optional('content-type') ?? defaultContentType,
    cacheControl: optional('cache-control'),
    contentDisposition: optional('content-disposition'),
    contentEncoding: withoutAwsChunked(optional('content-encoding')),
    contentLanguage: optional('content-language'),
    expires: optional('expires'),
    websiteRedirectLocation: redirect,
  })
}

/** The answer's headers for system metadata. */
export function systemMetadataHeaders(metadata: SystemMetadata): Readonly<Record<string, string>> {
  const { contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage, expires, websiteRedirectLocation } = metadata
  return {
    'content-type': contentType,
    ...(cacheControl !== undefined && { 'cache-control': cacheControl }),
    ...(contentDisposition !== undefined && { 'content-disposition': contentDisposition }),
    ...(contentEncoding !== undefined && { 'content-encoding': contentEncoding }),
    ...(contentLanguage !== undefined && { 'content-language': contentLanguage }),
    ...(expires !== undefined && { expires }),
    ...(websiteRedirectLocation !== undefined && { 'x-amz-website-redirect-location': websiteRedirectLocation }),
  }
}

function withoutAwsChunked(encoding: string | undefined): string | undefined {
  if (encoding === undefined || !/aws-chunked/i.test(encoding)) return encoding
  const kept = encoding
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked')
  return kept.length === 0 ? undefined : kept.join(',')
}

type WithAbsent = { readonly [Name in keyof SystemMetadata]: SystemMetadata[Name] | undefined } & { readonly contentType: string }

function withoutAbsent(metadata: WithAbsent): SystemMetadata {
  const present = Object.entries(metadata).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(present), contentType: metadata.contentType }
}
