/** How much of the journal has to be durable before what a query saw may be shown. */
import type { Row } from '../steps.ts'
import type { Prepared } from './connection.ts'

export class DurableView {
  /** Table → newest commit that changed it. */
  readonly #changed = new Map<string, number>()

  changed(tables: Iterable<string>, seq: number): void {
    for (const table of tables) this.#changed.set(table, seq)
  }

  /**
   * The seq that must be durable for this answer to stand. Rows that carry their `seq` speak for themselves, so that a read beside
   * busy writers of the same table need not wait. An answer without rows, without `seq` or out of several tables rests on the tables' newest commit.
   * NOTE: among rows that speak for themselves, one that a not yet durable commit took away is simply missing.
   */
  neededBy(prepared: Prepared, rows: readonly Row[]): number {
    return (prepared.tables.length > 1 ? undefined : newestOf(rows)) ?? this.#newestChange(prepared.tables)
  }

  #newestChange(tables: readonly string[]): number {
    let newest = 0
    for (const table of tables) newest = Math.max(newest, this.#changed.get(table) ?? 0)
    return newest
  }
}

function newestOf(rows: readonly Row[]): number | undefined {
  let newest: number | undefined
  for (const { seq } of rows) {
    if (typeof seq !== 'number') return undefined
    newest = Math.max(newest ?? 0, seq)
  }
  return newest
}
