/**
 * What lies in a tier under a ref, whatever kind of tier it is:
 *
 *     frame 0 … frame n-1 │ index page 0 … │ footer
 *     frame   payload │ GCM tag, when encrypted │ CRC32
 *     page    where its first frame begins │ of each of up to 4096 frames: length and whether it is compressed │ CRC32
 *     footer  magic │ flags │ length of the blob │ where the index begins │ CRC32
 *
 * All sizes but those of compressed frames follow from the blob's length. Numbers are big-endian. Every CRC begins with the ref, and with the number of
 * what it covers: bytes read from another place than where they were written do not check.
 */
import { crc32 } from 'node:zlib'
import { type FrameCipher, frameCipher, tagBytes } from '../lib/frame-cipher.ts'

/** Plain bytes of every frame but the last. */
export const frameBytes = 1024 * 1024
export const crcBytes = 4
export const footerBytes = 32
/** Frames of an index page: 4 GiB of the blob. */
const pageFrames = 4096
const entryBytes = 4
const pageHeadBytes = 8

const magic = Buffer.from('FSTIER01', 'latin1')
const encryptedFlag = 1

/** The facts of a blob that its layout follows from. */
export interface Layout {
  readonly ref: string
  readonly lengthBytes: number
  readonly isEncrypted: boolean
}

export interface FrameEntry {
  readonly offset: number
  readonly storedBytes: number
  readonly isCompressed: boolean
}

/** An empty blob has one, empty, frame, so that its end is authenticated too. */
export function frameCountOf({ lengthBytes }: Pick<Layout, 'lengthBytes'>): number {
  return Math.max(1, Math.ceil(lengthBytes / frameBytes))
}

export function plainBytesOf({ lengthBytes }: Pick<Layout, 'lengthBytes'>, frame: number): number {
  return Math.min(frameBytes, lengthBytes - frame * frameBytes)
}

/** What a frame has besides its payload. */
export function frameTailBytes({ isEncrypted }: Pick<Layout, 'isEncrypted'>): number {
  return crcBytes + (isEncrypted ? tagBytes : 0)
}

/** The CRC that stands behind a frame. */
export function frameCrc(
  layout: Layout,
  frame: { readonly number: number; readonly isCompressed: boolean; readonly bytes: Buffer },
): number {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(frame.number)
  head[4] = frame.isCompressed ? 1 : 0
  return crc32(frame.bytes, crc32(head, crc32(layout.ref)))
}

/** One cipher for frames as they are and one for compressed ones, so that the one is never taken for the other. */
export function frameCiphers({ ref }: Pick<Layout, 'ref'>, dataKey: Uint8Array): (isCompressed: boolean) => FrameCipher {
  const plain = frameCipher({ dataKey, id: Buffer.from(`${ref} plain `) })
  const compressed = frameCipher({ dataKey, id: Buffer.from(`${ref} zstd `) })
  return (isCompressed) => (isCompressed ? compressed : plain)
}

export function indexBytesOf(layout: Pick<Layout, 'lengthBytes'>): number {
  const frames = frameCountOf(layout)
  return frames * entryBytes + Math.ceil(frames / pageFrames) * (pageHeadBytes + crcBytes)
}

/** What a blob takes at most. */
export function packedBytesMax(lengthBytes: number): number {
  return lengthBytes + frameCountOf({ lengthBytes }) * frameTailBytes({ isEncrypted: true }) + indexBytesOf({ lengthBytes }) + footerBytes
}

/** Gathers the index while frames are written: 4 bytes a frame. */
export class IndexBuilder {
  #entries = Buffer.alloc(64)
  #frames = 0
  /** Where the next frame begins. */
  offset = 0

  add({ storedBytes, isCompressed }: Omit<FrameEntry, 'offset'>): void {
    const at = this.#frames * entryBytes
    if (at === this.#entries.length) this.#entries = Buffer.concat([this.#entries, Buffer.alloc(at)])
    this.#entries.writeUInt32BE(storedBytes * 2 + (isCompressed ? 1 : 0), at)
    this.#frames += 1
    this.offset += storedBytes
  }

  /** All pages and the footer. */
  finish(layout: Layout): Buffer {
    const parts: Buffer[] = []
    let offset = 0
    for (let first = 0; first < this.#frames; first += pageFrames) {
      const entries = this.#entries.subarray(first * entryBytes, Math.min(first + pageFrames, this.#frames) * entryBytes)
      const head = Buffer.alloc(pageHeadBytes)
      head.writeBigUInt64BE(BigInt(offset))
      parts.push(head, entries, crcBuffer(pageCrc(layout, first / pageFrames, [head, entries])))
      for (let at = 0; at < entries.length; at += entryBytes) offset += entries.readUInt32BE(at) >>> 1
    }
    return Buffer.concat([...parts, footerOf(layout, this.offset)])
  }
}

/** The page of the index that a frame stands in, and where that page is. */
export function pageOf(layout: Layout & { readonly indexOffset: number }, frame: number): IndexPlace {
  const number = Math.floor(frame / pageFrames)
  const firstFrame = number * pageFrames
  const frames = Math.min(pageFrames, frameCountOf(layout) - firstFrame)
  const fullPageBytes = pageFrames * entryBytes + pageHeadBytes + crcBytes
  return {
    number,
    firstFrame,
    frames,
    offset: layout.indexOffset + number * fullPageBytes,
    lengthBytes: frames * entryBytes + pageHeadBytes + crcBytes,
  }
}

export interface IndexPlace {
  readonly number: number
  readonly firstFrame: number
  readonly frames: number
  readonly offset: number
  readonly lengthBytes: number
}

/** The frames of a page, or undefined when its bytes are not those that were written. */
export function entriesOf(layout: Layout & { readonly indexOffset: number }, place: IndexPlace, bytes: Buffer): FrameEntry[] | undefined {
  const covered = bytes.subarray(0, bytes.length - crcBytes)
  if (bytes.length !== place.lengthBytes || bytes.readUInt32BE(covered.length) !== pageCrc(layout, place.number, [covered]))
    return undefined
  let offset = Number(covered.readBigUInt64BE())
  const entries: FrameEntry[] = []
  const tail = frameTailBytes(layout)
  for (let i = 0; i < place.frames; i++) {
    const word = covered.readUInt32BE(pageHeadBytes + i * entryBytes)
    const storedBytes = word >>> 1
    const payloadBytes = storedBytes - tail
    // A CRC is no proof against malice: what could make us read, or hold, more than a frame is refused.
    if (payloadBytes < 0 || payloadBytes > plainBytesOf(layout, place.firstFrame + i) || offset + storedBytes > layout.indexOffset)
      return undefined
    entries.push({ offset, storedBytes, isCompressed: word % 2 === 1 })
    offset += storedBytes
  }
  return entries
}

/** What the footer says, or undefined when it is none that was written under this ref. @param bytes  the last `footerBytes` */
export function parseFooter(ref: string, bytes: Buffer): (Layout & { readonly indexOffset: number }) | undefined {
  if (bytes.length !== footerBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined
  if (bytes.readUInt32BE(footerBytes - crcBytes) !== crc32(bytes.subarray(0, footerBytes - crcBytes), crc32(ref))) return undefined
  const flags = bytes.readUInt32BE(8)
  const lengthBytes = bytes.readBigUInt64BE(12)
  const indexOffset = bytes.readBigUInt64BE(20)
  if (flags > encryptedFlag || lengthBytes > Number.MAX_SAFE_INTEGER || indexOffset > Number.MAX_SAFE_INTEGER) return undefined
  return { ref, lengthBytes: Number(lengthBytes), isEncrypted: flags === encryptedFlag, indexOffset: Number(indexOffset) }
}

function footerOf({ ref, lengthBytes, isEncrypted }: Layout, indexOffset: number): Buffer {
  const bytes = Buffer.alloc(footerBytes)
  magic.copy(bytes)
  bytes.writeUInt32BE(isEncrypted ? encryptedFlag : 0, 8)
  bytes.writeBigUInt64BE(BigInt(lengthBytes), 12)
  bytes.writeBigUInt64BE(BigInt(indexOffset), 20)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, footerBytes - crcBytes), crc32(ref)), footerBytes - crcBytes)
  return bytes
}

function pageCrc({ ref }: Layout, page: number, parts: readonly Buffer[]): number {
  return parts.reduce((crc, part) => crc32(part, crc), crc32(`index ${page}`, crc32(ref)))
}

function crcBuffer(crc: number): Buffer {
  const bytes = Buffer.alloc(crcBytes)
  bytes.writeUInt32BE(crc)
  return bytes
}
