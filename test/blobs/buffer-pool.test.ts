/** How much memory transfers may take, however many there are. */
import { describe, expect, it } from 'vitest'
import { BufferPool } from '../../src/blobs/buffer-pool.ts'

const mib = 1024 * 1024
const blockBytes = 64 * 1024

describe('a pool of buffers', () => {
  it('gives large buffers, and a block each to those who come when many are in use', () => {
    const pool = new BufferPool({ sizeBytes: mib, keptMax: 1, largeMax: 2 })
    const taken = [pool.take(), pool.take(), pool.take()]
    expect(taken.map(({ length }) => length)).toEqual([mib, mib, blockBytes])
    for (const buffer of taken) pool.give(buffer)
    expect(pool.take()).toHaveLength(mib)
  })

  it('gives the same buffer again', () => {
    const pool = new BufferPool({ sizeBytes: mib, keptMax: 1 })
    const buffer = pool.take()
    pool.give(buffer)
    expect(pool.take()).toBe(buffer)
  })

  it('counts no small buffer that is given back', () => {
    const pool = new BufferPool({ sizeBytes: mib, keptMax: 1, largeMax: 1 })
    const large = pool.take()
    pool.give(pool.take())
    pool.give(pool.take())
    expect(pool.sizeBytes).toBe(blockBytes)
    pool.give(large)
    expect(pool.sizeBytes).toBe(mib)
  })

  it('frees at once what nothing else refers to and is not kept', () => {
    const pool = new BufferPool({ sizeBytes: mib, keptMax: 1, largeMax: 2 })
    const [kept, freed, small] = [pool.take(), pool.take(), pool.take(4096)]
    for (const buffer of [kept, freed, small]) pool.giveOwn(buffer)
    expect([kept, freed, small].map(({ length }) => length)).toEqual([mib, 0, 0])
    expect(pool.take()).toBe(kept)
    expect(pool.take()).toHaveLength(mib)
    expect(pool.sizeBytes).toBe(blockBytes)
  })
})
