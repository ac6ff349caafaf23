/** What lies in a tier, in memory: whatever happens to it, wrong bytes never come out. */
import { randomBytes as randomKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { TierCorrupt } from '../../src/tiers/errors.ts'
import {
  entriesOf,
  footerBytes,
  frameBytes,
  IndexBuilder,
  indexBytesOf,
  type Layout,
  packedBytesMax,
  pageOf,
  parseFooter,
} from '../../src/tiers/format.ts'
import { packed } from '../../src/tiers/pack.ts'
import { type StoredBytes, unpacked } from '../../src/tiers/unpack.ts'
import { chooseSeed, type Random, randomFrom } from '../limits/random.ts'
import { gathered, inPieces, randomBytes, textBytes } from './bytes.ts'

const ref = `tslow.00000001-${'ab'.repeat(16)}`

function inMemory(bytes: Buffer): StoredBytes {
  return {
    tail: async (lengthBytes) => ({ sizeBytes: bytes.length, bytes: Buffer.from(bytes.subarray(Math.max(0, bytes.length - lengthBytes))) }),
    at: async ({ offset, lengthBytes }) => {
      if (offset + lengthBytes > bytes.length) throw new Error('asked beyond the end')
      return Buffer.from(bytes.subarray(offset, offset + lengthBytes))
    },
    giveUp: () => {},
  }
}

const pack = (bytes: Buffer, dataKey?: Buffer): Promise<Buffer> =>
  gathered(packed(inPieces(bytes), { ref, lengthBytes: bytes.length, dataKey }))

describe('what lies in a tier', () => {
  it.each([
    ['as it is', undefined],
    ['encrypted', randomKey(32)],
  ] as const)('gives the bytes or an error after any change: %s', { timeout: 60_000 }, async (_, dataKey) => {
    const seed = chooseSeed()
    const random = randomFrom(seed)
    const bytes = Buffer.concat([randomBytes(frameBytes + 300), textBytes(frameBytes), randomBytes(5000, 2)])
    const stored = await pack(bytes, dataKey)
    for (let round = 0; round < 300; round++) {
      const changed = change(stored, random)
      const start = random.below(bytes.length)
      const range = { start, endInclusive: start + random.below(bytes.length - start) }
      const seen: Buffer[] = []
      try {
        for await (const piece of unpacked(inMemory(changed), ref, { lengthBytes: bytes.length, dataKey, range })) seen.push(piece)
        expect(Buffer.concat(seen).length, `seed ${seed}, round ${round}`).toBe(range.endInclusive - range.start + 1)
      } catch (error) {
        expect(error, `seed ${seed}, round ${round}`).toBeInstanceOf(TierCorrupt)
      }
      const given = Buffer.concat(seen)
      expect(given.equals(bytes.subarray(start, start + given.length)), `seed ${seed}, round ${round}`).toBe(true)
    }
  })

  it('takes no more room than it says', async () => {
    for (const length of [0, 1, frameBytes, 3 * frameBytes + 1]) {
      const bytes = randomBytes(length)
      expect((await pack(bytes, randomKey(32))).length).toBe(packedBytesMax(length))
    }
  })

  it('does not let what is compressed be taken for what is not, with the right key', async () => {
    const dataKey = randomKey(32)
    const bytes = textBytes(500)
    const stored = await pack(bytes, dataKey)
    const layout: Layout = { ref, lengthBytes: bytes.length, isEncrypted: true }
    const index = new IndexBuilder()
    const frameStored = stored.length - indexBytesOf(layout) - footerBytes
    index.add({ storedBytes: frameStored, isCompressed: false })
    const forged = Buffer.concat([stored.subarray(0, frameStored), index.finish(layout)])
    await expect(gathered(unpacked(inMemory(forged), ref, { lengthBytes: bytes.length, dataKey }))).rejects.toThrow(TierCorrupt)
  })

  it('tries to compress again when what follows does', async () => {
    const bytes = Buffer.concat([randomBytes(2 * frameBytes), textBytes(4 * frameBytes)])
    const stored = await pack(bytes)
    expect(stored.length).toBeLessThan(2.1 * frameBytes)
    expect((await gathered(unpacked(inMemory(stored), ref, { lengthBytes: bytes.length }))).equals(bytes)).toBe(true)
  })
})

describe('the index of a large blob', () => {
  const frames = 10_000
  const layout: Layout = { ref, lengthBytes: frames * frameBytes - 5, isEncrypted: false }
  const index = new IndexBuilder()
  const offsets: number[] = []
  for (let i = 0; i < frames; i++) {
    offsets.push(index.offset)
    index.add({ storedBytes: 100 + (i % 1000), isCompressed: i % 3 === 0 })
  }
  const bytes = index.finish(layout)
  const footer = parseFooter(ref, bytes.subarray(-footerBytes))
  if (footer === undefined) throw new Error('no footer')

  it.each([0, 1, 4095, 4096, 8191, 8192, 9999])('finds frame %i', (frame) => {
    const place = pageOf(footer, frame)
    const at = place.offset - footer.indexOffset
    const entries = entriesOf(footer, place, bytes.subarray(at, at + place.lengthBytes))
    expect(entries?.[frame - place.firstFrame]).toEqual({
      offset: offsets[frame],
      storedBytes: 100 + (frame % 1000),
      isCompressed: frame % 3 === 0,
    })
  })

  it('is as long as its footer lets expect, and no page of it stands for another', () => {
    expect(bytes.length).toBe(indexBytesOf(layout) + footerBytes)
    const [first, second] = [pageOf(footer, 0), pageOf(footer, 4096)]
    expect(entriesOf(footer, second, bytes.subarray(0, first.lengthBytes))).toBeUndefined()
    expect(parseFooter(`${ref}0`, bytes.subarray(-footerBytes))).toBeUndefined()
  })
})

function change(stored: Buffer, random: Random): Buffer {
  const at = random.below(stored.length)
  // Half of the changes hit the end, where everything hangs together.
  const place = random.oneIn(2) ? at : stored.length - 1 - random.below(100)
  switch (random.below(5)) {
    case 0: {
      const flipped = Buffer.from(stored)
      flipped[place] = (flipped[place] ?? 0) ^ (1 << random.below(8))
      return flipped
    }
    case 1:
      return stored.subarray(0, place)
    case 2:
      return Buffer.concat([stored.subarray(0, place), random.bytes(1 + random.below(9)), stored.subarray(place)])
    case 3: {
      const moved = Buffer.from(stored)
      stored.copy(moved, place, at, at + random.below(5000))
      return moved
    }
    default: {
      const zeroed = Buffer.from(stored)
      return zeroed.fill(0, place, Math.min(stored.length, place + 1 + random.below(4096)))
    }
  }
}
