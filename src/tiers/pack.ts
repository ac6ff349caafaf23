/** Turns the bytes of a blob into what lies in a tier: frames, compressed where it helps, then encrypted; at the end the index. */
import { tagBytes } from '../lib/frame-cipher.ts'
import { crcBytes, frameBytes, frameCiphers, frameCountOf, frameCrc, frameTailBytes, IndexBuilder, type Layout } from './format.ts'
import { Compressor } from './zstd.ts'

export interface PackOptions {
  readonly ref: string
  readonly lengthBytes: number
  /** Encrypts; 32 bytes that nothing else is encrypted with. */
  readonly dataKey: Buffer | undefined
}

interface Packed {
  readonly isCompressed: boolean
  readonly bytes: Buffer
}

/**
 * The pieces, in order; the consumer may keep them. While it has one the next is being made, so that four frames are held at most.
 * @throws RangeError when the source has more or fewer bytes than announced; what the source throws
 */
export async function* packed(source: AsyncIterable<Uint8Array>, options: PackOptions): AsyncGenerator<Buffer, void, void> {
  const layout = { ref: options.ref, lengthBytes: options.lengthBytes, isEncrypted: options.dataKey !== undefined }
  const index = new IndexBuilder()
  const pack = packerOf(layout, options.dataKey)
  let ahead: Promise<Packed> | undefined
  let number = 0
  try {
    for await (const frame of framesOf(source, layout)) {
      const ready = ahead === undefined ? undefined : await ahead
      ahead = pack(frame, number++)
      // Its failure is met one turn later; until then nobody listens.
      ahead.catch(() => undefined)
      if (ready !== undefined) yield noted(index, ready)
    }
    if (ahead !== undefined) yield noted(index, await ahead)
  } finally {
    await ahead?.catch(() => undefined)
  }
  yield index.finish(layout)
}

function noted(index: IndexBuilder, { bytes, isCompressed }: Packed): Buffer {
  index.add({ storedBytes: bytes.length, isCompressed })
  return bytes
}

function packerOf(layout: Layout, dataKey: Buffer | undefined): (frame: Buffer, number: number) => Promise<Packed> {
  const cipherFor = dataKey === undefined ? undefined : frameCiphers(layout, dataKey)
  const compressor = new Compressor()
  const lastFrame = frameCountOf(layout) - 1
  return async (frame, number) => {
    const smaller = await compressor.compressed(frame)
    const isCompressed = smaller !== undefined
    const payload = smaller ?? frame
    const bytes = Buffer.allocUnsafeSlow(payload.length + frameTailBytes(layout))
    payload.copy(bytes)
    if (cipherFor !== undefined) {
      const tag = bytes.subarray(payload.length, payload.length + tagBytes)
      cipherFor(isCompressed).seal({ number, isLast: number === lastFrame }, bytes.subarray(0, payload.length), tag)
    }
    const covered = bytes.subarray(0, bytes.length - crcBytes)
    bytes.writeUInt32BE(frameCrc(layout, { number, isCompressed, bytes: covered }), covered.length)
    return { isCompressed, bytes }
  }
}

/** The source in frames, in buffers of their own. */
async function* framesOf(source: AsyncIterable<Uint8Array>, { lengthBytes }: Layout): AsyncGenerator<Buffer, void, void> {
  let frame = Buffer.allocUnsafeSlow(Math.min(frameBytes, lengthBytes))
  let filled = 0
  let total = 0
  for await (const chunk of source) {
    total += chunk.byteLength
    if (total > lengthBytes) throw new RangeError(`More than the ${lengthBytes} bytes that were announced`)
    let taken = 0
    while (taken < chunk.byteLength) {
      const count = Math.min(chunk.byteLength - taken, frame.length - filled)
      frame.set(chunk.subarray(taken, taken + count), filled)
      filled += count
      taken += count
      if (filled < frame.length) continue
      yield frame
      frame = Buffer.allocUnsafeSlow(Math.min(frameBytes, lengthBytes - (total - (chunk.byteLength - taken))))
      filled = 0
    }
  }
  if (total < lengthBytes) throw new RangeError(`${total} bytes instead of the ${lengthBytes} that were announced`)
  if (lengthBytes === 0) yield frame
}
