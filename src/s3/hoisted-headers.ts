/**
 * Headers that a presigned URL carries as query parameters. Signers hoist most `x-amz-*` headers there (metadata, ACL, tags, storage class), and S3
 * takes them as the headers they were; passing them over would store something else than was signed.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { QueryString } from './query-string.ts'

/** Read by the signature or the body, each from its own place. */
const notHeaders: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-decoded-content-length',
  'x-amz-trailer',
  'x-amz-sdk-checksum-algorithm',
])

/**
 * S3 does not look at a checksum in a presigned query: SDKs put that of an empty body there, because whoever signs does not know the body.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
 */
const checksumValue = /^x-amz-checksum-(?!algorithm$|mode$|type$)/

/** The request's headers, with those that its presigned query holds. A header that was sent goes before a parameter of its name. */
export function withHoistedHeaders(headers: IncomingHttpHeaders, query: QueryString): IncomingHttpHeaders {
  if (!query.has('X-Amz-Signature')) return headers
  const all: IncomingHttpHeaders = { ...headers }
  for (const [parameter, value] of query.entries()) {
    const name = parameter.toLowerCase()
    if (!name.startsWith('x-amz-') || notHeaders.has(name) || checksumValue.test(name)) continue
    // A header is bytes, which node shows as latin1.
    all[name] ??= Buffer.from(value).toString('latin1')
  }
  return all
}
