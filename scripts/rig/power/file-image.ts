/** One file: its bytes as they were last synced, and the changes since then. */
import type { Random } from '../../../test/limits/random.ts'

const pageBytes = 4096

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly at: number; readonly length: number }

export class FileImage {
  #synced = new Bytes()
  #unsynced: Change[] = []

  write(at: number, offset: number, data: Buffer): void {
    this.#unsynced.push({ kind: 'write', at, offset, data })
  }

  truncate(at: number, length: number): void {
    this.#unsynced.push({ kind: 'truncate', at, length })
  }

  /** A sync that began at this position has ended well. */
  synced(at: number): void {
    const isCovered = (change: Change): boolean => change.at < at
    for (const change of this.#unsynced) if (isCovered(change)) apply(this.#synced, change)
    this.#unsynced = this.#unsynced.filter((change) => !isCovered(change))
  }

  /**
   * A sync that began at this position has failed. What it should have covered the system now holds as clean: it reads well, and no later sync
   * writes it. Of its pages some have reached the disk, any of them.
   */
  failed(at: number, random: Random): void {
    const isCovered = (change: Change): boolean => change.at < at
    const covered = this.#unsynced.filter(isCovered)
    this.#synced = this.#some(covered, random)
    this.#unsynced = this.#unsynced.filter((change) => !isCovered(change))
  }

  durable(): Buffer {
    return this.#synced.content()
  }

  /** Of the changes that no sync has covered, each page has seen the first few, no two pages the same number of them; truncations come or not. */
  someOf(random: Random): Buffer {
    return this.#some(this.#unsynced, random).content()
  }

  #some(changes: readonly Change[], random: Random): Bytes {
    const bytes = this.#synced.copy()
    const stages = new Map<number, number>()
    const hasSeen = (page: number, index: number): boolean => {
      const stage = stages.get(page) ?? random.below(changes.length + 1)
      stages.set(page, stage)
      return index < stage
    }
    for (const [index, change] of changes.entries()) {
      if (change.kind === 'truncate') {
        if (random.oneIn(2)) apply(bytes, change)
        continue
      }
      for (const piece of piecesOf(change)) if (hasSeen(Math.floor(piece.offset / pageBytes), index)) bytes.write(piece.offset, piece.data)
    }
    return bytes
  }
}

function apply(bytes: Bytes, change: Change): void {
  if (change.kind === 'write') bytes.write(change.offset, change.data)
  else bytes.truncate(change.length)
}

/** A write, cut at the ends of pages. */
function* piecesOf({
  offset,
  data,
}: {
  readonly offset: number
  readonly data: Buffer
}): Generator<{ readonly offset: number; readonly data: Buffer }> {
  let from = 0
  while (from < data.length) {
    const to = Math.min(data.length, from + pageBytes - ((offset + from) % pageBytes))
    yield { offset: offset + from, data: data.subarray(from, to) }
    from = to
  }
}

/** Bytes that grow. */
class Bytes {
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0

  write(offset: number, data: Buffer): void {
    const end = offset + data.length
    if (end > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(end, 2 * this.#buffer.length))
      this.#buffer.copy(grown, 0, 0, this.#length)
      this.#buffer = grown
    }
    data.copy(this.#buffer, offset)
    this.#length = Math.max(this.#length, end)
  }

  truncate(length: number): void {
    if (length > this.#length) this.write(length - 1, Buffer.alloc(1))
    this.#buffer.fill(0, length)
    this.#length = length
  }

  content(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  copy(): Bytes {
    const copy = new Bytes()
    copy.write(0, this.content())
    return copy
  }
}
