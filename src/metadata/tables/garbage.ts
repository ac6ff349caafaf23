/** Blobs that no row refers to any more: unlinked once their freeing is durable, then forgotten. */
import { prefixEnd } from '../../model/names.ts'
import { tierRefPrefix } from '../../model/tier-refs.ts'
import { type Row, type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, text } from './columns.ts'

export interface FreedBlob {
  readonly id: number
  readonly blob: string
}

/** Freed blobs of the region's own disk, the oldest first. Those of tiers have refs behind all of these (`model/tier-refs.ts`). */
export function* freedBlobs(page: { readonly afterId: number; readonly limit: number }): Steps<readonly FreedBlob[]> {
  const rows = yield statement(
    "SELECT id, blob, seq FROM garbage INDEXED BY garbage_own WHERE id > ?1 AND blob < 't' ORDER BY id LIMIT ?2",
    page.afterId,
    page.limit,
  )
  return rows.map(toFreed)
}

/** Freed blobs of one tier, in the order of their refs. */
export function* freedInTier(page: { readonly tier: string; readonly after: string; readonly limit: number }): Steps<readonly FreedBlob[]> {
  const prefix = tierRefPrefix(page.tier)
  const rows = yield statement(
    'SELECT id, blob, seq FROM garbage WHERE blob > ?1 AND blob < ?2 ORDER BY blob LIMIT ?3',
    page.after < prefix ? prefix : page.after,
    prefixEnd(prefix) ?? prefix,
    page.limit,
  )
  return rows.map(toFreed)
}

function toFreed(row: Row): FreedBlob {
  return { id: number(row.id), blob: text(row.blob) }
}

/** Forgets blobs that are unlinked. */
function* forgetBlobs(input: { readonly ids: readonly number[] }, _context: TransactionContext): Steps<void> {
  for (const id of input.ids) yield statement('DELETE FROM garbage WHERE id = ?1', id)
}

export const garbageTransactions = { forgetBlobs } as const
