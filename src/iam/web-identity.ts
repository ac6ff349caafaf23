/** Becoming a role with the token of an issuer instead of a signature: the role's trust policy alone decides. */
import { parseRoleArn } from '../model/arn.ts'
import { S3Error } from '../model/errors.ts'
import { checkSessionName } from '../model/iam-names.ts'
import { trustOf } from '../model/policy-trust.ts'
import { readTrust } from '../model/role.ts'
import type { IamParts } from './action.ts'
import { assumedRoleUser } from './assume-role.ts'
import { maxSessionDurationDefault, timeText } from './documents.ts'
import type { Parameters } from './parameters.ts'
import { checked, validationError } from './refusals.ts'
import { credentialsDocument, durationIn, packedSize, sessionPoliciesIn, sessionPolicyParameters } from './session-request.ts'
import type { VerifyWebToken, WebIdentity } from './web-token.ts'

export const webIdentityName = 'AssumeRoleWithWebIdentity'
export const webIdentityParameters = [
  'RoleArn',
  'RoleSessionName',
  'WebIdentityToken',
  'DurationSeconds',
  ...sessionPolicyParameters,
] as const

interface WebIdentityCall extends IamParts {
  readonly verifyWebToken: VerifyWebToken
  readonly parameters: Parameters
  readonly nowMs: number
  readonly origin: { readonly sourceIp?: string }
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
export async function assumeRoleWithWebIdentity({ verifyWebToken, identities, sessions, parameters, nowMs, origin }: WebIdentityCall) {
  const roleArn = parameters.required('RoleArn')
  const named = parseRoleArn(roleArn)
  if (named === undefined) throw validationError(`${roleArn.slice(0, 256)} is invalid`)
  const sessionName = parameters.required('RoleSessionName')
  checked(() => checkSessionName(sessionName, { field: 'roleSessionName' }))
  const identity = await verifyWebToken(parameters.required('WebIdentityToken'), nowMs)

  const role = await identities.identity({ accountId: named.accountId, type: 'role', name: named.name })
  const refused = new S3Error('AccessDenied', { message: `Not authorized to perform sts:${webIdentityName}` })
  if (role === undefined || role.arn !== roleArn) throw refused
  const provider = identity.issuer.replace(/^https?:\/\//, '').replace(/\/$/, '')
  const caller = { accountId: '', arns: [], federated: [provider, `arn:aws:iam::${role.accountId}:oidc-provider/${provider}`] }
  const context = {
    ...keysOf(identity, provider),
    ...sourceOf(origin),
    'sts:RoleSessionName': sessionName,
    'aws:CurrentTime': timeText(nowMs),
  }
  const trust = trustOf(readTrust(role), caller, { action: `sts:${webIdentityName}`, context })
  if (trust !== 'self') throw refused

  const max = role.maxSessionDuration ?? maxSessionDurationDefault
  const durationSeconds = durationIn(parameters, { max, standard: maxSessionDurationDefault })
  const narrowed = await sessionPoliciesIn({ identities, parameters }, role.accountId)
  const issuer = { kind: 'role', accountId: role.accountId, name: role.name, id: role.id } as const
  const key = sessions.issueSession({ issuer, sessionName, ...narrowed, durationSeconds, nowMs })
  return {
    Credentials: credentialsDocument(key),
    SubjectFromWebIdentityToken: identity.subject,
    AssumedRoleUser: assumedRoleUser(role, sessionName),
    PackedPolicySize: packedSize(narrowed),
    Provider: identity.issuer,
    Audience: identity.audiences[0],
  }
}

/** `host/path:aud` and `host/path:sub`, as trust policies ask. */
function keysOf({ audiences, subject }: WebIdentity, provider: string) {
  return { [`${provider}:aud`]: audiences, [`${provider}:sub`]: subject }
}

function sourceOf({ sourceIp }: WebIdentityCall['origin']) {
  return sourceIp === undefined ? {} : { 'aws:SourceIp': sourceIp }
}
