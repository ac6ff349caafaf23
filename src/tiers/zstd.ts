/** One frame, compressed and back, on node's own threads. */
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { frameBytes } from './format.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
const level = 3
/** Less than this part saved is not worth the time to unpack it. */
const leastSaving = 1 / 8

/** @returns undefined when it would not become smaller by enough */
export async function compressed(bytes: Buffer): Promise<Buffer | undefined> {
  if (bytes.length === 0) return undefined
  // NOTE: each chunk of the output is a turn of a thread; without a size of its own a frame would take 64.
  const result = await compress(bytes, { chunkSize: frameBytes, params: { [constants.ZSTD_c_compressionLevel]: level } })
  return result.length <= bytes.length * (1 - leastSaving) ? result : undefined
}

/** @returns undefined when it is no such frame, or not of so many bytes */
export async function decompressed(bytes: Buffer, plainBytes: number): Promise<Buffer | undefined> {
  const result = await decompress(bytes, { chunkSize: frameBytes, maxOutputLength: Math.max(1, plainBytes) }).catch(() => undefined)
  return result?.length === plainBytes ? result : undefined
}
