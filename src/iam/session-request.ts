/** What the calls of STS that issue credentials have in common. */
import type { TemporaryKey } from '../access/session-tokens.ts'
import { parsePolicy } from '../model/policy-document.ts'
import type { XmlValue } from '../s3/xml/write.ts'
import type { ActionCall } from './action.ts'
import { timeText } from './documents.ts'
import { noSuchPolicy, policyByArn } from './nouns.ts'
import type { Parameters } from './parameters.ts'
import { checked, validationError } from './refusals.ts'

/** STS: managed policies that narrow a session. */
const policyArnsMax = 10
/** STS: characters of the session policy of a call. */
const policyLengthMax = 2048
/** STS: no session is shorter. */
const durationMin = 900

export const sessionPolicyParameters = ['Policy', 'PolicyArns.member.#.arn'] as const

export interface SessionPolicies {
  readonly policies: readonly string[]
  readonly policyArns: readonly string[]
}

/**
 * @param accountId  whose managed policies may narrow the session
 * @throws S3Error MalformedPolicyDocument | ValidationError | NoSuchEntity
 */
export async function sessionPoliciesIn(
  { identities, parameters }: Pick<ActionCall, 'identities' | 'parameters'>,
  accountId: string,
): Promise<SessionPolicies> {
  const policy = parameters.optional('Policy')
  if (policy !== undefined) {
    if (policy.length > policyLengthMax) {
      throw validationError(
        `1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to ${policyLengthMax}`,
      )
    }
    checked(() => parsePolicy(policy, 'identity'))
  }
  const policyArns = parameters.structures('PolicyArns', (at) => parameters.required(`${at}.arn`))
  if (policyArns.length > policyArnsMax) throw validationError(`A session has at most ${policyArnsMax} policy ARNs.`)
  for (const arn of policyArns) {
    if ((await policyByArn({ identities, caller: { accountId } }, arn)) === undefined) throw noSuchPolicy(arn)
  }
  return { policies: policy === undefined ? [] : [policy], policyArns }
}

/** STS answers how full the session is, in per cent; ours is the share of what its policies may have. */
export function packedSize({ policies, policyArns }: SessionPolicies): number | undefined {
  if (policies.length + policyArns.length === 0) return undefined
  const size = [...policies, ...policyArns].reduce((sum, text) => sum + text.length, 0)
  return Math.max(1, Math.ceil((100 * size) / (policyLengthMax + policyArnsMax * 2048)))
}

/** @throws S3Error ValidationError */
export function durationIn(parameters: Parameters, { max, standard }: { readonly max: number; readonly standard: number }): number {
  const seconds = parameters.integer('DurationSeconds') ?? standard
  if (seconds >= durationMin && seconds <= max) return seconds
  const bound = seconds < durationMin ? `greater than or equal to ${durationMin}` : `less than or equal to ${max}`
  throw validationError(
    `1 validation error detected: Value '${seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value ${bound}`,
  )
}

export function credentialsDocument({ accessKeyId, secretAccessKey, sessionToken, expiresMs }: TemporaryKey): XmlValue {
  return { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: timeText(expiresMs) }
}
