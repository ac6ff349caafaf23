/** What a principal's own policies say of a wish, before any resource has been asked. */
import { evaluate, type PolicyRequest, type Verdict, within } from '../model/policy.ts'
import type { Principal } from './caller.ts'

type Asked = Pick<Principal, 'kind' | 'permissions'>

/**
 * Within one account: identity policies, inside the boundary, inside the session's policies; a Deny in any of them is final.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export function permissionsVerdict(principal: Asked, request: PolicyRequest): Verdict {
  return combined(permissionVerdicts(principal, request))
}

/** Each on its own; what is not there allows everything. */
export interface PermissionVerdicts {
  readonly identity: Verdict
  readonly boundary: Verdict
  readonly session: Verdict
}

export function permissionVerdicts({ kind, permissions }: Asked, request: PolicyRequest): PermissionVerdicts {
  const { identity, boundary, session } = permissions
  return {
    identity: kind === 'root' ? 'allow' : evaluate(identity, request),
    boundary: boundary === undefined ? 'allow' : evaluate(boundary, request),
    session: session === undefined ? 'allow' : evaluate(session, request),
  }
}

export function combined({ identity, boundary, session }: PermissionVerdicts): Verdict {
  return within(within(identity, boundary), session)
}
