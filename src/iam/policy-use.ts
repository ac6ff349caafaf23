/** Where managed policies are used: whom they are attached to, and whom they bound. */
import type { ManagedPolicy, PolicyUse } from '../model/identities.ts'
import type { ActionCall } from './action.ts'
import type { Holder } from './nouns.ts'
import { scanSize } from './scan.ts'

const unused: PolicyUse = { attachments: 0, boundaries: 0 }

/** By the account of the caller, to whom nobody else's are told: AWS's own policies are for all. */
export function useOf({ identities, caller: { accountId } }: ActionCall, { arn }: ManagedPolicy): Promise<PolicyUse> {
  return identities.policyUse({ accountId, arn })
}

/** The same of every policy, asked at once. */
export async function usesBy({ identities, caller: { accountId } }: ActionCall): Promise<(arn: string) => PolicyUse> {
  const uses = await identities.policyUses(accountId)
  return (arn) => uses.get(arn) ?? unused
}

/** Those of one type to whom the policy is attached, or whom it bounds, in the order of their names. */
export async function usersOf(
  { identities, caller: { accountId } }: ActionCall,
  of: { readonly arn: string; readonly kind: 'attached' | 'boundary'; readonly type: Holder['type'] },
): Promise<readonly Holder[]> {
  const users: Holder[] = []
  for (let after: string | undefined = ''; after !== undefined; ) {
    const { arn: target, kind, type } = of
    const found: readonly Holder[] = await identities.linked({ target, kind, accountId, type, after, limit: scanSize })
    users.push(...found)
    after = found.length < scanSize ? undefined : found.at(-1)?.name
  }
  return users
}
