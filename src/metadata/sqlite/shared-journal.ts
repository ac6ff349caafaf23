/**
 * How far the journal is, in memory that the threads of a region share: whoever reads learns without a message what must be durable before
 * an answer may rest on it. One thread writes it, the one that commits.
 */

/** Cells before those of the tables. */
const durableCell = 0
const announcedCell = 1
const fencedCell = 2
const firstTableCell = 3
/** A wait looks again after this, in case that what it waits for was withdrawn. */
const lookAgainMs = 20

export class SharedJournal {
  readonly memory: SharedArrayBuffer
  readonly #cells: BigInt64Array
  /** Table → its cell. Every thread derives the same from the same schema. */
  readonly #tableCells: ReadonlyMap<string, number>

  /** @param tables  the names of all tables @param memory  another thread's; absent: new */
  constructor(tables: readonly string[], memory?: SharedArrayBuffer) {
    const names = [...tables].sort()
    this.memory = memory ?? new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT * (firstTableCell + names.length))
    this.#cells = new BigInt64Array(this.memory)
    this.#tableCells = new Map(names.map((name, index) => [name, firstTableCell + index]))
  }

  /** The newest position that would survive a power cut. */
  get durable(): number {
    return this.#load(durableCell)
  }

  /** The newest position that a snapshot may show. */
  get announced(): number {
    return this.#load(announcedCell)
  }

  get isFenced(): boolean {
    return this.#load(fencedCell) !== 0
  }

  /** The newest position that changed any of these tables. */
  newestChange(tables: readonly string[]): number {
    let newest = 0
    for (const table of tables) newest = Math.max(newest, this.#load(this.#tableCells.get(table) ?? announcedCell))
    return newest
  }

  /** All that is in the file at open is durable. */
  opened(seq: number): void {
    this.#store(announcedCell, seq)
    this.durableTo(seq)
  }

  /** NOTE: before the COMMIT, for from then on other threads see its rows. */
  announce(changed: ReadonlyMap<string, number>, seq: number): void {
    this.#store(announcedCell, seq)
    for (const [table, newest] of changed) {
      const cell = this.#tableCells.get(table)
      if (cell !== undefined) this.#store(cell, newest)
    }
  }

  /** The COMMIT failed: nothing above `seq` will be seen. */
  withdraw(seq: number): void {
    for (let cell = announcedCell; cell < this.#cells.length; cell++) {
      if (cell !== fencedCell && this.#load(cell) > seq) this.#store(cell, seq)
    }
  }

  durableTo(seq: number): void {
    this.#store(durableCell, seq)
    Atomics.notify(this.#cells, durableCell)
  }

  /** Nothing more becomes durable. */
  fence(): void {
    this.#store(fencedCell, 1)
    Atomics.notify(this.#cells, durableCell)
  }

  /** Resolves with the durable position when it may have changed, after 20 ms at the latest. */
  async nextDurable(seen: number): Promise<number> {
    const { async, value } = Atomics.waitAsync(this.#cells, durableCell, BigInt(seen), lookAgainMs)
    if (async) await value
    return this.durable
  }

  #load(cell: number): number {
    return Number(Atomics.load(this.#cells, cell))
  }

  #store(cell: number, value: number): void {
    Atomics.store(this.#cells, cell, BigInt(value))
  }
}
