import { describe, expect, it } from 'vitest'
import { BlobLengthWrong } from '../../src/blobs/errors.ts'
import { filesBelow, inChunks, MiB, openStore, readAll, sizes, someBytes } from './harness.ts'
import { WatchedDisk } from './watched-disk.ts'

describe.each([{ encrypt: false }, { encrypt: true }])('a blob written with encrypt $encrypt', ({ encrypt }) => {
  it.each(sizes)('of %i bytes reads as it was written, from a stream of known or unknown length and from a buffer', async (length) => {
    const store = await openStore()
    const bytes = someBytes(length)
    for (const blob of [
      await store.write(inChunks(bytes), { encrypt }),
      await store.write(inChunks(bytes, 1000), { encrypt, lengthBytes: length }),
      await store.write(bytes, { encrypt }),
    ]) {
      expect(blob.lengthBytes).toBe(length)
      expect(blob.dataKey?.length).toBe(encrypt ? 32 : undefined)
      expect(blob.ref[0]).toBe(length <= 128 * 1024 ? 's' : 'f')
      expect((await readAll(store, blob)).equals(bytes)).toBe(true)
      expect((await readAll(store, blob, { reuseBuffers: true })).equals(bytes)).toBe(true)
    }
  })

  it.each([70_000, 131_072, 3 * MiB + 77])('of %i bytes gives exactly the range asked for', async (length) => {
    const store = await openStore()
    const bytes = someBytes(length)
    const blob = await store.write(inChunks(bytes), { encrypt })
    const edges = [0, 1, 65_535, 65_536, 65_537, 131_071, MiB - 1, MiB, 2 * MiB + 1, length - 1].filter((at) => at < length)
    for (const start of edges) {
      for (const endInclusive of edges.filter((at) => at >= start)) {
        const range = { start, endInclusive }
        expect((await readAll(store, blob, { range, reuseBuffers: true })).equals(bytes.subarray(start, endInclusive + 1))).toBe(true)
      }
    }
    const range = { start: 65_000, endInclusive: 69_999 }
    expect((await store.readWhole(blob.ref, { ...blob, range })).equals(bytes.subarray(65_000, 70_000))).toBe(true)
  })

  it('survives a new start of the store', async () => {
    const first = await openStore()
    const [small, large] = [someBytes(500), someBytes(300_000)]
    const written = [await first.write(small, { encrypt }), await first.write(large, { encrypt })] as const
    await first.close()
    const second = await openStore({ directory: first.directory, boot: 2 })
    expect((await readAll(second, written[0])).equals(small)).toBe(true)
    expect((await readAll(second, written[1])).equals(large)).toBe(true)
  })
})

it('never has plaintext of an encrypted blob on the disk, not even while it is being written', async () => {
  const store = await openStore()
  const marker = Buffer.from('this sentence must not be found on the disk. ')
  const chunk = Buffer.alloc(MiB, marker)
  const seen: boolean[] = []
  const look = async (): Promise<void> => {
    for (const bytes of (await filesBelow(store.directory)).values()) seen.push(bytes.includes(marker.subarray(0, 12)))
  }
  async function* watched(): AsyncGenerator<Buffer> {
    for (let count = 0; count < 4; count += 1) {
      yield chunk
      await look()
    }
  }
  await store.write(watched(), { encrypt: true })
  await store.write(chunk.subarray(0, 100_000), { encrypt: true })
  await look()
  expect(seen.length).toBeGreaterThan(4)
  expect(seen).not.toContain(true)
  await store.write(chunk.subarray(0, 1000), { encrypt: false })
  await look()
  expect(seen, 'the search itself finds plaintext where there is some').toContain(true)
})

it.each([
  { announced: 10, given: 11 },
  { announced: 10, given: 9 },
  { announced: 200_000, given: 200_001 },
  { announced: 200_000, given: 199_999 },
])('refuses a stream of $given bytes that was announced as $announced', async ({ announced, given }) => {
  const store = await openStore()
  await expect(store.write(inChunks(someBytes(given)), { encrypt: false, lengthBytes: announced })).rejects.toThrow(BlobLengthWrong)
  expect((await filesBelow(store.directory)).size).toBe(0)
})

it('refuses an announced length above 5 GiB before it reads a byte', async () => {
  const store = await openStore()
  let pulls = 0
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      pulls += 1
      yield someBytes(1000)
    }
  }
  await expect(store.write(endless(), { encrypt: false, lengthBytes: 5 * 1024 ** 3 + 1 })).rejects.toThrow(BlobLengthWrong)
  expect(pulls).toBe(0)
})

it('reads no more of a large blob than the blocks that a range needs', async () => {
  const ops = new WatchedDisk()
  const store = await openStore({ ops })
  const blob = await store.write(someBytes(5 * MiB), { encrypt: false })
  ops.readBytes = 0
  await readAll(store, blob, { range: { start: 3 * MiB + 5, endInclusive: 3 * MiB + 70_000 } })
  expect(ops.readBytes).toBeLessThan(2 * 65_536 + 100)
})

it('reads at most one piece ahead of a consumer that is slow', async () => {
  const ops = new WatchedDisk()
  const store = await openStore({ ops })
  const blob = await store.write(someBytes(5 * MiB), { encrypt: false })
  ops.readBytes = 0
  const buffers = new Set<ArrayBufferLike>()
  let pieces = 0
  for await (const piece of store.read(blob.ref, { ...blob, reuseBuffers: true })) {
    pieces += 1
    buffers.add(piece.buffer)
    await new Promise((resolve) => setImmediate(resolve))
    expect(ops.readBytes).toBeLessThanOrEqual((pieces + 1) * MiB + 1000)
  }
  expect(pieces).toBe(5)
  expect(buffers.size).toBe(2)
})

it('gives pieces to keep when reuse was not asked for', async () => {
  const store = await openStore()
  const bytes = someBytes(5 * MiB)
  const blob = await store.write(bytes, { encrypt: true })
  const kept: Buffer[] = []
  for await (const piece of store.read(blob.ref, blob)) kept.push(piece)
  expect(Buffer.concat(kept).equals(bytes)).toBe(true)
})

it('refuses a range outside the blob and a whole read above 1 MiB', async () => {
  const store = await openStore()
  const blob = await store.write(someBytes(2 * MiB), { encrypt: false })
  await expect(readAll(store, blob, { range: { start: 5, endInclusive: 4 } })).rejects.toThrow(RangeError)
  await expect(readAll(store, blob, { range: { start: 0, endInclusive: 2 * MiB } })).rejects.toThrow(RangeError)
  await expect(store.readWhole(blob.ref, blob)).rejects.toThrow(RangeError)
})
