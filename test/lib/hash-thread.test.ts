import { hash, randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { HashThread, type StreamHasher } from '../../src/lib/hash-thread.ts'

const mib = 1024 * 1024
/** The shortest that goes to the thread; how much comes then is the stream's to say. */
const announced = 4 * mib
const thread = new HashThread()

afterEach(() => thread.close())

async function feed(hasher: StreamHasher, bytes: Buffer, chunkBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    // The memory of a chunk is used again, as a socket's is.
    const chunk = Buffer.from(bytes.subarray(at, at + chunkBytes))
    await hasher.update(chunk)
    chunk.fill(0)
  }
}

function opened(lengthBytes: number): StreamHasher {
  const hasher = thread.hasher(lengthBytes)
  if (hasher === undefined) throw new Error('there was no room in the thread')
  return hasher
}

describe('MD5 in a thread', () => {
  it.each([1, 1000, 65_536, 262_144, 300_001, 5 * mib])('is the same in chunks of %i bytes', async (chunkBytes) => {
    const bytes = randomBytes(chunkBytes === 1 ? 300_000 : 3 * mib + 17)
    const hasher = opened(announced)
    await feed(hasher, bytes, chunkBytes)
    expect((await hasher.digest()).toString('hex')).toBe(hash('md5', bytes))
  })

  it('keeps streams apart that come at the same time', async () => {
    const streams = Array.from({ length: 8 }, () => ({ bytes: randomBytes(2 * mib + 5), hasher: opened(announced) }))
    await Promise.all(streams.map(({ bytes, hasher }, i) => feed(hasher, bytes, 10_000 + 1000 * i)))
    for (const { bytes, hasher } of streams) expect((await hasher.digest()).toString('hex')).toBe(hash('md5', bytes))
  })

  it('leaves short streams, and more than it has room for, to the event loop', () => {
    expect(thread.hasher(announced - 1)).toBeUndefined()
    const taken = Array.from({ length: 8 }, () => opened(announced))
    expect(thread.hasher(announced)).toBeUndefined()
    taken[0]?.abandon()
    expect(thread.hasher(announced)).toBeDefined()
  })

  it('fails the streams that it had when it ends, and begins anew with the next', async () => {
    const lost = opened(announced)
    await lost.update(randomBytes(mib / 2))
    await thread.close()
    await expect(feed(lost, randomBytes(2 * mib), mib)).rejects.toThrow('The hashing thread ended.')
    await expect(lost.digest()).rejects.toThrow('The hashing thread ended.')
    const next = opened(announced)
    await next.update(Buffer.from('abc'))
    expect((await next.digest()).toString('hex')).toBe('900150983cd24fb0d6963f7d28e17f72')
  })
})
