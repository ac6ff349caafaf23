/** Bytes on their way in: hashed and stored in one pass, and believed only when everything that was promised about them holds. */

import { DiskFull } from '../blobs/errors.ts'
import type { WrittenBlob } from '../blobs/store.ts'
import type { HashName } from '../lib/hash.ts'
import type { StreamHasher } from '../lib/hash-thread.ts'
import { type ChecksumAlgorithm, type ChecksumClaim, checksumHeader, parseChecksumValue } from '../model/checksums.ts'
import { S3Error } from '../model/errors.ts'
import type { StoredChecksum } from '../model/version.ts'
import type { ObjectParts } from './parts.ts'
import { asUnavailable } from './unavailable.ts'

/** A body as the service reads it, whoever sent it. Read once, from the first byte on; an error thrown inside means that nothing of it counts. */
export interface ContentSource extends AsyncIterable<Buffer> {
  /** undefined: known at the end, and 5 GiB at most. */
  readonly lengthBytes: number | undefined
  /** Lower-case name → value, after the last byte. */
  trailers(): Readonly<Record<string, string>>
  /** For a reader that is done with a piece and all before it: gives back their memory. Absent: it is somebody else's. */
  release?(piece: Buffer): void
}

/** What the sender promised about the bytes. */
export interface ContentClaims {
  /** Base64 of the MD5, as Content-MD5 gives it. */
  readonly contentMd5?: string | undefined
  readonly checksum?: ChecksumClaim | undefined
}

export interface StoreContentOptions {
  readonly claims: ContentClaims
  /** The checksum to keep when the claim does not decide it. */
  readonly algorithm: ChecksumAlgorithm
  readonly encrypt: boolean
  readonly signal: AbortSignal
}

export interface StoredContent {
  readonly blob: WrittenBlob
  readonly size: number
  /** Lower-case hex: the ETag of a simple object or part. */
  readonly md5: string
  readonly checksum: StoredChecksum
}

/** Up to here a body is gathered, checked and only then written: in one record, with one-shot digests. */
const gatherMaxBytes = 128 * 1024

/**
 * Stores a body. Nothing is left behind when it throws.
 * @throws S3Error BadDigest, InvalidDigest, IncompleteBody, ServiceUnavailable (no room), and whatever the source throws
 */
export async function storeContent(parts: ObjectParts, source: ContentSource, options: StoreContentOptions): Promise<StoredContent> {
  checkTaken(parts)
  const wanted = wantedDigests(options)
  return source.lengthBytes !== undefined && source.lengthBytes <= gatherMaxBytes
    ? await storeGathered(parts, source, options, wanted)
    : await storeStreamed(parts, source, options, wanted)
}

/** What forms bring is short more often than not: hashed without a thread. */
const unknownLengthBytes = 0

/** A source over bytes that are here already, or that come from another object of ours. */
export function contentOf(lengthBytes: number, chunks: AsyncIterable<Buffer>): ContentSource {
  return { lengthBytes, trailers: () => ({}), [Symbol.asyncIterator]: () => chunks[Symbol.asyncIterator]() }
}

/**
 * Refuses before the first byte what the commit would refuse after the last one. Otherwise each try of a client that is told to try again
 * would leave a dead record in a segment, and eat up the reserve that deletes need.
 */
function checkTaken({ metadata }: ObjectParts): void {
  const { state, reason } = metadata.status()
  if (state === 'open') return
  throw new S3Error('ServiceUnavailable', reason === undefined ? {} : { message: reason })
}

interface WantedDigests {
  readonly contentMd5: Buffer | undefined
  readonly kept: ChecksumAlgorithm
  /** The claim's, when it differs from the one that is kept. */
  readonly claimed: ChecksumAlgorithm | undefined
}

function wantedDigests({ claims, algorithm }: StoreContentOptions): WantedDigests {
  const contentMd5 = claims.contentMd5 === undefined ? undefined : decodeMd5(claims.contentMd5)
  const claimed = claims.checksum?.algorithm === algorithm ? undefined : claims.checksum?.algorithm
  return { contentMd5, kept: algorithm, claimed }
}

async function storeGathered(
  parts: ObjectParts,
  source: ContentSource,
  options: StoreContentOptions,
  wanted: WantedDigests,
): Promise<StoredContent> {
  const bytes = await gather(source)
  const digest = (name: HashName): Buffer => parts.hashing.digest(name, bytes)
  const judged = judge({ source, claims: options.claims, wanted, digest })
  const blob = await write(parts, bytes, { encrypt: options.encrypt, lengthBytes: bytes.length, signal: options.signal })
  return { blob, size: bytes.length, ...judged }
}

async function storeStreamed(
  parts: ObjectParts,
  source: ContentSource,
  options: StoreContentOptions,
  wanted: WantedDigests,
): Promise<StoredContent> {
  const hasher = parts.hashing.stream(digestNames(wanted), source.lengthBytes ?? unknownLengthBytes)
  let blob: WrittenBlob
  try {
    blob = await write(parts, hashed(source, hasher), {
      encrypt: options.encrypt,
      ...(source.lengthBytes !== undefined && { lengthBytes: source.lengthBytes }),
      signal: options.signal,
    })
  } catch (error) {
    hasher.abandon()
    throw error
  }
  try {
    const digests = await hasher.digests()
    const judged = judge({ source, claims: options.claims, wanted, digest: (name) => digests.get(name) ?? Buffer.alloc(0) })
    return { blob, size: blob.lengthBytes, ...judged }
  } catch (error) {
    await parts.blobs.remove([blob.ref])
    throw error
  }
}

async function write(
  { blobs }: ObjectParts,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  options: { readonly encrypt: boolean; readonly lengthBytes?: number; readonly signal: AbortSignal },
): Promise<WrittenBlob> {
  try {
    return await blobs.write(source, options)
  } catch (error) {
    if (error instanceof DiskFull) throw new S3Error('ServiceUnavailable', { message: 'There is no room left on the disk.', cause: error })
    throw asUnavailable(error)
  }
}

function judge(of: {
  readonly source: ContentSource
  readonly claims: ContentClaims
  readonly wanted: WantedDigests
  readonly digest: (name: HashName) => Buffer
}): { readonly md5: string; readonly checksum: StoredChecksum } {
  const md5 = of.digest('md5')
  if (of.wanted.contentMd5 !== undefined && !md5.equals(of.wanted.contentMd5)) {
    throw new S3Error('BadDigest', {
      message: 'The Content-MD5 you specified did not match what we received.',
      details: { ExpectedDigest: of.wanted.contentMd5.toString('hex'), CalculatedDigest: md5.toString('base64') },
    })
  }
  const checksumValue = (algorithm: ChecksumAlgorithm): string => of.digest(hashNameOf(algorithm)).toString('base64')
  const claim = of.claims.checksum
  if (claim !== undefined) {
    const claimed = claim.from === 'header' ? claim.value : trailerValue(of.source, claim.algorithm)
    if (claimed !== checksumValue(claim.algorithm)) {
      throw new S3Error('BadDigest', { message: `The ${claim.algorithm} you specified did not match the calculated checksum.` })
    }
  }
  return { md5: md5.toString('hex'), checksum: { algorithm: of.wanted.kept, type: 'FULL_OBJECT', value: checksumValue(of.wanted.kept) } }
}

function trailerValue(source: ContentSource, algorithm: ChecksumAlgorithm): string {
  const value = source.trailers()[checksumHeader(algorithm)]
  if (value === undefined) throw new S3Error('MalformedTrailerError')
  return parseChecksumValue(algorithm, value)
}

function digestNames({ kept, claimed }: WantedDigests): readonly HashName[] {
  const names = new Set<HashName>(['md5', hashNameOf(kept)])
  if (claimed !== undefined) names.add(hashNameOf(claimed))
  return [...names]
}

async function* hashed(source: ContentSource, hasher: StreamHasher): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    const taken = hasher.update(chunk)
    if (taken !== undefined) await taken
    yield chunk
    source.release?.(chunk)
  }
}

/** NOTE: the caller has seen that the announced length is small, and the source refuses to give more than it announced. */
async function gather(source: ContentSource): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of source) {
    chunks.push(chunk)
    length += chunk.length
  }
  if (length !== source.lengthBytes) throw new S3Error('IncompleteBody')
  const [only] = chunks
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, length)
}

export function hashNameOf(algorithm: ChecksumAlgorithm): HashName {
  switch (algorithm) {
    case 'CRC32':
      return 'crc32'
    case 'CRC32C':
      return 'crc32c'
    case 'CRC64NVME':
      return 'crc64nvme'
    case 'SHA1':
      return 'sha1'
    case 'SHA256':
      return 'sha256'
    default:
      return algorithm satisfies never
  }
}

function decodeMd5(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 16 || bytes.toString('base64') !== text.trim()) throw new S3Error('InvalidDigest')
  return bytes
}
