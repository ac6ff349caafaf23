/**
 * Answers that are kept until a commit changes a table that they rest on. What changed is told by the journal that all threads share, before
 * the change can be seen: no answer outlives it anywhere.
 */
import type { Steps } from '../steps.ts'
import type { SharedJournal } from './shared-journal.ts'
import type { Seen, SnapshotReader } from './snapshot-reader.ts'

/** Names with a kept answer; beyond, the one that was asked for first is forgotten. */
const keptMax = 10_000

export interface RememberedParts<T> {
  readonly journal: SharedJournal
  /** The one of the moment: a fenced engine reads by another. */
  readonly reader: () => SnapshotReader
  readonly query: (name: string) => Steps<T>
}

export class Remembered<T> {
  readonly #parts: RememberedParts<T>
  readonly #kept = new Map<string, Kept<T>>()

  constructor(parts: RememberedParts<T>) {
    this.#parts = parts
  }

  /** @throws what the query throws, which is not kept */
  async get(name: string): Promise<T> {
    const { journal, reader } = this.#parts
    const kept = this.#kept.get(name)
    const seen = kept !== undefined && journal.newestChange(kept.tables) <= kept.seenSeq ? kept : this.#see(name)
    if (seen.neededSeq > journal.durable) await reader().whenDurable(seen.neededSeq)
    return seen.answer
  }

  #see(name: string): Kept<T> {
    const seen = this.#parts.reader().see(() => this.#parts.query(name))
    const kept = { ...seen, tables: [...seen.tables] }
    this.#kept.delete(name)
    this.#kept.set(name, kept)
    if (this.#kept.size > keptMax) this.#forgetOldest()
    return kept
  }

  #forgetOldest(): void {
    const oldest = this.#kept.keys().next()
    if (oldest.done !== true) this.#kept.delete(oldest.value)
  }
}

type Kept<T> = Omit<Seen<T>, 'tables'> & { readonly tables: readonly string[] }
