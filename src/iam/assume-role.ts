/** Becoming a role for a while: its trust policy and, unless that names the caller, the caller's own policies must agree. */
import { type Principal, principalId } from '../access/caller.ts'
import { permissionsVerdict } from '../access/permissions.ts'
import { parseRoleArn } from '../model/arn.ts'
import type { S3Error } from '../model/errors.ts'
import { checkExternalId, checkSessionName } from '../model/iam-names.ts'
import { trustOf } from '../model/policy-trust.ts'
import { type Role, readTrust } from '../model/role.ts'
import type { Action, ActionCall } from './action.ts'
import { accessDenied, type ConditionKeys, notAuthorized } from './authorize.ts'
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
    if (role === undefined || role.arn !== roleArn) throw notTrusted(call, { roleArn, accountId: named.accountId, wish })
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
function requireTrust(call: ActionCall, { role, wish, action = 'sts:AssumeRole' }: TrustQuestion): void {
  const { caller, keys } = call
  const { accountId } = role
  const context = { ...keys, ...wish.keys, ...keysOf(role), 'aws:ResourceAccount': accountId }
  const trust = trustOf(
    readTrust(role),
    { accountId: caller.accountId, arns: namesOf(caller), id: principalId(caller) },
    { action, context },
  )
  const request = { action, resource: role.arn, context }
  const own = permissionsVerdict(caller, request)
  const isExplicit = trust === 'denied' || own === 'explicitDeny'
  const isHome = accountId === caller.accountId
  // A role that names somebody of its own account has said it all, as far as the boundary and the session let them.
  const isEnough = isHome && trust === 'self' && permissionsVerdict({ kind: 'root', permissions: caller.permissions }, request) === 'allow'
  const isAgreed = (trust === 'self' || trust === 'account') && own === 'allow'
  if (!isExplicit && (isEnough || isAgreed)) return
  throw notTrusted(call, {
    roleArn: role.arn,
    accountId,
    wish,
    action,
    ...(isHome && { keys: keysOf(role), isDenied: trust === 'denied' }),
  })
}

interface Distrust {
  readonly roleArn: string
  /** Of the role. */
  readonly accountId: string
  readonly wish: RoleWish
  readonly action?: string
  /** What conditions may ask of a role of the caller's own account. */
  readonly keys?: ConditionKeys
  readonly isDenied?: boolean
}

/**
 * The caller is told what its own policies lack; of the trust policy, only when the role is of its own account.
 * NOTE: of another account's role nothing is read here, its tags neither: one that is not there must be refused in the same words.
 */
function notTrusted(
  { caller, keys }: ActionCall,
  { roleArn: shown, accountId, wish, action = 'sts:AssumeRole', keys: ofRole, isDenied = false }: Distrust,
): S3Error {
  const context = { ...keys, ...wish.keys, ...ofRole, 'aws:ResourceAccount': accountId }
  const own = permissionsVerdict(caller, { action, resource: shown, context })
  if (own !== 'allow' && !isDenied) return accessDenied(caller, { action, shown, isExplicit: own === 'explicitDeny' })
  const { arn } = caller
  if (accountId !== caller.accountId) return notAuthorized({ arn, action, shown }, '')
  return notAuthorized(
    { arn, action, shown },
    isDenied ? 'with an explicit deny in the role trust policy' : `because no role trust policy allows the ${action} action`,
  )
}

/** By which a trust policy may name the caller: a session by its own ARN, or by that of the role or the user behind it. */
function namesOf({ arn, session }: Principal): readonly string[] {
  return session === undefined || session.kind === 'federated' ? [arn] : [arn, session.issuerArn]
}
