/** A change of the control plane in one line for an operator, with no secret in it. */
import type { ControlChange } from '../metadata/tables/control.ts'
import type { AccessKey, IdentityKey } from '../model/identities.ts'

export function wordsOfChange(change: ControlChange): string {
  switch (change.kind) {
    case 'setHome':
      return `home: ${change.region}`
    case 'createBucket':
      return `bucket ${change.bucket.name} made in ${change.bucket.region}`
    case 'deleteBucket':
      return `bucket ${change.name} deleted`
    case 'createAccount':
      return `account ${change.account.accountId} made: ${change.account.displayName}`
    case 'changeAccount':
      return `account ${change.accountId} changed: ${Object.keys(change.set).join(', ')}`
    case 'deleteAccount':
      return `account ${change.accountId} deleted`
    case 'createIdentity':
      return `${wordsOfIdentity(change.identity)} made`
    case 'deleteIdentity':
      return `${wordsOfIdentity(change.of)} deleted`
    case 'editIdentity':
      return `${wordsOfIdentity(change.of)} changed: ${change.edit.kind}`
    case 'createAccessKey':
      return `${wordsOfKey(change.key)} made`
    case 'setAccessKeyStatus':
      return `${wordsOfKey(change)} set to ${change.status}`
    case 'deleteAccessKey':
      return `${wordsOfKey(change)} deleted`
    case 'createRole':
      return `role ${change.role.name} made`
    case 'deleteRole':
      return `role ${change.name} deleted`
    case 'putRolePolicy':
    case 'deleteRolePolicy':
      return `role ${change.roleName} changed: ${change.kind}`
    default:
      return change satisfies never
  }
}

function wordsOfIdentity({ type, name, accountId }: IdentityKey): string {
  return `${type} ${name} of account ${accountId}`
}

function wordsOfKey({ accessKeyId, accountId, userName }: Pick<AccessKey, 'accessKeyId' | 'accountId' | 'userName'>): string {
  return `access key ${accessKeyId} of ${userName === undefined ? 'the root' : `user ${userName}`} of account ${accountId}`
}
