/** Numbers that keep the names of blobs apart: one for each thread that writes any, higher than all before. */
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { number } from './columns.ts'

function* countBoot(_input: Readonly<Record<never, never>>, _context: TransactionContext): Steps<{ readonly boot: number }> {
  const [row] = yield statement("UPDATE meta SET value = value + 1 WHERE name = 'boot' RETURNING value")
  return { boot: number(row?.value) }
}

export const bootTransactions = { countBoot } as const
