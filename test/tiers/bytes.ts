/** Bytes for tiers to keep, and what comes back. */
import { createCipheriv, createHash } from 'node:crypto'

/** Bytes that do not compress; the same for the same seed. */
export function randomBytes(length: number, seed = 1): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length))
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
