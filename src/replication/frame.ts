/**
 * How versions travel: `FSR1`, the length of the head (4 bytes, big-endian), the head in JSON, then the contents one behind the other.
 * Their lengths stand in the head. The same for a batch, which is one signed buffer, and for one large version, which is streamed.
 */
import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { S3Error } from '../model/errors.ts'
import { contentBytesOf, type FrameHead, frameHead, frameMaxBytes, headMaxBytes, type WireVersion } from './wire.ts'

const magic = Buffer.from('FSR1', 'latin1')
const preludeBytes = magic.length + 4

export interface Arrived {
  readonly version: WireVersion
  /** Empty when no content follows. */
  readonly content: Buffer
}

/** A head whose versions are JSON already: they were measured on the way. */
export interface HeadParts extends Pick<FrameHead, 'controlPosition' | 'links'> {
  readonly versions: readonly string[]
}

/** Prelude and head, without the contents. */
export function encodeHead({ controlPosition, links, versions }: HeadParts): Buffer {
  const json = Buffer.from(
    `{"controlPosition":${controlPosition},"links":${JSON.stringify(links)},"versions":[${versions.join(',')}]}`,
    'utf8',
  )
  const prelude = Buffer.allocUnsafe(preludeBytes)
  magic.copy(prelude)
  prelude.writeUInt32BE(json.length, magic.length)
  return Buffer.concat([prelude, json])
}

/** @param contents  one for each version of the head; empty where none follows */
export function encodeFrame(head: HeadParts, contents: readonly Buffer[]): Buffer {
  return Buffer.concat([encodeHead(head), ...contents])
}

/** @throws S3Error InvalidRequest for anything but a whole frame, exactly */
export function decodeFrame(frame: Buffer): { readonly head: FrameHead; readonly arrived: readonly Arrived[] } {
  if (frame.length < preludeBytes) throw malformed('it is too short')
  const headEnd = preludeBytes + headLengthOf(frame.subarray(0, preludeBytes))
  if (frame.length < headEnd) throw malformed('its head is cut')
  const head = parseHead(frame.subarray(preludeBytes, headEnd))
  let at = headEnd
  const arrived = head.versions.map((version): Arrived => {
    const end = at + contentBytesOf(version)
    if (end > frame.length) throw malformed('its contents are cut')
    const content = frame.subarray(at, end)
    at = end
    return { version, content }
  })
  if (at !== frame.length) throw malformed('there are bytes behind its end')
  return { head, arrived }
}

/** A stream's head, and what follows it. The head is believed only when it has the digest that was signed. */
export async function readStreamHead(
  body: AsyncIterator<Buffer>,
  signedDigest: unknown,
): Promise<{ readonly head: FrameHead; readonly rest: Buffer }> {
  let gathered: Buffer = Buffer.alloc(0)
  const more = async (): Promise<void> => {
    const step = await body.next()
    if (step.done === true) throw malformed('it ends before its head does')
    gathered = gathered.length === 0 ? step.value : Buffer.concat([gathered, step.value])
  }
  while (gathered.length < preludeBytes) await more()
  const headEnd = preludeBytes + headLengthOf(gathered.subarray(0, preludeBytes))
  while (gathered.length < headEnd) await more()
  if (hash('sha256', gathered.subarray(0, headEnd), 'hex') !== signedDigest) throw new S3Error('XAmzContentSHA256Mismatch')
  return { head: parseHead(gathered.subarray(preludeBytes, headEnd)), rest: gathered.subarray(headEnd) }
}

// --- compression --------------------------------------------------------------------------------------------------

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
/** Below this a batch fits in a few packets in any case. */
const compressMinBytes = 4 * 1024
/** Only what becomes this much smaller is worth the other side's work. */
const worthRatio = 0.9
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

export interface Packed {
  readonly body: Buffer
  readonly isCompressed: boolean
}

export async function pack(frame: Buffer): Promise<Packed> {
  if (frame.length < compressMinBytes) return { body: frame, isCompressed: false }
  const compressed = await compress(frame, options)
  return compressed.length < frame.length * worthRatio ? { body: compressed, isCompressed: true } : { body: frame, isCompressed: false }
}

/** @throws S3Error InvalidRequest when it is no zstd, or becomes larger than a frame may be */
export async function unpack({ body, isCompressed }: Packed): Promise<Buffer> {
  if (!isCompressed) return body
  try {
    return await decompress(body, { maxOutputLength: frameMaxBytes })
  } catch (cause) {
    throw malformed('it cannot be decompressed', cause)
  }
}

// ------------------------------------------------------------------------------------------------------------------

function headLengthOf(prelude: Buffer): number {
  if (!prelude.subarray(0, magic.length).equals(magic)) throw malformed('it does not begin as one')
  const length = prelude.readUInt32BE(magic.length)
  if (length > headMaxBytes) throw malformed(`its head has more than ${headMaxBytes} bytes`)
  return length
}

function parseHead(bytes: Buffer): FrameHead {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw malformed('its head is not JSON', cause)
  }
  const parsed = frameHead.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw malformed(`its head is not understood: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.slice(0, 500))
  }
  for (const version of parsed.data.versions) checkVersion(version, parsed.data.links.length)
  return parsed.data
}

/** What the shape alone does not say. */
function checkVersion({ link, key, isDeleteMarker, size, content }: WireVersion, links: number): void {
  if (link >= links) throw malformed(`it has no link ${link}`)
  if (Buffer.byteLength(key) > 1024) throw malformed('a key has more than 1024 bytes')
  if (isDeleteMarker && (size !== 0 || (content.kind !== 'marker' && content.kind !== 'none')))
    throw malformed('a delete marker has content')
  if (!isDeleteMarker && content.kind === 'marker') throw malformed('an object comes as a delete marker')
  if (content.kind !== 'parts') return
  let previous = 0
  let sum = 0
  for (const part of content.parts) {
    if (part.number <= previous) throw malformed('parts are not in their order')
    previous = part.number
    sum += part.size
  }
  if (sum !== size) throw malformed('the parts of an object do not add up to its size')
}

function malformed(why: string, cause?: unknown): S3Error {
  return new S3Error('InvalidRequest', { message: `The frame is not understood: ${why}.`, cause })
}
