/** Takes each call of IAM and STS to the action that it names. */
import { isPrincipal, type Principal } from '../access/caller.ts'
import { S3Error } from '../model/errors.ts'
import type { QueryCall, QueryHandler, QueryService } from '../s3/query-api.ts'
import { absentThings } from './absent-things.ts'
import { accessKeyActions } from './access-keys.ts'
import { GetAccountSummary, ListAccountAliases } from './account-summary.ts'
import type { Action, IamParts } from './action.ts'
import { AssumeRole } from './assume-role.ts'
import { attachmentActions } from './attachments.ts'
import { GetAccountAuthorizationDetails } from './authorization-details.ts'
import { conditionKeys } from './authorize.ts'
import { boundaryActions } from './boundaries.ts'
import { GetCallerIdentity } from './caller-identity.ts'
import { groupActions } from './groups.ts'
import { inlinePolicyActions } from './inline-policies.ts'
import { Parameters } from './parameters.ts'
import { policyActions } from './policies.ts'
import { ListEntitiesForPolicy } from './policy-entities.ts'
import { policyVersionActions } from './policy-versions.ts'
import { roleActions } from './roles.ts'
import { GetFederationToken, GetSessionToken } from './session-tokens.ts'
import { simulateActions } from './simulate.ts'
import { tagActions } from './tags.ts'
import { userActions } from './users.ts'
import { assumeRoleWithWebIdentity, webIdentityName, webIdentityParameters } from './web-identity.ts'
import { createWebTokens, type VerifyWebToken } from './web-token.ts'

/** Every action that is served. */
export const actions: readonly Action[] = [
  ...absentThings,
  ...accessKeyActions,
  ...attachmentActions,
  ...boundaryActions,
  ...groupActions,
  ...inlinePolicyActions,
  ...policyActions,
  ...policyVersionActions,
  ...roleActions,
  ...simulateActions,
  ...tagActions,
  ...userActions,
  AssumeRole,
  GetAccountAuthorizationDetails,
  GetAccountSummary,
  GetCallerIdentity,
  GetFederationToken,
  GetSessionToken,
  ListAccountAliases,
  ListEntitiesForPolicy,
]

interface QueryParts extends Omit<IamParts, 'keyUses'>, Partial<Pick<IamParts, 'keyUses'>> {
  readonly verifyWebToken?: VerifyWebToken
}

const versions: Readonly<Record<QueryService, string>> = { iam: '2010-05-08', sts: '2011-06-15' }

/** @param verifyWebToken  absent: no issuer is configured @param keyUses  absent: no use is known of */
export function createQueryHandler({ verifyWebToken = createWebTokens([]), keyUses = nothingNoted, ...given }: QueryParts): QueryHandler {
  const parts: IamParts = { ...given, keyUses }
  const byName = new Map(actions.map((action) => [`${action.service}:${action.name}`, action]))
  return async (call) => {
    checkVersion(call)
    const { caller, nowMs, signal, origin = {} } = call
    if (call.service === 'sts' && call.action === webIdentityName) {
      // Its token says who is asking: a signature, if there is one, says nothing.
      return assumeRoleWithWebIdentity({ ...parts, verifyWebToken, parameters: new Parameters(call, webIdentityParameters), nowMs, origin })
    }
    // Before anything is said about the action: a region has no business here.
    if (!isPrincipal(caller)) throw notAuthorized(call)
    checkSession(call, caller)
    const action = byName.get(`${call.service}:${call.action}`)
    if (action === undefined) {
      throw new S3Error('NotImplemented', { message: `The action ${call.action} is not implemented by this server.` })
    }
    const parameters = new Parameters(call, action.parameters)
    return action.perform({ ...parts, caller, parameters, nowMs, signal, keys: conditionKeys(caller, { nowMs, origin }) })
  }
}

const nothingNoted: IamParts['keyUses'] = { lastUse: () => Promise.resolve(undefined) }

function checkVersion({ service, action, parameters }: QueryCall): void {
  const version = parameters.get('Version')
  if (version === versions[service]) return
  throw new S3Error('InvalidAction', {
    message: `Could not find operation ${action} for version ${version?.slice(0, 32) ?? 'NO_VERSION_SPECIFIED'}`,
  })
}

/**
 * What the credentials of GetSessionToken and GetFederationToken are not for, whatever policies say.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
 */
function checkSession({ service, action }: QueryCall, { session, arn }: Principal): void {
  if (session === undefined || session.kind === 'role') return
  if (service === 'iam') throw new S3Error('InvalidClientTokenId')
  const isOpen = action === 'GetCallerIdentity' || (action === 'AssumeRole' && session.kind !== 'federated')
  if (!isOpen) throw new S3Error('AccessDenied', { message: `User: ${arn} cannot call ${action} with session credentials` })
}

function notAuthorized({ service, action, caller }: QueryCall): S3Error {
  const who = caller.kind === 'peer' ? `region ${caller.region}` : 'anonymous'
  return new S3Error('AccessDenied', { message: `User: ${who} is not authorized to perform: ${service}:${action}` })
}
