/** Accounts and identities as those see them who serve requests: reads from this region's copy, one write for every change. */
import type { LinkedPage } from '../metadata/tables/identities.ts'
import type { AccessKey, Account, IdentityKey, IdentityOf, IdentityType, ManagedPolicy, PolicyUse } from '../model/identities.ts'
import type { IdentityChange } from '../model/identity-changes.ts'
import type { PrincipalIds } from '../model/policy-principal-ids.ts'

export interface IdentityReads {
  account(accountId: string): Promise<Account | undefined>
  accountByCanonicalId(canonicalId: string): Promise<Account | undefined>
  /** In the order of their ids. */
  accounts(page: { readonly after: string; readonly limit: number }): Promise<readonly Account[]>
  identity<Type extends IdentityType>(key: IdentityKey<Type>): Promise<IdentityOf<Type> | undefined>
  /** In the order of their names, without regard to case. */
  identities<Type extends IdentityType>(page: {
    readonly accountId: string
    readonly type: Type
    readonly after: string
    readonly limit: number
  }): Promise<readonly IdentityOf<Type>[]>
  /** AWS's own or an account's; exactly of that ARN. */
  policyByArn(arn: string): Promise<ManagedPolicy | undefined>
  /** Those that are in a group, or have a policy attached or for a boundary, in the order of their names. */
  linked<Type extends IdentityType>(page: LinkedPage<Type>): Promise<readonly IdentityOf<Type>[]>
  /** How often an account uses a policy; of all that it uses, by their ARNs. */
  policyUse(of: { readonly accountId: string; readonly arn: string }): Promise<PolicyUse>
  policyUses(accountId: string): Promise<ReadonlyMap<string, PolicyUse>>
  /** The unique ids of the users and roles that bear these ARNs now. */
  principalIds(arns: readonly string[]): Promise<PrincipalIds>
  accessKey(accessKeyId: string): Promise<AccessKey | undefined>
  /** Of a user, or of the account's root, in the order in which they were made. */
  accessKeysOf(of: { readonly accountId: string; readonly userName?: string }): Promise<readonly AccessKey[]>
}

export interface IdentityWrites {
  /**
   * Resolves when the change can be read here.
   * @throws S3Error NoSuchEntity | EntityAlreadyExists | DeleteConflict | LimitExceeded | MalformedPolicyDocument | ServiceUnavailable
   */
  changeIdentities(change: IdentityChange): Promise<void>
}
