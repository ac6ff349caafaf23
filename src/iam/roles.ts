/** Making, reading, changing and deleting roles. */
import { checkMaxSessionDuration } from '../model/iam-names.ts'
import { type PolicyDocument, parsePolicy } from '../model/policy-document.ts'
import type { Role } from '../model/role.ts'
import { type Action, iamAction } from './action.ts'
import { roleDocument, wholeRoleDocument } from './documents.ts'
import { alsoTag, checkBoundary, descriptionIn, newcomer, newId, tagParameters } from './making.ts'
import { keyOf, namedRole, nameIn, roleNoun, underPath } from './nouns.ts'
import { pageParameters } from './paging.ts'
import type { Parameters } from './parameters.ts'
import { principalsOf, shownRoles } from './principals.ts'
import { alreadyExists, checked } from './refusals.ts'
import { pageOfType } from './scan.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html */
const CreateRole = iamAction({
  name: 'CreateRole',
  parameters: [
    'RoleName',
    'Path',
    'AssumeRolePolicyDocument',
    'Description',
    'MaxSessionDuration',
    'PermissionsBoundary',
    ...tagParameters,
  ],
  target: (call) => newcomer('role', call, nameIn(roleNoun, call.parameters)),
  also: alsoTag('Role'),

  async perform(call, made) {
    const { identities, parameters, caller, nowMs } = call
    const { accountId } = caller
    const { document: trustPolicy, policy: trust } = trustPolicyIn(parameters, 'AssumeRolePolicyDocument')
    const description = descriptionIn(parameters)
    const maxSessionDuration = maxSessionDurationIn(parameters)
    await checkBoundary(call, made.boundary)
    if (await identities.identity({ accountId, type: 'role', name: made.name })) throw alreadyExists(`Role with name ${made.name}`)
    const trustPrincipals = await principalsOf(call, trust)
    const role: Role = {
      ...made,
      type: 'role',
      accountId,
      id: newId('AROA'),
      createdMs: nowMs,
      trustPolicy,
      trustPrincipals,
      inlinePolicies: {},
      attachedPolicies: [],
      ...(description !== undefined && { description }),
      ...(maxSessionDuration !== undefined && { maxSessionDuration }),
    }
    await identities.changeIdentities({ kind: 'createIdentity', identity: role })
    return { Role: wholeRoleDocument(role) }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html */
const GetRole = iamAction({
  name: 'GetRole',
  parameters: ['RoleName'],
  target: namedRole,

  // Nothing is known of a role's use: an empty element, as for one that was not used yet.
  async perform({ identities }, role) {
    const [shown = role] = await shownRoles(identities, [role])
    return { Role: { ...wholeRoleDocument(shown), RoleLastUsed: {} } }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html */
const ListRoles = iamAction({
  name: 'ListRoles',
  parameters: ['PathPrefix', ...pageParameters],
  target: underPath('role'),

  async perform(call, prefix) {
    const { items, members } = await pageOfType(call, 'role', ({ path }) => path.startsWith(prefix))
    return { Roles: { member: (await shownRoles(call.identities, items)).map(roleDocument) }, ...members }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html */
const UpdateRole = iamAction({
  name: 'UpdateRole',
  parameters: ['RoleName', 'Description', 'MaxSessionDuration'],
  target: namedRole,

  async perform({ identities, parameters }, role) {
    const description = descriptionIn(parameters)
    const maxSessionDuration = maxSessionDurationIn(parameters)
    const edit = {
      kind: 'describeRole',
      ...(description !== undefined && { description }),
      ...(maxSessionDuration !== undefined && { maxSessionDuration }),
    } as const
    await identities.changeIdentities({ kind: 'editIdentity', of: keyOf(role), edit })
    return {}
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html */
const UpdateAssumeRolePolicy = iamAction({
  name: 'UpdateAssumeRolePolicy',
  parameters: ['RoleName', 'PolicyDocument'],
  target: namedRole,

  async perform(call, role) {
    const { identities, parameters } = call
    const { document, policy } = trustPolicyIn(parameters, 'PolicyDocument')
    const principals = await principalsOf(call, policy)
    const edit = { kind: 'setTrustPolicy', document, principals } as const
    await identities.changeIdentities({ kind: 'editIdentity', of: keyOf(role), edit })
    return undefined
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html */
const DeleteRole = iamAction({
  name: 'DeleteRole',
  parameters: ['RoleName'],
  target: namedRole,

  async perform({ identities }, role) {
    await identities.changeIdentities({ kind: 'deleteIdentity', of: keyOf(role) })
    return undefined
  },
})

function trustPolicyIn(parameters: Parameters, name: string): { readonly document: string; readonly policy: PolicyDocument } {
  const document = parameters.required(name)
  return { document, policy: checked(() => parsePolicy(document, 'trust')) }
}

function maxSessionDurationIn(parameters: Parameters): number | undefined {
  const seconds = parameters.integer('MaxSessionDuration')
  if (seconds !== undefined) checked(() => checkMaxSessionDuration(seconds))
  return seconds
}

export const roleActions: readonly Action[] = [CreateRole, GetRole, ListRoles, UpdateRole, UpdateAssumeRolePolicy, DeleteRole]
