/** Bytes for tiers to keep, and what comes back. */
import { createHash } from 'node:crypto'
import { randomFrom } from '../limits/random.ts'

/** Bytes that do not compress. */
export function randomBytes(length: number, seed = 1): Buffer {
  return randomFrom(seed).bytes(length)
}

/** Bytes that do. */
export function textBytes(length: number): Buffer {
  return Buffer.alloc(length, 'The same procedure as last year, and as every year. ')
}

/** In pieces of odd sizes, as a network gives them. */
export async function* inPieces(bytes: Buffer, size = 70_001): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function gathered(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

export function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
