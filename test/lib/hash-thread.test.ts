import { hash, randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { createHashers, type HashName } from '../../src/lib/hash.ts'
import { HashThread, type StreamHasher } from '../../src/lib/hash-thread.ts'

const mib = 1024 * 1024
/** The shortest that goes to the thread; how much comes then is the stream's to say. */
const announced = mib
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

function opened(lengthBytes: number, names: readonly HashName[] = ['md5']): StreamHasher {
  const hasher = thread.hasher(names, lengthBytes)
  if (hasher === undefined) throw new Error('there was no room in the thread')
  return hasher
}

async function md5Of(hasher: StreamHasher): Promise<string | undefined> {
  return (await hasher.digests()).get('md5')?.toString('hex')
}

describe('digests in a thread', () => {
  it.each([1, 1000, 65_536, 262_144, 300_001, 5 * mib])('is the same in chunks of %i bytes', async (chunkBytes) => {
    const bytes = randomBytes(chunkBytes === 1 ? 300_000 : 3 * mib + 17)
    const hasher = opened(announced)
    await feed(hasher, bytes, chunkBytes)
    expect(await md5Of(hasher)).toBe(hash('md5', bytes))
  })

  it('keeps streams apart that come at the same time', async () => {
    const streams = Array.from({ length: 8 }, () => ({ bytes: randomBytes(2 * mib + 5), hasher: opened(announced) }))
    await Promise.all(streams.map(({ bytes, hasher }, i) => feed(hasher, bytes, 10_000 + 1000 * i)))
    for (const { bytes, hasher } of streams) expect(await md5Of(hasher)).toBe(hash('md5', bytes))
  })

  it('makes each digest that is asked for, of each of several streams', async () => {
    const names = ['md5', 'sha1', 'sha256', 'crc32', 'crc32c', 'crc64nvme'] as const
    const hashing = await createHashers()
    const streams = [2 * mib, 300_001].map((length) => ({ bytes: randomBytes(length), hasher: opened(announced, names) }))
    await Promise.all(streams.map(({ bytes, hasher }) => feed(hasher, bytes, 70_000)))
    for (const { bytes, hasher } of streams) {
      expect(await hasher.digests()).toEqual(new Map(names.map((name) => [name, hashing.digest(name, bytes)])))
    }
    await hashing.close()
  })

  it('takes nothing more of a stream that was given up, whose memory is another’s by then', async () => {
    const givenUp = opened(announced)
    await givenUp.update(randomBytes(1000))
    givenUp.abandon()
    const next = opened(announced)
    const bytes = randomBytes(200_000)
    await next.update(bytes)
    // Its sender had a chunk on the way.
    await givenUp.update(randomBytes(300_000))
    expect(await md5Of(next)).toBe(hash('md5', bytes))
  })

  it('leaves short streams, and more than it has room for, to the event loop', () => {
    expect(thread.hasher(['md5'], announced - 1)).toBeUndefined()
    const taken = Array.from({ length: 8 }, () => opened(announced))
    expect(thread.hasher(['md5'], announced)).toBeUndefined()
    taken[0]?.abandon()
    expect(thread.hasher(['md5'], announced)).toBeDefined()
  })

  it('fails the streams that it had when it ends, and begins anew with the next', async () => {
    const lost = opened(announced)
    await lost.update(randomBytes(mib / 2))
    const begun = opened(announced)
    await begun.update(randomBytes(1000))
    await thread.close()
    await expect(feed(lost, randomBytes(2 * mib), mib)).rejects.toThrow('The hashing thread ended.')
    await expect(lost.digests()).rejects.toThrow('The hashing thread ended.')
    const next = opened(announced)
    const bytes = randomBytes(200_000)
    await next.update(bytes)
    await expect(begun.update(randomBytes(100_000))).rejects.toThrow('The hashing thread ended.')
    expect(await md5Of(next)).toBe(hash('md5', bytes))
  })
})
