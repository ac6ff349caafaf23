/** Whether a change of accounts, identities and keys may be made, by the rows that stand: judged at home, inside the write. */
import { isAwsManagedArn } from '../../model/aws-managed-policies.ts'
import { S3Error } from '../../model/errors.ts'
import { foldName } from '../../model/iam-names.ts'
import type { AccessKey, Account, Identity, IdentityKey, IdentityOf, IdentityType } from '../../model/identities.ts'
import type { IdentityChange, IdentityEdit } from '../../model/identity-changes.ts'
import {
  checkDeletable,
  checkEdit,
  checkNewIdentity,
  deleteConflict,
  limitExceeded,
  noSuchEntity,
  typeNames,
} from '../../model/identity-checks.ts'
import { accessKeysMax, accountsMax, identitiesMax } from '../../model/identity-limits.ts'
import { type Steps, statement } from '../steps.ts'
import { accessKeyById, accessKeysOf, accountByCanonicalId, accountById } from './accounts.ts'
import { number } from './columns.ts'
import { identityByName, isLinked, policyByArn } from './identities.ts'

/** @throws S3Error NoSuchEntity | EntityAlreadyExists | DeleteConflict | LimitExceeded | MalformedPolicyDocument | ValidationError */
export function* checkIdentityChange(change: IdentityChange): Steps<void> {
  switch (change.kind) {
    case 'createAccount':
      return yield* checkNewAccount(change.account, change.rootKey)
    case 'changeAccount':
      yield* standingAccount(change.accountId)
      return
    case 'deleteAccount':
      return yield* checkEmptyAccount(yield* standingAccount(change.accountId))
    case 'createIdentity':
      return yield* checkNew(change.identity)
    case 'deleteIdentity':
      return yield* checkUnused(yield* standing(change.of))
    case 'editIdentity': {
      const identity = yield* standing(change.of)
      yield* checkNamed(identity, change.edit)
      return checkEdit(identity, change.edit)
    }
    case 'createAccessKey':
      return yield* checkNewKey(change.key)
    case 'setAccessKeyStatus':
    case 'deleteAccessKey':
      return yield* checkKeyOf(change)
    default:
      change satisfies never
  }
}

function* checkNewAccount(account: Account, rootKey: AccessKey | undefined): Steps<void> {
  const { accountId, canonicalId } = account
  if ((yield* accountById(accountId)) !== undefined || (yield* accountByCanonicalId(canonicalId)) !== undefined) {
    throw new S3Error('EntityAlreadyExists', { message: `Account ${accountId} already exists.` })
  }
  const [row] = yield statement('SELECT count(*) AS accounts FROM accounts')
  if (number(row?.accounts) >= accountsMax) throw limitExceeded('Accounts', accountsMax)
  if (rootKey !== undefined) yield* checkFreeKeyId(rootKey.accessKeyId)
}

function* checkEmptyAccount({ accountId, canonicalId }: Account): Steps<void> {
  const buckets = yield statement('SELECT 1 FROM names WHERE owner_id = ?1 LIMIT 1', canonicalId)
  if (buckets.length > 0) throw deleteConflict('Cannot delete the account, must delete its buckets first.')
  const identities = yield statement('SELECT 1 FROM identities WHERE account_id = ?1 LIMIT 1', accountId)
  if (identities.length > 0) throw deleteConflict('Cannot delete the account, must delete its users, groups, roles and policies first.')
}

function* checkNew(identity: Identity): Steps<void> {
  const { accountId, type, name } = identity
  yield* standingAccount(accountId)
  if ((yield* identityByName(identity)) !== undefined) {
    const message =
      type === 'policy'
        ? `A policy called ${name} already exists. Duplicate names are not allowed.`
        : `${typeNames[type]} with name ${name} already exists.`
    throw new S3Error('EntityAlreadyExists', { message })
  }
  const [row] = yield statement('SELECT count(*) AS identities FROM identities WHERE account_id = ?1 AND type = ?2', accountId, type)
  const max = identitiesMax[type]
  if (number(row?.identities) >= max) throw limitExceeded(`${typeNames[type]}sPerAccount`, max)
  checkNewIdentity(identity)
  if ((type === 'user' || type === 'role') && identity.boundary !== undefined) yield* checkAttachable(identity, identity.boundary)
}

function* checkUnused(identity: Identity): Steps<void> {
  checkDeletable(identity)
  switch (identity.type) {
    case 'user': {
      const keys = yield* accessKeysOf({ accountId: identity.accountId, userName: identity.name })
      if (keys.length > 0) throw deleteConflict('Cannot delete entity, must delete access keys first.')
      return
    }
    case 'group':
      if (yield* isLinked({ ...identity, type: 'group' })) throw deleteConflict('Cannot delete entity, must remove users from group first.')
      return
    case 'policy':
      if (yield* isLinked(identity.arn)) throw deleteConflict('Cannot delete a policy attached to entities.')
      return
    case 'role':
      return
    default:
      identity satisfies never
  }
}

/** Whether what an edit names is there. */
function* checkNamed(identity: Identity, edit: IdentityEdit): Steps<void> {
  if (edit.kind === 'addToGroup') yield* standing({ accountId: identity.accountId, type: 'group', name: edit.group })
  if (edit.kind === 'attachPolicy') yield* checkAttachable(identity, edit.arn)
  if (edit.kind === 'setBoundary' && edit.arn !== undefined) yield* checkAttachable(identity, edit.arn)
}

/** A policy is for its own account; AWS's are for all. */
function* checkAttachable({ accountId }: Identity, arn: string): Steps<void> {
  const policy = yield* policyByArn(arn)
  if (policy !== undefined && (isAwsManagedArn(arn) || policy.accountId === accountId)) return
  throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`)
}

function* checkNewKey(key: AccessKey): Steps<void> {
  const { accountId, userName } = key
  yield* standingAccount(accountId)
  if (userName !== undefined) yield* standing({ accountId, type: 'user', name: userName })
  const keys = yield* accessKeysOf(key)
  if (keys.length >= accessKeysMax) throw limitExceeded('AccessKeysPerUser', accessKeysMax)
  yield* checkFreeKeyId(key.accessKeyId)
}

function* checkFreeKeyId(accessKeyId: string): Steps<void> {
  if ((yield* accessKeyById(accessKeyId)) === undefined) return
  throw new S3Error('EntityAlreadyExists', { message: `The Access Key with id ${accessKeyId} already exists.` })
}

function* checkKeyOf(of: { readonly accountId: string; readonly userName?: string; readonly accessKeyId: string }): Steps<void> {
  const key = yield* accessKeyById(of.accessKeyId)
  if (key?.accountId === of.accountId && foldName(key.userName ?? '') === foldName(of.userName ?? '')) return
  throw noSuchEntity(`The Access Key with id ${of.accessKeyId} cannot be found.`)
}

function* standingAccount(accountId: string): Steps<Account> {
  const account = yield* accountById(accountId)
  if (account === undefined) throw noSuchEntity(`The account with id ${accountId} cannot be found.`)
  return account
}

function* standing<Type extends IdentityType>(key: IdentityKey<Type>): Steps<IdentityOf<Type>> {
  const identity = yield* identityByName(key)
  if (identity === undefined) throw noSuchEntity(`The ${key.type} with name ${key.name} cannot be found.`)
  return identity
}
