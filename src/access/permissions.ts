/** What a principal's own policies say of a wish, before any resource has been asked. */
import { evaluate, type PolicyRequest, type Verdict } from '../model/policy.ts'
import type { Principal } from './caller.ts'

/**
 * Within one account: identity policies, inside the boundary, inside the session's policies; a Deny in any of them is final.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export function permissionsVerdict({ kind, permissions }: Pick<Principal, 'kind' | 'permissions'>, request: PolicyRequest): Verdict {
  const { identity, boundary, session } = permissions
  const verdicts = [
    kind === 'root' ? 'allow' : evaluate(identity, request),
    boundary === undefined ? 'allow' : evaluate(boundary, request),
    session === undefined ? 'allow' : evaluate(session, request),
  ] as const
  if (verdicts.includes('explicitDeny')) return 'explicitDeny'
  return verdicts.every((verdict) => verdict === 'allow') ? 'allow' : 'implicitDeny'
}
