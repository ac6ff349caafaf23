/** When access keys were last used, as far as this region knows: a hint that is written now and then, and of no other region. */
import type { KeyUse } from '../../model/identities.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, text } from './columns.ts'

export function* keyUse(accessKeyId: string): Steps<KeyUse | undefined> {
  const [row] = yield statement('SELECT used_ms, service, region, seq FROM key_uses WHERE id = ?1', accessKeyId)
  return row && { usedMs: number(row.used_ms), service: text(row.service), region: text(row.region) }
}

/** Of keys that are there; a use that is older than the one that stands says nothing. */
function* noteKeyUses(
  { uses }: { readonly uses: readonly (KeyUse & { readonly accessKeyId: string })[] },
  { seq }: TransactionContext,
): Steps<void> {
  for (const { accessKeyId, usedMs, service, region } of uses) {
    yield statement(
      `INSERT INTO key_uses (id, used_ms, service, region, seq)
         SELECT id, ?2, ?3, ?4, ?5 FROM access_keys WHERE id = ?1
         ON CONFLICT (id) DO UPDATE SET used_ms = excluded.used_ms, service = excluded.service, region = excluded.region, seq = excluded.seq
           WHERE excluded.used_ms > used_ms`,
      accessKeyId,
      usedMs,
      service,
      region,
      seq,
    )
  }
}

export const keyUseTransactions = { noteKeyUses } as const
