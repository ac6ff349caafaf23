/** Makes what a row of the control log says of accounts, identities and keys. NOTE: it refuses nothing; the row was judged when it was written. */

import type { IdentityChange } from '../../model/identity-changes.ts'
import { applyEdit } from '../../model/identity-edits.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { accessKeyById, accountById, writeAccessKey, writeAccount } from './accounts.ts'
import { dropIdentity, identityByName, writeIdentity } from './identities.ts'

export function* applyIdentityChange(change: IdentityChange, context: TransactionContext): Steps<void> {
  switch (change.kind) {
    case 'createAccount':
      yield* writeAccount(change.account, context)
      if (change.rootKey !== undefined) yield* writeAccessKey(change.rootKey, context)
      return
    case 'changeAccount': {
      const account = yield* accountById(change.accountId)
      if (account !== undefined) yield* writeAccount({ ...account, ...change.set }, context)
      return
    }
    case 'deleteAccount':
      yield statement('DELETE FROM accounts WHERE id = ?1', change.accountId)
      yield statement('DELETE FROM key_uses WHERE id IN (SELECT id FROM access_keys WHERE account_id = ?1)', change.accountId)
      yield statement('DELETE FROM access_keys WHERE account_id = ?1', change.accountId)
      return
    case 'createIdentity':
      yield* writeIdentity(change.identity, context)
      return
    case 'deleteIdentity':
      yield* dropIdentity(change.of)
      return
    case 'editIdentity': {
      const identity = yield* identityByName(change.of)
      if (identity !== undefined) yield* writeIdentity(applyEdit(identity, change.edit), context)
      return
    }
    case 'createAccessKey':
      yield* writeAccessKey(change.key, context)
      return
    case 'setAccessKeyStatus': {
      const key = yield* accessKeyById(change.accessKeyId)
      if (key !== undefined) yield* writeAccessKey({ ...key, status: change.status }, context)
      return
    }
    case 'deleteAccessKey':
      yield statement('DELETE FROM access_keys WHERE id = ?1', change.accessKeyId)
      yield statement('DELETE FROM key_uses WHERE id = ?1', change.accessKeyId)
      return
    default:
      change satisfies never
  }
}
