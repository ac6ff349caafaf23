/** The body of a request as its handler may read it: unwrapped, measured, and checked against what the head promised. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { S3Error, type S3ErrorCode } from '../../model/errors.ts'
import { ByteReader, brokenOff, OwnBuffers } from './byte-reader.ts'
import { ChunkSignatures } from './chunk-signatures.ts'
import { chunkedBytes } from './chunks.ts'
import { headerOf, type RequestHead } from './head.ts'
import type { ChunkSeed, PayloadMode } from './payload.ts'
import { isSameSignature } from './signature.ts'
import { checkAnnounced } from './trailers.ts'

export interface BodyHeaders {
  /** Content-Length */
  readonly contentLength?: number
  /** x-amz-decoded-content-length */
  readonly decodedContentLength?: number
  /** Names in x-amz-trailer, lower case. */
  readonly trailer?: readonly string[]
}

/**
 * Bytes that come out are only believed when the iteration ends without an error: a wrong hash, length or trailer is known at
 * the end. To be read once.
 */
export interface Body extends AsyncIterable<Buffer> {
  /** Of the bytes that come out; undefined for the file of a form. */
  readonly lengthBytes: number | undefined
  /** Lower-case name → value; {} without trailers. To be asked after the last byte, earlier is a mistake of the caller's. */
  trailers(): Readonly<Record<string, string>>
  /** For a reader that is done with a piece and all before it: gives back their memory. */
  release(piece: Buffer): void
}

/** What a request's head says the length of. */
export interface MeasuredBody extends Body {
  readonly lengthBytes: number
}

interface OpenBodyOptions {
  readonly payload: PayloadMode
  /** Needed by the mode chunked-signed. */
  readonly seed?: ChunkSeed
  readonly headers: BodyHeaders
}

/** @throws S3Error InvalidArgument (a length that is no length) */
export function bodyHeadersOf(head: Pick<RequestHead, 'headers'>): BodyHeaders {
  const contentLength = lengthOf(head, 'content-length')
  const decodedContentLength = lengthOf(head, 'x-amz-decoded-content-length')
  const announced = headerOf(head, 'x-amz-trailer')
  const trailer = announced?.split(',').map((name) => name.trim().toLowerCase())
  return {
    ...(contentLength !== undefined && { contentLength }),
    ...(decodedContentLength !== undefined && { decodedContentLength }),
    ...(trailer !== undefined && { trailer }),
  }
}

/**
 * Reads nothing yet: the first byte is pulled by the first iteration, which is when `100 Continue` is due. A Readable is left
 * open when the reader gives up, so that an answer can still be sent.
 * @throws S3Error MissingContentLength | InvalidRequest (x-amz-trailer)
 *
 * The iteration throws S3Error IncompleteBody | XAmzContentSHA256Mismatch | SignatureDoesNotMatch | InvalidChunkSizeError |
 * MalformedTrailerError, and whatever S3Error the source throws.
 */
export function openBody(raw: AsyncIterable<Buffer>, options: OpenBodyOptions): MeasuredBody {
  const { payload, headers } = options
  const isChunked = payload.mode === 'chunked-signed' || payload.mode === 'chunked-unsigned-trailer'
  const lengthBytes = isChunked ? headers.decodedContentLength : (headers.contentLength ?? headers.decodedContentLength)
  if (lengthBytes === undefined) throw new S3Error('MissingContentLength')
  const hasTrailer = isChunked && (payload.mode === 'chunked-unsigned-trailer' || payload.trailer)
  const announced = headers.trailer ?? []
  checkAnnounced(announced)
  if (!hasTrailer && announced.length > 0) {
    throw new S3Error('InvalidRequest', { message: 'x-amz-trailer needs a payload with a trailer; see x-amz-content-sha256.' })
  }
  return new RequestBody(lengthBytes, ({ ended, own }) => {
    const source = raw instanceof Readable ? raw.iterator({ destroyOnReturn: false }) : raw
    if (!isChunked) return plainBytes(source, { payload, lengthBytes, ended, own })
    const reader = new ByteReader(source, own)
    const signatures = payload.mode === 'chunked-signed' ? new ChunkSignatures(seedOf(options)) : undefined
    const chunks = chunkedBytes({
      reader,
      decodedLengthBytes: lengthBytes,
      ...(headers.contentLength !== undefined && { encodedLengthBytes: headers.contentLength }),
      ...(signatures !== undefined && { signatures }),
      ...(hasTrailer && { announced }),
    })
    return withTrailers(reader, chunks, ended)
  })
}

/**
 * A whole body in memory, for XML and forms.
 * @param code what a body over `maxBytes` is refused with
 */
export async function readWhole(
  body: AsyncIterable<Buffer> & { readonly lengthBytes?: number | undefined },
  { maxBytes, code = 'EntityTooLarge' }: { maxBytes: number; code?: S3ErrorCode },
): Promise<Buffer> {
  const tooLarge = () => new S3Error(code, { details: { MaxSizeAllowed: maxBytes } })
  if (body.lengthBytes !== undefined && body.lengthBytes > maxBytes) throw tooLarge()
  const pieces: Buffer[] = []
  let lengthBytes = 0
  for await (const piece of body) {
    lengthBytes += piece.length
    if (lengthBytes > maxBytes) throw tooLarge()
    pieces.push(piece)
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, lengthBytes)
}

/** Content-Encoding as it is stored: aws-chunked was for the way here only. undefined when nothing else is left. */
export function contentEncodingWithoutChunked(value: string | undefined): string | undefined {
  if (value === undefined || !/aws-chunked/i.test(value)) return value
  const kept = value.split(',').map((coding) => coding.trim())
  return kept.filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked').join(',') || undefined
}

/** Told once, when every byte has been given and checked. */
type Ended = (trailers: ReadonlyMap<string, string>) => void

type Open = (of: { readonly ended: Ended; readonly own: OwnBuffers }) => AsyncGenerator<Buffer, void, void>

class RequestBody implements MeasuredBody {
  readonly lengthBytes: number
  readonly #open: Open
  readonly #own = new OwnBuffers()
  #isOpen = false
  #trailers: Readonly<Record<string, string>> | undefined

  constructor(lengthBytes: number, open: Open) {
    this.lengthBytes = lengthBytes
    this.#open = open
  }

  trailers(): Readonly<Record<string, string>> {
    if (this.#trailers === undefined) throw new Error('trailers() was called before the end of the body')
    return this.#trailers
  }

  [Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    if (this.#isOpen) throw new Error('the body was read twice')
    this.#isOpen = true
    const ended: Ended = (trailers) => {
      this.#trailers = Object.fromEntries(trailers)
    }
    return this.#open({ ended, own: this.#own })
  }

  release(piece: Buffer): void {
    this.#own.release(piece)
  }
}

async function* withTrailers(
  reader: ByteReader,
  chunks: AsyncGenerator<Buffer, ReadonlyMap<string, string>, void>,
  ended: Ended,
): AsyncGenerator<Buffer, void, void> {
  try {
    ended(yield* chunks)
  } finally {
    await reader.close()
  }
}

const noTrailers: ReadonlyMap<string, string> = new Map()

async function* plainBytes(
  source: AsyncIterable<Buffer>,
  { payload, lengthBytes, ended, own }: { payload: PayloadMode; lengthBytes: number; ended: Ended; own: OwnBuffers },
): AsyncGenerator<Buffer, void, void> {
  const digest = payload.mode === 'sha256' ? createHash('sha256') : undefined
  let receivedBytes = 0
  try {
    for await (const piece of source) {
      if (piece.length === 0) continue
      receivedBytes += piece.length
      if (receivedBytes > lengthBytes) throw new S3Error('IncompleteBody')
      digest?.update(piece)
      own.add(piece)
      yield piece
    }
  } catch (cause) {
    throw brokenOff(cause)
  }
  if (receivedBytes !== lengthBytes) throw new S3Error('IncompleteBody')
  if (payload.mode === 'sha256' && digest !== undefined) checkSha256(payload.hex, digest.digest('hex'))
  ended(noTrailers)
}

function checkSha256(promised: string, computed: string): void {
  if (isSameSignature(computed, promised)) return
  throw new S3Error('XAmzContentSHA256Mismatch', {
    details: { ClientComputedContentSHA256: promised, S3ComputedContentSHA256: computed },
  })
}

function seedOf({ seed }: OpenBodyOptions): ChunkSeed {
  if (seed === undefined) throw new Error('a chunked-signed body needs the seed of its signatures')
  return seed
}

function lengthOf(head: Pick<RequestHead, 'headers'>, name: string): number | undefined {
  const text = headerOf(head, name)
  if (text === undefined) return undefined
  const length = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(length)) return length
  throw new S3Error('InvalidArgument', {
    message: `The value of ${name} is not a length.`,
    details: { ArgumentName: name, ArgumentValue: text },
  })
}
