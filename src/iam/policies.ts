/** Managed policies. */
import { awsManagedPolicies } from '../model/aws-managed-policies.ts'
import type { ManagedPolicy } from '../model/identities.ts'
import { parsePolicy } from '../model/policy-document.ts'
import { type Action, iamAction } from './action.ts'
import { policyDocument, tagsMember } from './documents.ts'
import { alsoTag, descriptionIn, newcomer, newId, tagParameters } from './making.ts'
import { keyOf, policyNameIn, policyTarget, underPath } from './nouns.ts'
import { pageOfAll, pageParameters } from './paging.ts'
import { useOf, usesBy } from './policy-use.ts'
import { alreadyExists, checked, deleteConflict, validationError } from './refusals.ts'
import { scanAll } from './scan.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html */
const CreatePolicy = iamAction({
  name: 'CreatePolicy',
  parameters: ['PolicyName', 'Path', 'PolicyDocument', 'Description', ...tagParameters],
  target: (call) => newcomer('policy', call, policyNameIn(call.parameters)),
  also: alsoTag('Policy'),

  async perform({ identities, parameters, caller: { accountId }, nowMs }, made) {
    const { boundary: _, ...known } = made
    const document = parameters.required('PolicyDocument')
    checked(() => parsePolicy(document, 'identity'))
    const description = descriptionIn(parameters)
    if (await identities.identity({ accountId, type: 'policy', name: made.name })) {
      throw alreadyExists(`A policy called ${made.name}`)
    }
    const policy: ManagedPolicy = {
      ...known,
      type: 'policy',
      accountId,
      id: newId('ANPA'),
      createdMs: nowMs,
      updatedMs: nowMs,
      versions: [{ id: 'v1', document, createdMs: nowMs }],
      defaultVersionId: 'v1',
      nextVersion: 2,
      ...(description !== undefined && { description }),
    }
    await identities.changeIdentities({ kind: 'createIdentity', identity: policy })
    return { Policy: { ...policyDocument(policy, { attachments: 0, boundaries: 0 }), ...tagsMember(policy.tags) } }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html */
const GetPolicy = iamAction({
  name: 'GetPolicy',
  parameters: ['PolicyArn'],
  target: policyTarget,

  async perform(call, policy) {
    const use = await useOf(call, policy)
    return { Policy: { ...policyDocument(policy, use), Description: policy.description, ...tagsMember(policy.tags) } }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html */
const ListPolicies = iamAction({
  name: 'ListPolicies',
  parameters: ['Scope', 'OnlyAttached', 'PathPrefix', 'PolicyUsageFilter', ...pageParameters],
  target: underPath('policy'),

  async perform(call, prefix) {
    const { parameters } = call
    const scope = parameters.oneOf('Scope', ['All', 'AWS', 'Local']) ?? 'All'
    const usage = parameters.oneOf('PolicyUsageFilter', ['PermissionsPolicy', 'PermissionsBoundary'])
    const onlyAttached = parameters.boolean('OnlyAttached') ?? false
    const uses = await usesBy(call)
    const isListed = ({ path, arn }: ManagedPolicy) => {
      const { attachments, boundaries } = uses(arn)
      if (usage === 'PermissionsPolicy' && attachments === 0) return false
      if (usage === 'PermissionsBoundary' && boundaries === 0) return false
      return path.startsWith(prefix) && (!onlyAttached || attachments > 0)
    }
    const ours = scope === 'AWS' ? [] : await scanAll(call, 'policy')
    const aws = scope === 'Local' ? [] : awsManagedPolicies
    const listed = [...ours, ...aws].filter(isListed).sort((a, b) => (a.arn < b.arn ? -1 : 1))
    const { items, members } = pageOfAll(listed, parameters, ({ arn }) => arn)
    return { Policies: { member: items.map((policy) => policyDocument(policy, uses(policy.arn))) }, ...members }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html */
const DeletePolicy = iamAction({
  name: 'DeletePolicy',
  parameters: ['PolicyArn'],
  target: policyTarget,

  async perform(call, policy) {
    checkChangeable(policy)
    const { attachments, boundaries } = await useOf(call, policy)
    if (attachments + boundaries > 0) throw deleteConflict('must detach the policy from everything first')
    await call.identities.changeIdentities({ kind: 'deleteIdentity', of: keyOf(policy) })
    return undefined
  },
})

/** AWS's own policies are the same for everybody. @throws S3Error ValidationError */
export function checkChangeable({ accountId, arn }: ManagedPolicy): void {
  if (accountId === 'aws') throw validationError(`Policy ${arn} is managed by AWS and cannot be changed.`)
}

export const policyActions: readonly Action[] = [CreatePolicy, GetPolicy, ListPolicies, DeletePolicy]
