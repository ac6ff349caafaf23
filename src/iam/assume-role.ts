/** Becoming a role for a while: its trust policy and, unless that names the caller, the caller's own policies must agree. */
import { type Principal, principalId } from '../access/caller.ts'
import { permissionsVerdict } from '../access/permissions.ts'
import { parseRoleArn } from '../model/arn.ts'
import { checkExternalId, checkSessionName } from '../model/iam-names.ts'
import { trustOf } from '../model/policy-trust.ts'
import { type Role, readTrust } from '../model/role.ts'
import type { Action, ActionCall } from './action.ts'
import { accessDenied, type ConditionKeys } from './authorize.ts'
import { maxSessionDurationDefault } from './documents.ts'
import { keysOf } from './nouns.ts'
import { checked, validationError } from './refusals.ts'
import { credentialsDocument, durationIn, packedSize, sessionPoliciesIn, sessionPolicyParameters } from './session-request.ts'

/** STS: a session that a session of a role began. */
const chainedDurationMax = 3600

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export const AssumeRole: Action = {
  service: 'sts',
  name: 'AssumeRole',
  parameters: ['RoleArn', 'RoleSessionName', 'DurationSeconds', 'ExternalId', 'SourceIdentity', ...sessionPolicyParameters],

  async perform(call) {
    const { parameters, caller, sessions, nowMs } = call
    const roleArn = parameters.required('RoleArn')
    const named = parseRoleArn(roleArn)
    if (named === undefined) throw validationError(`${roleArn.slice(0, 256)} is invalid`)
    const wish = readWish(call)
    if (caller.kind === 'root' || caller.session?.kind === 'root') {
      throw accessDenied(caller, { action: 'sts:AssumeRole', shown: roleArn, isRoot: true })
    }
    const role = await call.identities.identity({ accountId: named.accountId, type: 'role', name: named.name })
    // One that is not there trusts nobody: whoever asks learns no more.
    if (role === undefined || role.arn !== roleArn) throw accessDenied(caller, { action: 'sts:AssumeRole', shown: roleArn })
    requireTrust(call, { role, wish })
    if (wish.sourceIdentity !== undefined) requireTrust(call, { role, wish, action: 'sts:SetSourceIdentity' })

    const max = role.maxSessionDuration ?? maxSessionDurationDefault
    const isChained = caller.session?.kind === 'role'
    const durationSeconds = durationIn(parameters, { max: isChained ? chainedDurationMax : max, standard: maxSessionDurationDefault })
    const narrowed = await sessionPoliciesIn(call, role.accountId)
    const { sessionName, sourceIdentity } = wish
    const issuer = { kind: 'role', accountId: role.accountId, name: role.name, id: role.id } as const
    const key = sessions.issueSession({
      issuer,
      sessionName,
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      ...narrowed,
      durationSeconds,
      nowMs,
    })
    return {
      Credentials: credentialsDocument(key),
      AssumedRoleUser: assumedRoleUser(role, sessionName),
      PackedPolicySize: packedSize(narrowed),
      SourceIdentity: sourceIdentity,
    }
  },
}

export function assumedRoleUser({ accountId, id, name }: Role, sessionName: string) {
  return { AssumedRoleId: `${id}:${sessionName}`, Arn: `arn:aws:sts::${accountId}:assumed-role/${name}/${sessionName}` }
}

interface RoleWish {
  readonly sessionName: string
  readonly sourceIdentity?: string
  readonly keys: ConditionKeys
}

function readWish({ parameters }: ActionCall): RoleWish {
  const sessionName = parameters.required('RoleSessionName')
  const externalId = parameters.optional('ExternalId')
  const sourceIdentity = parameters.optional('SourceIdentity')
  checked(() => {
    checkSessionName(sessionName, { field: 'roleSessionName' })
    if (externalId !== undefined) checkExternalId(externalId)
    if (sourceIdentity !== undefined) checkSessionName(sourceIdentity, { field: 'sourceIdentity' })
  })
  const keys = {
    'sts:RoleSessionName': sessionName,
    ...(externalId !== undefined && { 'sts:ExternalId': externalId }),
    ...(sourceIdentity !== undefined && { 'sts:SourceIdentity': sourceIdentity }),
  }
  return { sessionName, keys, ...(sourceIdentity !== undefined && { sourceIdentity }) }
}

interface TrustQuestion {
  readonly role: Role
  readonly wish: RoleWish
  readonly action?: string
}

/** @throws S3Error AccessDenied */
function requireTrust({ caller, keys }: ActionCall, { role, wish, action = 'sts:AssumeRole' }: TrustQuestion): void {
  const context = { ...keys, ...wish.keys, ...keysOf(role), 'aws:ResourceAccount': role.accountId }
  const trust = trustOf(
    readTrust(role),
    { accountId: caller.accountId, arns: namesOf(caller), id: principalId(caller) },
    { action, context },
  )
  const request = { action, resource: role.arn, context }
  const own = permissionsVerdict(caller, request)
  const isExplicit = trust === 'denied' || own === 'explicitDeny'
  const isHome = role.accountId === caller.accountId
  // A role that names somebody of its own account has said it all, as far as the boundary and the session let them.
  const isEnough = isHome && trust === 'self' && permissionsVerdict({ kind: 'root', permissions: caller.permissions }, request) === 'allow'
  const isAgreed = (trust === 'self' || trust === 'account') && own === 'allow'
  if (!isExplicit && (isEnough || isAgreed)) return
  throw accessDenied(caller, { action, shown: role.arn, isExplicit })
}

/** By which a trust policy may name the caller: a session by its own ARN, or by that of the role or the user behind it. */
function namesOf({ arn, session }: Principal): readonly string[] {
  return session === undefined || session.kind === 'federated' ? [arn] : [arn, session.issuerArn]
}
