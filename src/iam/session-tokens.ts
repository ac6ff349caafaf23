/** Temporary credentials for oneself, and for somebody whom one names. */
import type { Principal } from '../access/caller.ts'
import type { SessionIssuer } from '../access/session-tokens.ts'
import { S3Error } from '../model/errors.ts'
import { checkSessionName } from '../model/iam-names.ts'
import type { Action, ActionCall } from './action.ts'
import { requirePermission } from './authorize.ts'
import { checked } from './refusals.ts'
import { credentialsDocument, durationIn, packedSize, sessionPoliciesIn, sessionPolicyParameters } from './session-request.ts'

/** STS: 36 hours of a user, one hour of the root; 12 hours when nothing is said. */
const durationMax = 129_600
const durationStandard = 43_200
const rootDurationMax = 3600
/** STS: of a federated user's name. */
const federatedNameMax = 32

/** It needs no permission, and no policy forbids it. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html */
export const GetSessionToken: Action = {
  service: 'sts',
  name: 'GetSessionToken',
  parameters: ['DurationSeconds'],

  async perform(call) {
    const issuer = await issuerOf(call, 'GetSessionToken')
    const key = call.sessions.issueSession({ issuer, durationSeconds: ownDuration(call), nowMs: call.nowMs })
    return { Credentials: credentialsDocument(key) }
  },
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html */
export const GetFederationToken: Action = {
  service: 'sts',
  name: 'GetFederationToken',
  parameters: ['Name', 'DurationSeconds', ...sessionPolicyParameters],

  async perform(call) {
    const { caller, parameters, keys, sessions, nowMs } = call
    const sessionName = parameters.required('Name')
    checked(() => checkSessionName(sessionName, { field: 'name', max: federatedNameMax }))
    const arn = `arn:aws:sts::${caller.accountId}:federated-user/${sessionName}`
    requirePermission(caller, { action: 'sts:GetFederationToken', arn, shown: arn, keys })
    const issuer = { ...(await issuerOf(call, 'GetFederationToken')), kind: 'federated' } as const
    const narrowed = await sessionPoliciesIn(call, caller.accountId)
    const key = sessions.issueSession({ issuer, sessionName, ...narrowed, durationSeconds: ownDuration(call), nowMs })
    return {
      Credentials: credentialsDocument(key),
      FederatedUser: { FederatedUserId: `${caller.accountId}:${sessionName}`, Arn: arn },
      PackedPolicySize: packedSize(narrowed),
    }
  },
}

/** For STS, an account's root cuts a longer wish to an hour instead of refusing it. */
function ownDuration({ caller, parameters }: ActionCall): number {
  const seconds = durationIn(parameters, { max: durationMax, standard: durationStandard })
  return caller.kind === 'root' ? Math.min(seconds, rootDurationMax) : seconds
}

async function issuerOf({ identities, caller }: ActionCall, action: string): Promise<SessionIssuer> {
  const { accountId } = caller
  if (caller.session !== undefined) throw cannotCall(caller, action)
  if (caller.kind === 'root') return { kind: 'root', accountId, id: accountId }
  const user = caller.userName === undefined ? undefined : await identities.identity({ accountId, type: 'user', name: caller.userName })
  if (user === undefined) throw cannotCall(caller, action)
  return { kind: 'user', accountId, name: user.name, id: user.id }
}

function cannotCall({ arn }: Principal, action: string): S3Error {
  return new S3Error('AccessDenied', { message: `User: ${arn} cannot call ${action} with session credentials` })
}
