/** What an action of IAM or STS is: data and one function, as an operation of S3. */

import type { KeySealing } from '../access/access-keys.ts'
import type { Principal } from '../access/caller.ts'
import type { KeyUses } from '../access/key-uses.ts'
import type { Sessions } from '../access/session-tokens.ts'
import type { IdentityReads, IdentityWrites } from '../control/identities.ts'
import type { S3Error } from '../model/errors.ts'
import type { QueryService } from '../s3/query-api.ts'
import type { XmlValue } from '../s3/xml/write.ts'
import { type ConditionKeys, requirePermission } from './authorize.ts'
import type { Parameters } from './parameters.ts'

export type Identities = IdentityReads & IdentityWrites

/** What the actions work with. */
export interface IamParts {
  readonly identities: Identities
  readonly accessKeys: Pick<KeySealing, 'make'>
  readonly sessions: Pick<Sessions, 'issueSession'>
  readonly keyUses: Pick<KeyUses, 'lastUse'>
}

/** One call on its way through an action. */
export interface ActionCall extends IamParts {
  readonly caller: Principal
  readonly parameters: Parameters
  /** What policies may ask of every request of this caller. */
  readonly keys: ConditionKeys
  readonly nowMs: number
  readonly signal: AbortSignal
}

/** What an action touches: policies are asked about it before anybody is told whether it is there. */
export type Target<T> = {
  readonly arn: string
  /** In refusals; it says no more than the call did. */
  readonly shown: string
  /** Condition keys of the thing and of the wish. */
  readonly keys?: ConditionKeys
} & ({ readonly value: T } | { readonly missing: S3Error })

export interface Action {
  readonly service: QueryService
  readonly name: string
  /** The parameters that it reads, lists as `Tags.member.#.Key`; any other is refused. */
  readonly parameters: readonly string[]
  /** Authorises and performs. @returns what stands in `<NameResult>`; undefined when the action has no result */
  perform(call: ActionCall): Promise<XmlValue>
}

interface IamAction<T> extends Pick<Action, 'name' | 'parameters'> {
  target(call: ActionCall): Promise<Target<T>> | Target<T>
  /** Permissions that it needs beside the one of its own name, on the same target. */
  also?(call: ActionCall): readonly string[]
  perform(call: ActionCall, value: T): Promise<XmlValue>
}

/** An action of IAM: it needs the permission `iam:Name` on its target. */
export function iamAction<T>({ name, parameters, target: findTarget, also, perform }: IamAction<T>): Action {
  return {
    service: 'iam',
    name,
    parameters,
    async perform(call) {
      const target = await findTarget(call)
      for (const action of [name, ...(also?.(call) ?? [])]) {
        requirePermission(call.caller, {
          action: `iam:${action}`,
          arn: target.arn,
          shown: target.shown,
          keys: { ...call.keys, ...target.keys },
        })
      }
      if ('missing' in target) throw target.missing
      return perform(call, target.value)
    },
  }
}
