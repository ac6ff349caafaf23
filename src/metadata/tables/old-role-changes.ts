/**
 * Rows of the control log that were written while roles were the only identities. They stay what they are, as the hashes cover them, and
 * are applied as the changes of today that mean the same. Nobody writes them any more.
 */
import type { IdentityKey } from '../../model/identities.ts'
import type { IdentityChange } from '../../model/identity-changes.ts'
import type { Role } from '../../model/role.ts'
import { type Steps, statement } from '../steps.ts'
import { text } from './columns.ts'

export type OldRoleChange =
  | { readonly kind: 'createRole'; readonly role: OldRole }
  | { readonly kind: 'deleteRole'; readonly name: string }
  | { readonly kind: 'putRolePolicy'; readonly roleName: string; readonly policyName: string; readonly document: string }
  | { readonly kind: 'deleteRolePolicy'; readonly roleName: string; readonly policyName: string }

type OldRole = Omit<Role, 'type' | 'id' | 'attachedPolicies' | 'tags'> & Partial<Role> & { readonly roleId?: string }

export function isOldRoleChange(change: { readonly kind: string }): change is OldRoleChange {
  return /^(create|delete)Role$|^(put|delete)RolePolicy$/.test(change.kind)
}

export function* todaysChange(change: OldRoleChange): Steps<IdentityChange> {
  switch (change.kind) {
    case 'createRole': {
      const { roleId = '', ...role } = change.role
      return { kind: 'createIdentity', identity: { id: roleId, attachedPolicies: [], tags: [], ...role, type: 'role' } }
    }
    case 'deleteRole':
      return { kind: 'deleteIdentity', of: yield* keyOf(change.name) }
    case 'putRolePolicy': {
      const { policyName, document } = change
      return { kind: 'editIdentity', of: yield* keyOf(change.roleName), edit: { kind: 'putInlinePolicy', policyName, document } }
    }
    case 'deleteRolePolicy':
      return {
        kind: 'editIdentity',
        of: yield* keyOf(change.roleName),
        edit: { kind: 'deleteInlinePolicy', policyName: change.policyName },
      }
    default:
      return change satisfies never
  }
}

/** When they were written there was one account. */
function* keyOf(name: string): Steps<IdentityKey<'role'>> {
  const [row] = yield statement(`SELECT account_id FROM identities WHERE type = 'role' AND name = ?1 LIMIT 1`, name)
  return { accountId: row === undefined ? '' : text(row.account_id), type: 'role', name }
}
