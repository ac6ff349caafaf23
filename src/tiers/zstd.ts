/** One frame, compressed and back, on node's own threads. */
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { frameBytes } from './format.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
const level = 3
/** Less than this part saved is not worth the time to unpack it. */
const leastSaving = 1 / 8
/** What zstd adds by itself is more than it could save of fewer. */
const leastBytes = 64
const sampleBytes = 64 * 1024

/** Compresses frames of one blob. Where one did not become smaller, the next is looked at in a small part before it is tried: most of the time is saved. */
export class Compressor {
  #isHopeful = true

  /** @returns undefined when it would not become smaller by enough */
  async compressed(frame: Buffer): Promise<Buffer | undefined> {
    if (!this.#isHopeful && frame.length > sampleBytes) {
      const middle = Math.floor((frame.length - sampleBytes) / 2)
      if ((await smaller(frame.subarray(middle, middle + sampleBytes))) === undefined) return undefined
    }
    const result = await smaller(frame)
    this.#isHopeful = result !== undefined
    return result
  }
}

async function smaller(bytes: Buffer): Promise<Buffer | undefined> {
  if (bytes.length < leastBytes) return undefined
  // NOTE: each chunk of the output is a turn of a thread; without a size of its own a frame would take 64.
  const result = await compress(bytes, { chunkSize: bytes.length, params: { [constants.ZSTD_c_compressionLevel]: level } })
  return result.length <= bytes.length * (1 - leastSaving) ? result : undefined
}

/** @returns undefined when it is no such frame, or not of so many bytes */
export async function decompressed(bytes: Buffer, plainBytes: number): Promise<Buffer | undefined> {
  const result = await decompress(bytes, { chunkSize: frameBytes, maxOutputLength: Math.max(1, plainBytes) }).catch(() => undefined)
  return result?.length === plainBytes ? result : undefined
}
