/** Takes the aws-chunked wrapping off a body. */
import { S3Error } from '../../model/errors.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ChunkSignatures } from './chunk-signatures.ts'
import { canonicalTrailers, checkSent, malformed, readTrailers, type TrailerSection } from './trailers.ts'

/** Ours: a size, a signature, and room for extensions that we do not know. */
const chunkHeaderMaxBytes = 8 * 1024
/** Ours: a signed chunk is held in memory until its signature is checked. SDKs send 64 KiB to 1 MiB. */
const signedChunkMaxBytes = 16 * 1024 * 1024
/** Smaller pieces of a held chunk are copied together, so that a body in drops costs no more than its bytes. */
const smallPieceBytes = 4 * 1024
const gatherBytes = 64 * 1024

interface ChunkedBody {
  readonly reader: ByteReader
  readonly decodedLengthBytes: number
  /** Content-Length; undefined under Transfer-Encoding: chunked. */
  readonly encodedLengthBytes?: number
  /** Checks the chunks; undefined when they carry no signatures. */
  readonly signatures?: ChunkSignatures
  /** Names announced by x-amz-trailer; undefined when the body ends without a trailer section. */
  readonly announced?: readonly string[]
}

/**
 * Yields the bytes of the chunks; returns the trailers. A signed chunk's bytes pass on only after its signature is checked; an
 * unsigned chunk streams, whatever its size (the Go SDK sends a body of known length as one chunk).
 * @throws S3Error SignatureDoesNotMatch | IncompleteBody (too short, too long, or not aws-chunked) | InvalidChunkSizeError
 * (a signed chunk over 16 MiB) | MalformedTrailerError
 */
export async function* chunkedBytes(body: ChunkedBody): AsyncGenerator<Buffer, TrailerSection['values'], void> {
  const { reader, signatures } = body
  let leftBytes = body.decodedLengthBytes
  for (;;) {
    const { sizeBytes, signature } = await chunkHeader(reader)
    if (sizeBytes === 0) {
      signatures?.checkChunk([], signature)
      break
    }
    if (sizeBytes > leftBytes) throw notAsLong(body.decodedLengthBytes)
    leftBytes -= sizeBytes
    if (signatures === undefined) {
      yield* passOn(reader, sizeBytes)
      await lineEnd(reader)
    } else {
      const pieces = await held(reader, sizeBytes)
      await lineEnd(reader)
      signatures.checkChunk(pieces, signature)
      yield* pieces
    }
  }
  if (leftBytes !== 0) throw notAsLong(body.decodedLengthBytes)
  return ending(body)
}

interface ChunkHeader {
  readonly sizeBytes: number
  /** '' when there is none. */
  readonly signature: string
}

async function chunkHeader(reader: ByteReader): Promise<ChunkHeader> {
  const line = await reader.line(chunkHeaderMaxBytes)
  if (line === undefined) throw new S3Error('IncompleteBody')
  const [size = '', ...extensions] = line.split(';')
  const isLast = extensions.length === 0
  const digits = (isLast ? withoutCarriageReturn(size) : size).trim()
  if (!/^[0-9A-Fa-f]{1,16}$/.test(digits) || !line.endsWith('\r')) throw notChunked()
  const sizeBytes = Number.parseInt(digits, 16)
  if (!Number.isSafeInteger(sizeBytes)) throw notChunked()
  const prefix = 'chunk-signature='
  const signatures = extensions.map((text) => text.trim()).filter((text) => text.startsWith(prefix))
  if (signatures.length > 1) throw notChunked()
  return { sizeBytes, signature: signatures[0]?.slice(prefix.length) ?? '' }
}

function withoutCarriageReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text
}

async function* passOn(reader: ByteReader, sizeBytes: number): AsyncGenerator<Buffer, void, void> {
  for (let leftBytes = sizeBytes; leftBytes > 0; ) {
    const piece = await reader.take(leftBytes)
    if (piece === undefined) throw new S3Error('IncompleteBody')
    leftBytes -= piece.length
    yield piece
  }
}

async function held(reader: ByteReader, sizeBytes: number): Promise<Buffer[]> {
  if (sizeBytes > signedChunkMaxBytes) {
    throw new S3Error('InvalidChunkSizeError', { message: `A signed chunk must not be larger than ${signedChunkMaxBytes} bytes` })
  }
  const pieces: Buffer[] = []
  let gather: Buffer = Buffer.alloc(0)
  let gathered = 0
  for await (const piece of passOn(reader, sizeBytes)) {
    if (piece.length >= smallPieceBytes || piece.length === sizeBytes) {
      if (gathered > 0) pieces.push(gather.subarray(0, gathered))
      gather = gather.subarray(gathered)
      gathered = 0
      pieces.push(piece)
      continue
    }
    if (gather.length - gathered < piece.length) {
      if (gathered > 0) pieces.push(gather.subarray(0, gathered))
      gather = Buffer.allocUnsafeSlow(gatherBytes)
      gathered = 0
    }
    gathered += piece.copy(gather, gathered)
  }
  if (gathered > 0) pieces.push(gather.subarray(0, gathered))
  return pieces
}

/** The CRLF after a chunk's data; it may be split over two buffers. */
async function lineEnd(reader: ByteReader): Promise<void> {
  for (const expected of [0x0d, 0x0a]) {
    const byte = await reader.take(1)
    if (byte === undefined) throw new S3Error('IncompleteBody')
    if (byte[0] !== expected) throw notChunked()
  }
}

/** Reads to the end of the body, which must be where the encoding and Content-Length say. */
async function ending(body: ChunkedBody): Promise<TrailerSection['values']> {
  const { reader, signatures, announced } = body
  if (announced === undefined) {
    const line = await reader.line(chunkHeaderMaxBytes)
    if (line !== undefined && (line !== '\r' || (await reader.take(1)) !== undefined)) throw notChunked()
    checkReceived(body)
    return new Map()
  }
  const { values, signature } = await readTrailers(reader)
  checkReceived(body)
  checkSent(values, announced)
  if (signatures === undefined) {
    if (signature !== undefined) throw malformed()
    return values
  }
  if (signature === undefined) throw malformed('The trailer x-amz-trailer-signature is missing.')
  signatures.checkTrailers(canonicalTrailers(values), signature)
  return values
}

function checkReceived({ reader, encodedLengthBytes }: ChunkedBody): void {
  if (encodedLengthBytes !== undefined && reader.receivedBytes !== encodedLengthBytes) throw new S3Error('IncompleteBody')
}

function notAsLong(decodedLengthBytes: number): S3Error {
  return new S3Error('IncompleteBody', { details: { NumberBytesExpected: decodedLengthBytes } })
}

function notChunked(): S3Error {
  return new S3Error('IncompleteBody', { message: 'The body is not a well-formed aws-chunked one.' })
}
