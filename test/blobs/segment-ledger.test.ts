import { expect, it } from 'vitest'
import { SegmentLedger } from '../../src/blobs/segment-ledger.ts'

it('stops counting a segment, and never lets it go by mistake, when it would have to remember too much', () => {
  const gone: number[] = []
  const ledger = new SegmentLedger({ onAllFreed: ({ segment }) => gone.push(segment), freedMax: 3 })
  const [one, two] = [
    { boot: 1, segment: 1 },
    { boot: 1, segment: 2 },
  ]
  for (const id of [one, two]) {
    ledger.opened(id)
    ledger.wrote(id, { records: 5, bytes: 500 })
    ledger.sealed(id)
  }
  for (let offset = 0; offset < 5; offset += 1) ledger.freed(one, offset)
  expect(gone).toEqual([])
  ledger.freed(two, 0)
  ledger.freed(two, 0)
  expect(gone).toEqual([])
  expect(ledger.bytes).toBe(1000)
})

it('does not take the same freeing told many times for many', () => {
  const gone: number[] = []
  const ledger = new SegmentLedger({ onAllFreed: ({ segment }) => gone.push(segment), freedMax: 3 })
  const id = { boot: 1, segment: 1 }
  ledger.opened(id)
  ledger.wrote(id, { records: 2, bytes: 40 })
  ledger.sealed(id)
  for (let times = 0; times < 10; times += 1) ledger.freed(id, 0)
  expect(gone).toEqual([])
  ledger.freed(id, 20)
  expect(gone).toEqual([1])
})

it('lets a segment go that is sealed after its records were freed, and one that never had any', () => {
  const gone: number[] = []
  const ledger = new SegmentLedger({ onAllFreed: ({ segment }) => gone.push(segment) })
  ledger.opened({ boot: 1, segment: 1 })
  ledger.wrote({ boot: 1, segment: 1 }, { records: 1, bytes: 20 })
  ledger.freed({ boot: 1, segment: 1 }, 0)
  expect(gone).toEqual([])
  ledger.sealed({ boot: 1, segment: 1 })
  ledger.opened({ boot: 1, segment: 2 })
  ledger.sealed({ boot: 1, segment: 2 })
  expect(gone).toEqual([1, 2])
  expect(ledger.segments).toBe(0)
})
