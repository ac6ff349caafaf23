/** The policies that stand in a role itself. */
import { checkPolicyName } from '../model/iam-names.ts'
import type { IdentityKey } from '../model/identities.ts'
import { inlinePolicy, inlinePolicyNames, type Role, withInlinePolicy } from '../model/role.ts'
import type { Action } from './action.ts'
import { pageOf, pageParameters, pageRequest } from './paging.ts'
import type { Parameters } from './parameters.ts'
import { checked, noSuchRolePolicy } from './refusals.ts'
import { urlEncoded } from './role-document.ts'
import { standingRole } from './roles.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html */
export const PutRolePolicy: Action = {
  service: 'iam',
  name: 'PutRolePolicy',
  parameters: ['RoleName', 'PolicyName', 'PolicyDocument'],

  async perform(context, parameters) {
    const name = policyName(parameters)
    const document = parameters.required('PolicyDocument')
    const role = await standingRole(context, parameters)
    checked(() => withInlinePolicy(role, { name, document }))
    await context.control.changeIdentities({
      kind: 'editIdentity',
      of: keyOf(role),
      edit: { kind: 'putInlinePolicy', policyName: name, document },
    })
    return undefined
  },
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html */
export const GetRolePolicy: Action = {
  service: 'iam',
  name: 'GetRolePolicy',
  parameters: ['RoleName', 'PolicyName'],

  async perform(context, parameters) {
    const name = policyName(parameters)
    const role = await standingRole(context, parameters)
    const document = inlinePolicy(role, name)
    if (document === undefined) throw noSuchRolePolicy(name)
    return { RoleName: role.name, PolicyName: name, PolicyDocument: urlEncoded(document) }
  },
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html */
export const ListRolePolicies: Action = {
  service: 'iam',
  name: 'ListRolePolicies',
  parameters: ['RoleName', ...pageParameters],

  async perform(context, parameters) {
    const page = pageRequest(parameters)
    const names = inlinePolicyNames(await standingRole(context, parameters))
    const { items, members } = pageOf(names.filter((name) => name > page.after).slice(0, page.limit + 1), page, (name) => name)
    return { PolicyNames: { member: items }, ...members }
  },
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html */
export const DeleteRolePolicy: Action = {
  service: 'iam',
  name: 'DeleteRolePolicy',
  parameters: ['RoleName', 'PolicyName'],

  async perform(context, parameters) {
    const name = policyName(parameters)
    const role = await standingRole(context, parameters)
    await context.control.changeIdentities({
      kind: 'editIdentity',
      of: keyOf(role),
      edit: { kind: 'deleteInlinePolicy', policyName: name },
    })
    return undefined
  },
}

function policyName(parameters: Parameters): string {
  const name = parameters.required('PolicyName')
  checked(() => checkPolicyName(name))
  return name
}

function keyOf({ accountId, type, name }: Role): IdentityKey<'role'> {
  return { accountId, type, name }
}
