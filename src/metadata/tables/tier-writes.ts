/** Blobs that are being written to a tier: noted before their first byte, so that none is left there which no row knows. */
import { prefixEnd } from '../../model/names.ts'
import { tierOfRef, tierRefPrefix } from '../../model/tier-refs.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, optionalText, text } from './columns.ts'

export interface TierWrite {
  readonly ref: string
  readonly startedMs: number
}

/** Writes that are under way, or came to nothing, in the order of their refs. */
export function* tierWrites(page: { readonly after: string; readonly limit: number }): Steps<readonly TierWrite[]> {
  const rows = yield statement('SELECT ref, started_ms, seq FROM tier_writes WHERE ref > ?1 ORDER BY ref LIMIT ?2', page.after, page.limit)
  return rows.map((row) => ({ ref: text(row.ref), startedMs: number(row.started_ms) }))
}

/** Names of the tiers that versions or parts have bytes in, in order: a seek for each. */
export function* tiersInUse(): Steps<readonly string[]> {
  const names: string[] = []
  for (let from: string | undefined = firstTierRef; from !== undefined; ) {
    const rows = yield statement(
      'SELECT min(blob) AS blob FROM versions WHERE blob >= ?1 UNION ALL SELECT min(blob) AS blob FROM parts WHERE blob >= ?1',
      from,
    )
    const [name] = rows.flatMap(({ blob }) => tierOfRef(optionalText(blob) ?? '') ?? []).sort(byRef)
    if (name === undefined) return names
    names.push(name)
    from = prefixEnd(tierRefPrefix(name))
  }
  return names
}

/** Below all refs of tiers, and above all others. */
const firstTierRef = 't'

function byRef(a: string, b: string): number {
  return tierRefPrefix(a) < tierRefPrefix(b) ? -1 : 1
}

function* noteTierWrites(input: { readonly refs: readonly string[] }, { nowMs, seq }: TransactionContext): Steps<void> {
  for (const ref of input.refs) yield statement('INSERT INTO tier_writes (ref, started_ms, seq) VALUES (?1, ?2, ?3)', ref, nowMs, seq)
}

/** Forgets writes whose blobs are no longer in the tier. */
function* forgetTierWrites(input: { readonly refs: readonly string[] }, _context: TransactionContext): Steps<void> {
  for (const ref of input.refs) yield* endTierWrite(ref)
}

/** Part of a transaction that gives a blob to a row, or to the garbage. */
export function* endTierWrite(ref: string): Steps<void> {
  yield statement('DELETE FROM tier_writes WHERE ref = ?1', ref)
}

export const tierWriteTransactions = { noteTierWrites, forgetTierWrites } as const
