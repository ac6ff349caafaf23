/**
 * Accounts and who is in them: users, groups, roles, managed policies and access keys, as every region keeps them.
 * Names of one type are told apart by their letters alone, not by case, as IAM does.
 */
import type { Role } from './role.ts'
import type { Tag } from './tags.ts'

export interface Account {
  /** Twelve digits. */
  readonly accountId: string
  /** 64 hex digits: the account in ACLs, and as the owner of what it makes. */
  readonly canonicalId: string
  readonly displayName: string
  readonly email?: string
  /** `disabled`: none of its keys opens anything; what it owns stays, and replicates on. */
  readonly status: 'active' | 'disabled'
  readonly createdMs: number
}

/** What users, groups, roles and managed policies have in common. */
export interface Named {
  readonly accountId: string
  readonly name: string
  /** Begins and ends with `/`. */
  readonly path: string
  readonly arn: string
  /** Never used again, whatever the name: `AIDA…` of a user, `AGPA…` of a group, `AROA…` of a role, `ANPA…` of a policy. */
  readonly id: string
  readonly createdMs: number
}

/** Policies that stand in an identity, and the ARNs of those that are attached to it. */
export interface Policies {
  /** JSON by policy name, as it was given. NOTE: `__proto__` and `constructor` are names that IAM takes. */
  readonly inlinePolicies: Readonly<Record<string, string>>
  /** ARNs of managed policies, in the order in which they were attached. */
  readonly attachedPolicies: readonly string[]
}

export interface User extends Named, Policies {
  readonly type: 'user'
  /** Names of groups of the same account. */
  readonly groups: readonly string[]
  /** The ARN of the managed policy that bounds it. */
  readonly boundary?: string
  readonly tags: readonly Tag[]
}

export interface Group extends Named, Policies {
  readonly type: 'group'
}

export interface PolicyVersion {
  /** `v1`, `v2` …: never used again. */
  readonly id: string
  readonly document: string
  readonly createdMs: number
}

export interface ManagedPolicy extends Named {
  readonly type: 'policy'
  readonly updatedMs: number
  readonly description?: string
  /** One to five, oldest first. */
  readonly versions: readonly PolicyVersion[]
  readonly defaultVersionId: string
  /** The number of the version that comes next. */
  readonly nextVersion: number
  readonly tags: readonly Tag[]
}

/** To how many it is attached, and how many it bounds. */
export interface PolicyUse {
  readonly attachments: number
  readonly boundaries: number
}

export type Identity = User | Group | Role | ManagedPolicy
export type IdentityType = Identity['type']
export type IdentityOf<Type extends IdentityType> = Extract<Identity, { readonly type: Type }>

export interface IdentityKey<Type extends IdentityType = IdentityType> {
  readonly accountId: string
  readonly type: Type
  readonly name: string
}

export interface AccessKey {
  readonly accessKeyId: string
  readonly accountId: string
  /** Absent: the account's root. */
  readonly userName?: string
  readonly status: 'Active' | 'Inactive'
  readonly createdMs: number
  /** The secret, sealed by the control key: base64. Never leaves the region in the clear, and is in no log. */
  readonly sealedSecret: string
}

export interface KeyUse {
  readonly usedMs: number
  /** As the signature names it: `s3`, `iam`, `sts`. */
  readonly service: string
  /** The region that the signature was made for. */
  readonly region: string
}
