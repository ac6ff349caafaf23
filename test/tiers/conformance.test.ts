/** What every tier must do, whatever it is made of. */
import { randomBytes as randomId } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tierRef } from '../../src/model/tier-refs.ts'
import { TierCorrupt, TierMissing, TierRefused } from '../../src/tiers/errors.ts'
import type { TierBlob, TierReadOptions, TierStore } from '../../src/tiers/store.ts'
import { openBucketBench, openFolderBench, type TierBench, testTier } from './bench.ts'
import { digestOf, gathered, inPieces, randomBytes, textBytes } from './bytes.ts'

const mib = 1024 * 1024
const signal = new AbortController().signal

describe.each([
  ['a folder', openFolderBench],
  ['a bucket of a region', openBucketBench],
] as const)('a tier that is %s', (_, openBench: () => Promise<TierBench>) => {
  let bench: TierBench
  let tier: TierStore

  beforeAll(async () => {
    bench = await openBench()
    tier = await bench.open()
  })
  afterAll(() => bench.close())

  const newRef = (): string => tierRef(testTier, { boot: 1, randomId: randomId(16).toString('hex') })

  async function put(bytes: Buffer, { encrypt = false, ref = newRef() } = {}): Promise<{ ref: string; blob: TierBlob }> {
    return { ref, blob: await tier.write(inPieces(bytes), { ref, lengthBytes: bytes.length, encrypt, signal }) }
  }

  function read(ref: string, lengthBytes: number, more: Partial<TierReadOptions> = {}): Promise<Buffer> {
    return gathered(tier.read(ref, { lengthBytes, signal, ...more }))
  }

  describe.each([
    ['as they are', false],
    ['encrypted', true],
  ] as const)('bytes %s', (_, encrypt) => {
    it.each([
      ['0 bytes', 0],
      ['1 byte', 1],
      ['a byte less than a frame', mib - 1],
      ['a frame', mib],
      ['a byte more than a frame', mib + 1],
      ['20 MiB', 20 * mib],
    ])('come back: %s', { timeout: 30_000 }, async (_, length) => {
      for (const bytes of [randomBytes(length), textBytes(length)]) {
        const { ref, blob } = await put(bytes, { encrypt })
        expect(blob.dataKey?.length).toBe(encrypt ? 32 : undefined)
        expect(blob.storedBytes).toBe((await bench.peek(ref)).length)
        const back = await read(ref, length, { dataKey: blob.dataKey })
        expect(digestOf(back)).toBe(digestOf(bytes))
      }
    })

    it('take little room when they compress, and little more than their length when they do not', async () => {
      const { blob: text } = await put(textBytes(5 * mib), { encrypt })
      const { blob: noise } = await put(randomBytes(5 * mib), { encrypt })
      expect(text.storedBytes).toBeLessThan(mib / 10)
      expect(noise.storedBytes).toBeGreaterThan(5 * mib)
      expect(noise.storedBytes).toBeLessThan(5 * mib + 300)
    })

    it('come back in ranges, at every edge', { timeout: 30_000 }, async () => {
      const bytes = Buffer.concat([randomBytes(2 * mib + 5), textBytes(3 * mib), randomBytes(4 * mib, 2)])
      const { ref, blob } = await put(bytes, { encrypt })
      const edges = [0, 1, mib - 1, mib, mib + 1, 5 * mib, 6 * mib - 1, bytes.length - 2, bytes.length - 1]
      for (const start of edges) {
        for (const endInclusive of edges.filter((end) => end >= start)) {
          const part = await read(ref, bytes.length, { dataKey: blob.dataKey, range: { start, endInclusive } })
          expect([start, endInclusive, digestOf(part)]).toEqual([start, endInclusive, digestOf(bytes.subarray(start, endInclusive + 1))])
        }
      }
    })

    it('are never given back wrong when a bit of what is stored has changed', { timeout: 60_000 }, async () => {
      const bytes = Buffer.concat([randomBytes(mib + 100), textBytes(mib)])
      const { ref, blob } = await put(bytes, { encrypt })
      const stored = await bench.peek(ref)
      const last = stored.length - 1
      const places = [
        0,
        500_000,
        mib,
        mib + 2,
        mib + 20,
        mib + 60,
        last - 60,
        last - 50,
        last - 40,
        last - 31,
        last - 20,
        last - 12,
        last - 5,
        last,
      ]
      for (const place of places) {
        const rotten = Buffer.from(stored)
        rotten[place] = (rotten[place] ?? 0) ^ 4
        await bench.poke(ref, rotten)
        await expect(read(ref, bytes.length, { dataKey: blob.dataKey }), `byte ${place}`).rejects.toThrow(TierCorrupt)
      }
      await bench.poke(ref, stored)
      expect(digestOf(await read(ref, bytes.length, { dataKey: blob.dataKey }))).toBe(digestOf(bytes))
    })

    it('pass on nothing behind a place that has changed, and everything before', async () => {
      const bytes = randomBytes(9 * mib)
      const { ref, blob } = await put(bytes, { encrypt })
      const rotten = Buffer.from(await bench.peek(ref))
      rotten[6 * mib] = (rotten[6 * mib] ?? 0) ^ 1
      await bench.poke(ref, rotten)
      const seen: Buffer[] = []
      const reading = (async () => {
        for await (const piece of tier.read(ref, { lengthBytes: bytes.length, dataKey: blob.dataKey, signal })) seen.push(piece)
      })()
      await expect(reading).rejects.toThrow(/frame 5/)
      expect(digestOf(Buffer.concat(seen))).toBe(digestOf(bytes.subarray(0, 5 * mib)))
      const before = { start: 0, endInclusive: 4 * mib }
      expect((await read(ref, bytes.length, { dataKey: blob.dataKey, range: before })).length).toBe(4 * mib + 1)
    })

    it.each([0, 1, 31, 32, 33, 1000, mib])('are corrupt when only %i bytes are left of them', async (left) => {
      const bytes = randomBytes(2 * mib)
      const { ref, blob } = await put(bytes, { encrypt })
      const stored = await bench.peek(ref)
      await bench.poke(ref, stored.subarray(0, left))
      await expect(read(ref, bytes.length, { dataKey: blob.dataKey })).rejects.toThrow(TierCorrupt)
      await bench.poke(ref, Buffer.concat([stored, Buffer.alloc(10)]))
      await expect(read(ref, bytes.length, { dataKey: blob.dataKey })).rejects.toThrow(TierCorrupt)
    })

    it('are corrupt when those of another ref are in their place', async () => {
      const one = await put(textBytes(5000), { encrypt })
      const two = await put(randomBytes(5000), { encrypt })
      await bench.poke(one.ref, await bench.peek(two.ref))
      await expect(read(one.ref, 5000, { dataKey: one.blob.dataKey })).rejects.toThrow(TierCorrupt)
    })
  })

  it('stores no plaintext of what is encrypted, and opens it with its own key alone', async () => {
    const secret = Buffer.from('the plain truth, which nobody else is to read')
    const bytes = Buffer.concat([randomBytes(3000), secret, randomBytes(3000)])
    const one = await put(bytes, { encrypt: true })
    const two = await put(bytes, { encrypt: true })
    expect((await bench.peek(one.ref)).includes(secret)).toBe(false)
    expect(one.blob.dataKey).not.toEqual(two.blob.dataKey)
    await expect(read(one.ref, bytes.length, { dataKey: two.blob.dataKey })).rejects.toThrow(TierCorrupt)
    await expect(read(one.ref, bytes.length)).rejects.toThrow(TierCorrupt)
    const open = await put(bytes)
    await expect(read(open.ref, bytes.length, { dataKey: one.blob.dataKey })).rejects.toThrow(TierCorrupt)
  })

  it('believes the row about the length', async () => {
    const { ref } = await put(textBytes(5000))
    for (const length of [0, 4999, 5001, 2 * mib]) await expect(read(ref, length)).rejects.toThrow(TierCorrupt)
  })

  it('gives the later content when a ref is written twice', async () => {
    const { ref } = await put(textBytes(5000))
    await put(randomBytes(7000), { ref })
    expect(digestOf(await read(ref, 7000))).toBe(digestOf(randomBytes(7000)))
  })

  it('removes, and calls what is absent no error', async () => {
    const { ref } = await put(textBytes(5000))
    await tier.remove(ref, signal)
    await tier.remove(ref, signal)
    await expect(read(ref, 5000)).rejects.toThrow(TierMissing)
    expect(tier.status().state).toBe('ok')
  })

  it('leaves nothing behind when the source fails, has another length or nobody waits any more', { timeout: 30_000 }, async () => {
    const before = (await bench.refs()).length
    const bytes = randomBytes(12 * mib)
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield bytes
      throw new Error('the source broke')
    }
    const write = (source: AsyncIterable<Buffer>, lengthBytes: number, of = signal): Promise<TierBlob> =>
      tier.write(source, { ref: newRef(), lengthBytes, encrypt: false, signal: of })
    await expect(write(broken(), 13 * mib)).rejects.toThrow('the source broke')
    await expect(write(inPieces(bytes), bytes.length - 1)).rejects.toThrow(RangeError)
    await expect(write(inPieces(bytes), bytes.length + 1)).rejects.toThrow(RangeError)
    const giving = new AbortController()
    const until = async function* (): AsyncGenerator<Buffer> {
      yield bytes
      giving.abort(new Error('nobody waits'))
      yield bytes
    }
    await expect(write(until(), 2 * bytes.length, giving.signal)).rejects.toThrow('nobody waits')
    const hanging = async function* (): AsyncGenerator<Buffer> {
      yield bytes
      await new Promise(() => setTimeout(() => hung.abort(new Error('it hung')), 20))
    }
    const hung = new AbortController()
    await expect(write(hanging(), 2 * bytes.length, hung.signal)).rejects.toThrow('it hung')
    expect((await bench.refs()).length).toBe(before)
    expect(tier.status().state).toBe('ok')
  })

  it('ends a read that nobody finishes, and one whose signal aborts', async () => {
    const bytes = randomBytes(10 * mib)
    const { ref } = await put(bytes)
    for await (const _piece of tier.read(ref, { lengthBytes: bytes.length, signal })) break
    const giving = new AbortController()
    const reading = (async () => {
      for await (const _piece of tier.read(ref, { lengthBytes: bytes.length, signal: giving.signal }))
        giving.abort(new Error('nobody waits'))
    })()
    await expect(reading).rejects.toThrow('nobody waits')
    expect(tier.status().state).toBe('ok')
  })

  it('serves several at a time', { timeout: 30_000 }, async () => {
    const all = await Promise.all([1, 2, 3, 4, 5, 6].map(async (seed) => ({ seed, ...(await put(randomBytes(3 * mib, seed))) })))
    const back = await Promise.all(all.map(({ ref }) => read(ref, 3 * mib)))
    expect(back.map(digestOf)).toEqual(all.map(({ seed }) => digestOf(randomBytes(3 * mib, seed))))
  })

  it('is for one region alone, and for that one after each start', async () => {
    const { ref } = await put(textBytes(100))
    const again = await bench.open({ boot: 2 })
    expect((await gathered(again.read(ref, { lengthBytes: 100, signal }))).length).toBe(100)
    const other = await bench.open({ region: 'ap-south-1' })
    const write = other.write(inPieces(textBytes(100)), { ref: newRef(), lengthBytes: 100, encrypt: false, signal })
    await expect(write).rejects.toThrow(TierRefused)
    await expect(gathered(other.read(ref, { lengthBytes: 100, signal }))).rejects.toThrow(/belongs to tier vault of region us-east-1/)
    expect(other.status()).toMatchObject({ state: 'failing', reason: expect.stringContaining('us-east-1') })
  })
})
