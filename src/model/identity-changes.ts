/** Every change of accounts and identities, as plain data: what a control write asks for, and what a row of the control log says. */
import type { AccessKey, Account, Identity, IdentityKey } from './identities.ts'
import type { PrincipalIds } from './policy-principal-ids.ts'
import type { Tag } from './tags.ts'

export type IdentityChange =
  /** Without `rootKey`: the first account, whose root key stands in the configuration. */
  | { readonly kind: 'createAccount'; readonly account: Account; readonly rootKey?: AccessKey }
  | {
      readonly kind: 'changeAccount'
      readonly accountId: string
      readonly set: { readonly status?: Account['status']; readonly displayName?: string; readonly email?: string }
    }
  /** Only of an account without buckets and identities. */
  | { readonly kind: 'deleteAccount'; readonly accountId: string }
  | { readonly kind: 'createIdentity'; readonly identity: Identity }
  | { readonly kind: 'deleteIdentity'; readonly of: IdentityKey }
  | { readonly kind: 'editIdentity'; readonly of: IdentityKey; readonly edit: IdentityEdit }
  | { readonly kind: 'createAccessKey'; readonly key: AccessKey }
  | {
      readonly kind: 'setAccessKeyStatus'
      readonly accountId: string
      readonly userName?: string
      readonly accessKeyId: string
      readonly status: AccessKey['status']
    }
  | { readonly kind: 'deleteAccessKey'; readonly accountId: string; readonly userName?: string; readonly accessKeyId: string }

export type IdentityEdit =
  /** Users, groups, roles. */
  | { readonly kind: 'putInlinePolicy'; readonly policyName: string; readonly document: string }
  | { readonly kind: 'deleteInlinePolicy'; readonly policyName: string }
  | { readonly kind: 'attachPolicy'; readonly arn: string }
  | { readonly kind: 'detachPolicy'; readonly arn: string }
  /** Users and roles; without `arn`: no boundary any more. */
  | { readonly kind: 'setBoundary'; readonly arn?: string }
  /** Users, roles and policies. */
  | { readonly kind: 'tag'; readonly tags: readonly Tag[] }
  | { readonly kind: 'untag'; readonly tagKeys: readonly string[] }
  /** Users. */
  | { readonly kind: 'addToGroup'; readonly group: string }
  | { readonly kind: 'removeFromGroup'; readonly group: string }
  /** Roles. */
  | { readonly kind: 'setTrustPolicy'; readonly document: string; readonly principals?: PrincipalIds }
  | { readonly kind: 'describeRole'; readonly description?: string; readonly maxSessionDuration?: number }
  /** Policies. */
  | { readonly kind: 'createPolicyVersion'; readonly document: string; readonly isDefault: boolean; readonly createdMs: number }
  | { readonly kind: 'deletePolicyVersion'; readonly versionId: string }
  | { readonly kind: 'setDefaultPolicyVersion'; readonly versionId: string }
