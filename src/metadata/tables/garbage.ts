/** Blobs that no row refers to any more: unlinked once their freeing is durable, then forgotten. */
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, text } from './columns.ts'

export interface FreedBlob {
  readonly id: number
  readonly blob: string
}

/** Freed blobs, the oldest first. */
export function* freedBlobs(page: { readonly afterId: number; readonly limit: number }): Steps<readonly FreedBlob[]> {
  const rows = yield statement('SELECT id, blob, seq FROM garbage WHERE id > ?1 ORDER BY id LIMIT ?2', page.afterId, page.limit)
  return rows.map((row) => ({ id: number(row.id), blob: text(row.blob) }))
}

/** Forgets blobs that are unlinked. */
function* forgetBlobs(input: { readonly ids: readonly number[] }, _context: TransactionContext): Steps<void> {
  for (const id of input.ids) yield statement('DELETE FROM garbage WHERE id = ?1', id)
}

export const garbageTransactions = { forgetBlobs } as const
