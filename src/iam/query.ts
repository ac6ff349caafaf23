/** Takes each call of IAM and STS to the action that it names. */
import type { ControlDoor } from '../control/door.ts'
import { S3Error } from '../model/errors.ts'
import type { QueryCall, QueryHandler, QueryService } from '../s3/query-api.ts'
import type { Action } from './action.ts'
import { GetCallerIdentity } from './caller-identity.ts'
import { Parameters } from './parameters.ts'
import { DeleteRolePolicy, GetRolePolicy, ListRolePolicies, PutRolePolicy } from './role-policies.ts'
import { CreateRole, DeleteRole, GetRole, ListRoles } from './roles.ts'

/** Every action that is served. */
export const actions: readonly Action[] = [
  CreateRole,
  DeleteRole,
  DeleteRolePolicy,
  GetCallerIdentity,
  GetRole,
  GetRolePolicy,
  ListRolePolicies,
  ListRoles,
  PutRolePolicy,
]

const versions: Readonly<Record<QueryService, string>> = { iam: '2010-05-08', sts: '2011-06-15' }

export function createQueryHandler({ control }: { readonly control: ControlDoor }): QueryHandler {
  const byName = new Map(actions.map((action) => [`${action.service}:${action.name}`, action]))
  return async (call) => {
    checkVersion(call)
    // Before anything is said about the action: only the account's root may ask.
    const { caller, nowMs } = call
    if (caller.kind !== 'root') throw notAuthorized(call)
    const action = byName.get(`${call.service}:${call.action}`)
    if (action === undefined) {
      throw new S3Error('NotImplemented', { message: `The action ${call.action} is not implemented by this server.` })
    }
    return action.perform({ control, caller, nowMs }, new Parameters(call, action.parameters))
  }
}

function checkVersion({ service, action, parameters }: QueryCall): void {
  const version = parameters.get('Version')
  if (version === versions[service]) return
  throw new S3Error('InvalidAction', {
    message: `Could not find operation ${action} for version ${version?.slice(0, 32) ?? 'NO_VERSION_SPECIFIED'}`,
  })
}

function notAuthorized({ service, action, caller }: QueryCall): S3Error {
  const who = caller.kind === 'peer' ? `region ${caller.region}` : 'anonymous'
  return new S3Error('AccessDenied', { message: `User: ${who} is not authorized to perform: ${service}:${action}` })
}
