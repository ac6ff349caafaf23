/**
 * What a role's trust policy says to somebody who would assume it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
import { decide, type PolicyRequest, type Verdict } from './policy.ts'
import type { PolicyDocument, PolicyStatement } from './policy-document.ts'
import { namesArn } from './policy-principals.ts'

/** Somebody, by the names that a policy may use. */
export interface TrustCaller {
  readonly accountId: string
  /** The user's or the role's ARN, and of a session its own beside it; empty for whoever comes with a token of an issuer. */
  readonly arns: readonly string[]
  /** The unique id behind the ARNs. */
  readonly id?: string
  /** The provider of a web identity: its host and path, and its ARN. */
  readonly federated?: readonly string[]
}

/**
 * `self`: it names the caller. `account`: it names the caller's account or everyone, which leaves it to that account to say
 * who of it may. NOTE: everyone is no more than every account; IAM goes further for callers of the role's own account.
 */
export type Trust = 'self' | 'account' | 'none' | 'denied'

export function trustOf(trust: PolicyDocument, caller: TrustCaller, request: Pick<PolicyRequest, 'action' | 'context'>): Trust {
  const ask = (isNamed: (statement: PolicyStatement) => boolean): Verdict =>
    decide([trust], { ...request, resource: '*' }, (statement) =>
      statement.effect === 'Deny' ? namesSelf(statement, caller) || namesAccount(statement, caller) : isNamed(statement),
    )
  const self = ask((statement) => namesSelf(statement, caller))
  if (self === 'explicitDeny') return 'denied'
  if (self === 'allow') return 'self'
  return ask((statement) => namesAccount(statement, caller)) === 'allow' ? 'account' : 'none'
}

function namesSelf({ principals }: PolicyStatement, { arns, id, federated = [] }: TrustCaller): boolean {
  if (principals === undefined) return false
  return arns.some((arn) => namesArn(principals, arn, id)) || principals.federated.some((name) => federated.includes(name))
}

function namesAccount({ principals, effect }: PolicyStatement, { accountId, arns }: TrustCaller): boolean {
  if (principals === undefined) return false
  // Whoever comes from an issuer is of no account, and is trusted by name only, but denied with everyone.
  if (arns.length === 0) return effect === 'Deny' && principals.everyone
  return principals.everyone || principals.aws.some((name) => name === accountId || name === `arn:aws:iam::${accountId}:root`)
}
