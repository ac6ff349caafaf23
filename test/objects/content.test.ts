import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { ContentSource } from '../../src/objects/content.ts'
import { storeContent } from '../../src/objects/content.ts'
import { bytesFor, never, once, useSpace } from './space.ts'

const mib = 1024 * 1024

function sourceOf(bytes: Buffer, released: Buffer[] = []): ContentSource {
  return {
    lengthBytes: bytes.length,
    trailers: () => ({}),
    release: (piece) => void released.push(piece),
    async *[Symbol.asyncIterator]() {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
    },
  }
}

describe.each([200_000, 2 * mib])('content of %i bytes', (length) => {
  const bytes = bytesFor('content', length)
  const options = { algorithm: 'CRC32', encrypt: false, signal: never } as const
  const claim = (value: string) => ({ checksum: { algorithm: 'SHA256', from: 'header', value } }) as const

  it('is checked against a claim of another checksum than the one that is kept', async () => {
    const { parts } = await useSpace()
    const value = hash('sha256', bytes, 'base64')
    const stored = await storeContent(parts, sourceOf(bytes), { ...options, claims: claim(value) })
    expect(stored.checksum).toEqual({
      algorithm: 'CRC32',
      type: 'FULL_OBJECT',
      value: parts.hashing.digest('crc32', bytes).toString('base64'),
    })
    expect(stored.md5).toBe(hash('md5', bytes))
    const wrong = storeContent(parts, sourceOf(bytes), { ...options, claims: claim(hash('sha256', 'other', 'base64')) })
    await expect(wrong).rejects.toMatchObject({ code: 'BadDigest' })
  })

  it('gives each piece back, in order', async () => {
    const { parts } = await useSpace()
    const released: Buffer[] = []
    await storeContent(parts, sourceOf(bytes, released), { ...options, claims: {} })
    expect(Buffer.concat(released).equals(bytes)).toBe(true)
  })
})

it('an upload that ends early leaves its place in the hashing thread', async () => {
  const { parts } = await useSpace()
  const bytes = bytesFor('short', mib)
  const short: ContentSource = { lengthBytes: 2 * mib, trailers: () => ({}), [Symbol.asyncIterator]: () => once(bytes) }
  const options = { algorithm: 'CRC32', claims: {}, encrypt: false, signal: never } as const
  for (let n = 0; n < 20; n++) await expect(storeContent(parts, short, options)).rejects.toThrow()
  // A place in the thread answers later; the event loop would at once.
  const hasher = parts.hashing.stream(['md5'], 2 * mib)
  expect(hasher.update(Buffer.from('abc'))).toBeInstanceOf(Promise)
  expect((await hasher.digests()).get('md5')?.toString('hex')).toBe('900150983cd24fb0d6963f7d28e17f72')
})
