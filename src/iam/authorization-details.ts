/** Everything that an account's identities are and may do, at once. */
import { awsManagedPolicies } from '../model/aws-managed-policies.ts'
import type { ManagedPolicy, Policies, PolicyUse } from '../model/identities.ts'
import type { XmlValue } from '../s3/xml/write.ts'
import { iamAction } from './action.ts'
import {
  attachedDocument,
  boundaryMember,
  groupDocument,
  policyDocument,
  policyVersionDocument,
  roleDocument,
  tagsMember,
  urlEncoded,
  userDocument,
} from './documents.ts'
import { accountTarget, type Holder } from './nouns.ts'
import { pageByCount, pageParameters } from './paging.ts'
import { usesBy } from './policy-use.ts'
import { shownRoles } from './principals.ts'
import { validationError } from './refusals.ts'
import { scanAll } from './scan.ts'

const filters: readonly string[] = ['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy']

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html */
export const GetAccountAuthorizationDetails = iamAction({
  name: 'GetAccountAuthorizationDetails',
  parameters: ['Filter.member.#', ...pageParameters],
  target: accountTarget,

  async perform(call) {
    const wanted = call.parameters.list('Filter')
    if (!wanted.every((one) => filters.includes(one))) {
      throw validationError(
        `1 validation error detected: Value at 'filter' failed to satisfy constraint: Member must satisfy enum value set: [${filters.join(', ')}]`,
      )
    }
    const uses = await usesBy(call)
    const aws = awsManagedPolicies.filter(({ arn }) => uses(arn).attachments + uses(arn).boundaries > 0)
    const holders = [...(await scanAll(call, 'group')), ...(await scanAll(call, 'role')), ...(await scanAll(call, 'user'))]
    const all = [...holders, ...(await scanAll(call, 'policy')), ...aws]
    const filtered = wanted.length === 0 ? all : all.filter((one) => wanted.includes(filterOf(one)))
    const { items, members } = pageByCount(filtered, call.parameters)
    const roles = await shownRoles(
      call.identities,
      items.filter((one) => one.type === 'role'),
    )
    return {
      UserDetailList: { member: items.flatMap((one) => (one.type === 'user' ? [holderDetail(one)] : [])) },
      GroupDetailList: { member: items.flatMap((one) => (one.type === 'group' ? [holderDetail(one)] : [])) },
      RoleDetailList: { member: roles.map(holderDetail) },
      Policies: { member: items.flatMap((one) => (one.type === 'policy' ? [policyDetail(one, uses)] : [])) },
      ...members,
    }
  },
})

function filterOf(one: Holder | ManagedPolicy): string {
  if (one.type === 'policy') return one.accountId === 'aws' ? 'AWSManagedPolicy' : 'LocalManagedPolicy'
  return one.type === 'user' ? 'User' : one.type === 'group' ? 'Group' : 'Role'
}

function holderDetail(holder: Holder): XmlValue {
  const attached = { AttachedManagedPolicies: { member: holder.attachedPolicies.map(attachedDocument) } }
  switch (holder.type) {
    case 'user':
      return {
        ...userDocument(holder),
        UserPolicyList: inlineList(holder),
        GroupList: { member: holder.groups },
        ...attached,
        ...boundaryMember(holder),
        ...tagsMember(holder.tags),
      }
    case 'group':
      return { ...groupDocument(holder), GroupPolicyList: inlineList(holder), ...attached }
    case 'role': {
      const { Description: _, MaxSessionDuration: __, ...role } = roleDocument(holder)
      const instances = { InstanceProfileList: {}, RoleLastUsed: {} }
      return {
        ...role,
        ...instances,
        RolePolicyList: inlineList(holder),
        ...attached,
        ...boundaryMember(holder),
        ...tagsMember(holder.tags),
      }
    }
    default:
      return holder satisfies never
  }
}

function inlineList({ inlinePolicies }: Policies): XmlValue {
  const entries = Object.entries(inlinePolicies).sort(([a], [b]) => (a < b ? -1 : 1))
  return { member: entries.map(([name, document]) => ({ PolicyName: name, PolicyDocument: urlEncoded(document) })) }
}

function policyDetail(policy: ManagedPolicy, uses: (arn: string) => PolicyUse): XmlValue {
  const versions = policy.versions.map((version) => ({ Document: urlEncoded(version.document), ...policyVersionDocument(version, policy) }))
  return { ...policyDocument(policy, uses(policy.arn)), PolicyVersionList: { member: versions } }
}
