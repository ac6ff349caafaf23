/** Accounts and access keys, as the control log has made them. */
import type { AccessKey, Account } from '../../model/identities.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { json } from './columns.ts'

export function* accountById(accountId: string): Steps<Account | undefined> {
  const [row] = yield statement('SELECT record FROM accounts WHERE id = ?1', accountId)
  return row === undefined ? undefined : json<Account>(row.record)
}

export function* accountByCanonicalId(canonicalId: string): Steps<Account | undefined> {
  const [row] = yield statement('SELECT record FROM accounts WHERE canonical_id = ?1', canonicalId)
  return row === undefined ? undefined : json<Account>(row.record)
}

export function* scanAccounts(page: { readonly after: string; readonly limit: number }): Steps<readonly Account[]> {
  const rows = yield statement('SELECT record FROM accounts WHERE id > ?1 ORDER BY id LIMIT ?2', page.after, page.limit)
  return rows.map((row) => json<Account>(row.record))
}

export function* writeAccount(account: Account, { seq }: TransactionContext): Steps<void> {
  const { accountId, canonicalId } = account
  yield statement(
    'INSERT OR REPLACE INTO accounts (id, canonical_id, record, seq) VALUES (?1, ?2, ?3, ?4)',
    accountId,
    canonicalId,
    JSON.stringify(account),
    seq,
  )
}

export function* accessKeyById(accessKeyId: string): Steps<AccessKey | undefined> {
  const [row] = yield statement('SELECT record FROM access_keys WHERE id = ?1', accessKeyId)
  return row === undefined ? undefined : json<AccessKey>(row.record)
}

/** Of a user, or of the account's root, in the order in which they were made. */
export function* accessKeysOf(of: { readonly accountId: string; readonly userName?: string }): Steps<readonly AccessKey[]> {
  const rows = yield statement(
    'SELECT record FROM access_keys WHERE account_id = ?1 AND user_name = ?2 ORDER BY created_ms, id',
    of.accountId,
    of.userName ?? '',
  )
  return rows.map((row) => json<AccessKey>(row.record))
}

export function* writeAccessKey(key: AccessKey, { seq }: TransactionContext): Steps<void> {
  yield statement(
    'INSERT OR REPLACE INTO access_keys (id, account_id, user_name, created_ms, record, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)',
    key.accessKeyId,
    key.accountId,
    key.userName ?? '',
    key.createdMs,
    JSON.stringify(key),
    seq,
  )
}
