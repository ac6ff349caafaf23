/** Where managed policies are used: whom they are attached to, and whom they bound. */
import type { ActionCall } from './action.ts'
import type { PolicyUse } from './documents.ts'
import type { Holder } from './nouns.ts'
import { scanAll } from './scan.ts'

/** Of every policy that is used, by its ARN. */
export type PolicyUses = ReadonlyMap<string, PolicyUse>

const unused: PolicyUse = { attachments: 0, boundaries: 0 }

/** Nothing counts them as they are attached: every identity of the account is looked at, of which there are some thousands at most. */
export async function policyUses(call: ActionCall): Promise<PolicyUses> {
  const uses = new Map<string, PolicyUse>()
  const add = (arn: string, more: PolicyUse) => {
    const { attachments, boundaries } = useOf(uses, arn)
    uses.set(arn, { attachments: attachments + more.attachments, boundaries: boundaries + more.boundaries })
  }
  for (const holder of await holdersOf(call)) {
    for (const arn of holder.attachedPolicies) add(arn, { attachments: 1, boundaries: 0 })
    const boundary = boundaryOf(holder)
    if (boundary !== undefined) add(boundary, { attachments: 0, boundaries: 1 })
  }
  return uses
}

export function useOf(uses: PolicyUses, arn: string): PolicyUse {
  return uses.get(arn) ?? unused
}

/** Groups, roles and users, each in the order of their names. */
export async function holdersOf(call: ActionCall): Promise<readonly Holder[]> {
  return [...(await scanAll(call, 'group')), ...(await scanAll(call, 'role')), ...(await scanAll(call, 'user'))]
}

export function boundaryOf(holder: Holder): string | undefined {
  return 'boundary' in holder ? holder.boundary : undefined
}
