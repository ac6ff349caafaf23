/** The trailer section of an aws-chunked body: read whole, then held against what x-amz-trailer announced. */
import { S3Error } from '../../model/errors.ts'
import type { ByteReader } from './byte-reader.ts'

/** Ours: a trailer carries a checksum, and S3 knows five of them. */
const trailersMaxBytes = 8 * 1024
const trailersMax = 10

/** S3: x-amz-trailer may name nothing else. */
const checksumTrailers: ReadonlySet<string> = new Set([
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
])
const signatureTrailer = 'x-amz-trailer-signature'

export interface TrailerSection {
  /** Lower-case names, in the order sent; without the signature. */
  readonly values: ReadonlyMap<string, string>
  readonly signature?: string
}

/** @throws S3Error InvalidRequest (a name that S3 has no trailer for) */
export function checkAnnounced(names: readonly string[]): void {
  const unknown = names.find((name) => !checksumTrailers.has(name))
  if (unknown === undefined && names.length <= trailersMax) return
  throw new S3Error('InvalidRequest', { message: 'The value specified in the x-amz-trailer header is not supported' })
}

/**
 * Reads to the end of the body. Empty lines are passed over: clients differ in where they put them (one before the trailers,
 * one before the signature, none at the end), and the end of the body ends the section beyond doubt.
 * @throws S3Error MalformedTrailerError | IncompleteBody
 */
export async function readTrailers(reader: ByteReader): Promise<TrailerSection> {
  const values = new Map<string, string>()
  let signature: string | undefined
  let leftBytes = trailersMaxBytes
  for (;;) {
    const raw = await reader.line(leftBytes)
    if (raw === undefined) break
    leftBytes -= raw.length + 1
    if (leftBytes < 0) throw malformed('The trailers are too long.')
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (line === '') continue
    const { name, value } = trailerOf(line)
    if (values.has(name) || signature !== undefined) throw malformed()
    if (name === signatureTrailer) signature = value
    else values.set(name, value)
    if (values.size > trailersMax) throw malformed('There are too many trailers.')
  }
  return signature === undefined ? { values } : { values, signature }
}

/** @throws S3Error MalformedTrailerError unless the trailers sent are the announced ones, no more and no fewer */
export function checkSent(values: TrailerSection['values'], announced: readonly string[]): void {
  const names = new Set(announced)
  if (names.size !== values.size || announced.some((name) => !values.has(name))) throw malformed()
}

/** What x-amz-trailer-signature signs. */
export function canonicalTrailers(values: TrailerSection['values']): string {
  let text = ''
  for (const [name, value] of values) text += `${name}:${value}\n`
  return text
}

export function malformed(message?: string): S3Error {
  return new S3Error('MalformedTrailerError', message === undefined ? {} : { message })
}

function trailerOf(line: string): { name: string; value: string } {
  const parts = /^([A-Za-z0-9-]+):[\t ]*([\x21-\x7e]+)[\t ]*$/.exec(line)
  const [, name, value] = parts ?? []
  if (name === undefined || value === undefined) throw malformed()
  return { name: name.toLowerCase(), value }
}
