/** Reads a body that is a document: whole, within its limit, and checked against the digests that came with it. */
import type { Hashing, HashName } from '../lib/hash.ts'
import { type ChecksumClaim, checksumHeader, parseChecksumHeaders, parseChecksumValue } from '../model/checksums.ts'
import { S3Error } from '../model/errors.ts'
import { type MeasuredBody, readWhole } from './auth/body.ts'
import { headerOf, type RequestHead } from './auth/head.ts'
import type { BodyMember } from './members.ts'

export interface DocumentSource {
  readonly head: RequestHead
  readonly body: MeasuredBody
  readonly limits: Pick<BodyMember<unknown>, 'maxBytes' | 'integrity'>
  readonly hashing: Hashing
}

/**
 * @throws S3Error MaxMessageLengthExceeded | InvalidDigest | BadDigest | InvalidRequest (checksum headers), and what the body throws
 */
export async function readDocument({ head, body, limits, hashing }: DocumentSource): Promise<Buffer> {
  const md5 = contentMd5(head)
  const claim = limits.integrity === 'md5-only' ? undefined : parseChecksumHeaders(head.headers, announcedTrailers(head))
  if (limits.integrity === 'required' && md5 === undefined && claim === undefined && body.lengthBytes > 0) {
    throw new S3Error('InvalidRequest', { message: 'Missing required header for this request: Content-MD5' })
  }
  const bytes = await readWhole(body, { maxBytes: limits.maxBytes, code: 'MaxMessageLengthExceeded' })
  if (md5 !== undefined && !hashing.digest('md5', bytes).equals(md5)) throw new S3Error('BadDigest')
  if (claim !== undefined) checkChecksum(claim, { bytes, body, hashing })
  return bytes
}

function contentMd5(head: RequestHead): Buffer | undefined {
  const text = headerOf(head, 'content-md5')
  if (text === undefined) return undefined
  const md5 = Buffer.from(text, 'base64')
  if (md5.length !== 16 || md5.toString('base64') !== text) throw new S3Error('InvalidDigest', { details: { 'Content-MD5': text } })
  return md5
}

/** Other trailers than checksums are refused where the body is opened. */
function announcedTrailers(head: RequestHead): readonly string[] {
  const names = headerOf(head, 'x-amz-trailer')?.split(',') ?? []
  return names.map((name) => name.trim().toLowerCase())
}

function checkChecksum(claim: ChecksumClaim, { bytes, body, hashing }: { bytes: Buffer; body: MeasuredBody; hashing: Hashing }): void {
  const { algorithm } = claim
  const promised = claim.from === 'header' ? claim.value : trailerValue(claim, body)
  // The five names are the same words, in S3 in upper case.
  const computed = hashing.digest(algorithm.toLowerCase() as HashName, bytes).toString('base64')
  if (computed === promised) return
  throw new S3Error('BadDigest', { message: `The ${algorithm} you specified did not match the calculated checksum.` })
}

function trailerValue({ algorithm }: ChecksumClaim, body: MeasuredBody): string {
  const value = body.trailers()[checksumHeader(algorithm)]
  if (value === undefined) throw new S3Error('MalformedTrailerError')
  return parseChecksumValue(algorithm, value)
}
