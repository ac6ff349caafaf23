/** How much of the journal has to be durable before what a query saw may be shown. */
import type { Row } from '../steps.ts'
import type { Prepared } from './connection.ts'
import type { SharedJournal } from './shared-journal.ts'

/**
 * The seq that must be durable for this answer to stand. Rows that carry their `seq` speak for themselves, so that a read beside
 * busy writers of the same table need not wait. An answer without rows, without `seq` or out of several tables rests on the tables' newest commit.
 * NOTE: among rows that speak for themselves, one that a not yet durable commit took away is simply missing.
 */
export function durableSeqFor(journal: SharedJournal, prepared: Prepared, rows: readonly Row[]): number {
  return (prepared.tables.length > 1 ? undefined : newestOf(rows)) ?? journal.newestChange(prepared.tables)
}

function newestOf(rows: readonly Row[]): number | undefined {
  let newest: number | undefined
  for (const { seq } of rows) {
    if (typeof seq !== 'number') return undefined
    newest = Math.max(newest ?? 0, seq)
  }
  return newest
}
