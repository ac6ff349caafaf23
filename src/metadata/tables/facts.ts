/** What a data folder belongs to, written once (its region, the master key of its seals); and where work in the background stands. */
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { text } from './columns.ts'

/** Writes a fact unless it stands. @returns what stands now */
function* rememberFact(
  input: { readonly name: string; readonly value: string },
  { seq }: TransactionContext,
): Steps<{ readonly standing: string }> {
  yield statement('INSERT INTO facts (name, value, seq) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING', input.name, input.value, seq)
  const [row] = yield statement('SELECT value, seq FROM facts WHERE name = ?1', input.name)
  return { standing: text(row?.value) }
}

/** Writes a fact in place of what stood. */
function* setFact(input: { readonly name: string; readonly value: string }, { seq }: TransactionContext): Steps<void> {
  yield statement('INSERT OR REPLACE INTO facts (name, value, seq) VALUES (?1, ?2, ?3)', input.name, input.value, seq)
}

export function* factOf(name: string): Steps<string | undefined> {
  const [row] = yield statement('SELECT value, seq FROM facts WHERE name = ?1', name)
  return row === undefined ? undefined : text(row.value)
}

/** All facts by name. */
export function* allFacts(): Steps<ReadonlyMap<string, string>> {
  const rows = yield statement('SELECT name, value, seq FROM facts')
  return new Map(rows.map((row) => [text(row.name), text(row.value)]))
}

export const factTransactions = { rememberFact, setFact } as const
