/**
 * Counts, for each segment of this start, the records written and the records freed, to know when a whole segment can go.
 * Freed ones are remembered by offset, because the same freeing may be told twice. Segments of earlier starts are the sweep's.
 */
import { type SegmentId, segmentFileName } from './ref.ts'

/** Freed records remembered over all segments; a segment beyond this waits for a later start's sweep. About 40 bytes each. */
const freedMax = 1_000_000

interface Entry {
  records: number
  bytes: number
  isSealed: boolean
  /** Undefined: no longer counted. */
  freed: Set<number> | undefined
}

export class SegmentLedger {
  readonly #entries = new Map<string, Entry>()
  readonly #onAllFreed: (id: SegmentId) => void
  readonly #freedMax: number
  #freedCount = 0

  constructor(options: { onAllFreed: (id: SegmentId) => void; freedMax?: number }) {
    this.#onAllFreed = options.onAllFreed
    this.#freedMax = options.freedMax ?? freedMax
  }

  get segments(): number {
    return this.#entries.size
  }

  get bytes(): number {
    let sum = 0
    for (const { bytes } of this.#entries.values()) sum += bytes
    return sum
  }

  opened(id: SegmentId): void {
    this.#entries.set(segmentFileName(id), { records: 0, bytes: 0, isSealed: false, freed: new Set() })
  }

  wrote(id: SegmentId, { records, bytes }: { records: number; bytes: number }): void {
    const entry = this.#entries.get(segmentFileName(id))
    if (entry === undefined) return
    entry.records += records
    entry.bytes += bytes
  }

  /** Nothing more will be written to it. */
  sealed(id: SegmentId): void {
    const entry = this.#entries.get(segmentFileName(id))
    if (entry === undefined) return
    entry.isSealed = true
    this.#check(id, entry)
  }

  freed(id: SegmentId, offset: number): void {
    const entry = this.#entries.get(segmentFileName(id))
    if (entry?.freed === undefined || entry.freed.has(offset)) return
    entry.freed.add(offset)
    this.#freedCount += 1
    if (this.#freedCount > this.#freedMax) this.#stopCounting(entry)
    else this.#check(id, entry)
  }

  /** It was emptied by other means. */
  gone(id: SegmentId): void {
    const entry = this.#entries.get(segmentFileName(id))
    if (entry === undefined) return
    this.#stopCounting(entry)
    this.#entries.delete(segmentFileName(id))
  }

  #stopCounting(entry: Entry): void {
    this.#freedCount -= entry.freed?.size ?? 0
    entry.freed = undefined
  }

  #check(id: SegmentId, entry: Entry): void {
    if (!entry.isSealed || entry.freed?.size !== entry.records) return
    this.#stopCounting(entry)
    this.#entries.delete(segmentFileName(id))
    this.#onAllFreed(id)
  }
}
