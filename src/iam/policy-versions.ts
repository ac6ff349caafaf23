/** The versions of managed policies. */
import type { ManagedPolicy, PolicyVersion } from '../model/identities.ts'
import { parsePolicy } from '../model/policy-document.ts'
import { type Action, type ActionCall, iamAction } from './action.ts'
import { policyVersionDocument, urlEncoded } from './documents.ts'
import { keyOf, policyTarget } from './nouns.ts'
import { pageByCount, pageParameters } from './paging.ts'
import type { Parameters } from './parameters.ts'
import { checkChangeable } from './policies.ts'
import { checked, noSuchEntity, validationError } from './refusals.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html */
const CreatePolicyVersion = iamAction({
  name: 'CreatePolicyVersion',
  parameters: ['PolicyArn', 'PolicyDocument', 'SetAsDefault'],
  target: policyTarget,

  async perform({ identities, parameters, nowMs }, policy) {
    checkChangeable(policy)
    const document = parameters.required('PolicyDocument')
    const isDefault = parameters.boolean('SetAsDefault') ?? false
    checked(() => parsePolicy(document, 'identity'))
    const edit = { kind: 'createPolicyVersion', document, isDefault, createdMs: nowMs } as const
    await identities.changeIdentities({ kind: 'editIdentity', of: keyOf(policy), edit })
    // Which number it got is known only now; another call at the same moment may have taken the one that was next.
    const standing = (await identities.identity(keyOf(policy))) ?? policy
    const made = standing.versions.findLast((version) => version.document === document) ?? standing.versions.at(-1)
    return made && { PolicyVersion: policyVersionDocument(made, standing) }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html */
const GetPolicyVersion = iamAction({
  name: 'GetPolicyVersion',
  parameters: ['PolicyArn', 'VersionId'],
  target: policyTarget,

  async perform({ parameters }, policy) {
    const version = versionOf(policy, parameters)
    return { PolicyVersion: { Document: urlEncoded(version.document), ...policyVersionDocument(version, policy) } }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html */
const ListPolicyVersions = iamAction({
  name: 'ListPolicyVersions',
  parameters: ['PolicyArn', ...pageParameters],
  target: policyTarget,

  async perform({ parameters }, policy) {
    const { items, members } = pageByCount([...policy.versions].reverse(), parameters)
    return { Versions: { member: items.map((version) => policyVersionDocument(version, policy)) }, ...members }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html */
const SetDefaultPolicyVersion = versionEdit('SetDefaultPolicyVersion', 'setDefaultPolicyVersion')
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html */
const DeletePolicyVersion = versionEdit('DeletePolicyVersion', 'deletePolicyVersion')

function versionEdit(name: string, kind: 'setDefaultPolicyVersion' | 'deletePolicyVersion'): Action {
  return iamAction({
    name,
    parameters: ['PolicyArn', 'VersionId'],
    target: policyTarget,

    async perform({ identities, parameters }: ActionCall, policy: ManagedPolicy) {
      checkChangeable(policy)
      const { id: versionId } = versionOf(policy, parameters)
      await identities.changeIdentities({ kind: 'editIdentity', of: keyOf(policy), edit: { kind, versionId } })
      return undefined
    },
  })
}

function versionOf({ arn, versions }: ManagedPolicy, parameters: Parameters): PolicyVersion {
  const id = parameters.required('VersionId')
  if (!/^v[1-9][0-9]{0,9}$/.test(id)) {
    throw validationError(
      "1 validation error detected: Value at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?",
    )
  }
  const version = versions.find((one) => one.id === id)
  if (version === undefined) throw noSuchEntity(`Policy ${arn} version ${id} does not exist or is not attachable.`)
  return version
}

export const policyVersionActions: readonly Action[] = [
  CreatePolicyVersion,
  GetPolicyVersion,
  ListPolicyVersions,
  SetDefaultPolicyVersion,
  DeletePolicyVersion,
]
