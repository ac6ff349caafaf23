/** Making, reading and deleting roles. */
import { randomBytes } from 'node:crypto'
import { formatRoleArn } from '../model/arn.ts'
import { checkDescription, checkMaxSessionDuration, checkPath, checkRoleName } from '../model/iam-names.ts'
import { parsePolicy } from '../model/policy-document.ts'
import type { Role } from '../model/role.ts'
import type { Action, ActionContext } from './action.ts'
import { type PageRequest, pageOf, pageParameters, pageRequest } from './paging.ts'
import type { Parameters } from './parameters.ts'
import { checked, noSuchRole } from './refusals.ts'
import { roleDocument } from './role-document.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html */
export const CreateRole: Action = {
  service: 'iam',
  name: 'CreateRole',
  parameters: ['RoleName', 'Path', 'AssumeRolePolicyDocument', 'Description', 'MaxSessionDuration'],

  async perform({ control, caller, nowMs }, parameters) {
    const name = parameters.required('RoleName')
    const path = parameters.optional('Path') ?? '/'
    const trustPolicy = parameters.required('AssumeRolePolicyDocument')
    const description = parameters.optional('Description')
    const maxSessionDuration = parameters.integer('MaxSessionDuration')
    checked(() => {
      checkRoleName(name)
      checkPath(path)
      if (description !== undefined) checkDescription(description)
      if (maxSessionDuration !== undefined) checkMaxSessionDuration(maxSessionDuration)
      parsePolicy(trustPolicy, 'trust')
    })
    const { accountId } = caller
    const role: Role = {
      type: 'role',
      name,
      arn: formatRoleArn({ accountId, path, name }),
      id: newRoleId(),
      path,
      accountId,
      createdMs: nowMs,
      trustPolicy,
      inlinePolicies: {},
      attachedPolicies: [],
      tags: [],
      ...(description !== undefined && { description }),
      ...(maxSessionDuration !== undefined && { maxSessionDuration }),
    }
    await control.changeIdentities({ kind: 'createIdentity', identity: role })
    return { Role: roleDocument(role) }
  },
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html */
export const GetRole: Action = {
  service: 'iam',
  name: 'GetRole',
  parameters: ['RoleName'],

  async perform(context, parameters) {
    // Nothing is known of a role's use: an empty element, as for one that was not used yet.
    return { Role: { ...roleDocument(await standingRole(context, parameters)), RoleLastUsed: {} } }
  },
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html */
export const DeleteRole: Action = {
  service: 'iam',
  name: 'DeleteRole',
  parameters: ['RoleName'],

  async perform({ control, caller }, parameters) {
    const name = parameters.required('RoleName')
    checked(() => checkRoleName(name))
    await control.changeIdentities({ kind: 'deleteIdentity', of: { accountId: caller.accountId, type: 'role', name } })
    return undefined
  },
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html */
export const ListRoles: Action = {
  service: 'iam',
  name: 'ListRoles',
  parameters: ['PathPrefix', ...pageParameters],

  async perform(context, parameters) {
    const page = pageRequest(parameters)
    const { items, members } = pageOf(await rolesUnder(parameters.optional('PathPrefix') ?? '/', page, context), page, (role) => role.name)
    return { Roles: { member: items.map(roleDocument) }, ...members }
  },
}

/** The role that a call names. @throws S3Error NoSuchEntity | ValidationError */
export async function standingRole({ control, caller }: ActionContext, parameters: Parameters): Promise<Role> {
  const name = parameters.required('RoleName')
  checked(() => checkRoleName(name))
  const role = await control.identity({ accountId: caller.accountId, type: 'role', name })
  if (role === undefined) throw noSuchRole(name)
  return role
}

/** How many roles are looked at in one read. */
const scanSize = 1000

/** The page and, if there is one, the role after it. */
async function rolesUnder(pathPrefix: string, page: PageRequest, { control, caller }: ActionContext): Promise<readonly Role[]> {
  const found: Role[] = []
  for (let after: string | undefined = page.after; after !== undefined && found.length <= page.limit; ) {
    const scanned: readonly Role[] = await control.identities({ accountId: caller.accountId, type: 'role', after, limit: scanSize })
    found.push(...scanned.filter((role) => role.path.startsWith(pathPrefix)))
    after = scanned.length < scanSize ? undefined : scanned.at(-1)?.name
  }
  return found
}

/** IAM's form: `AROA` says that it is a role's, and 17 characters of base32 follow. */
function newRoleId(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  return `AROA${Array.from(randomBytes(17), (byte) => alphabet[byte % alphabet.length]).join('')}`
}
