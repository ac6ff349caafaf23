/** Whom a managed policy is used by. */
import { type Action, iamAction } from './action.ts'
import { type Holder, policyTarget } from './nouns.ts'
import { pageByCount, pageParameters } from './paging.ts'
import { boundaryOf, holdersOf } from './policy-use.ts'

const filters = ['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy'] as const

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html */
export const ListEntitiesForPolicy: Action = iamAction({
  name: 'ListEntitiesForPolicy',
  parameters: ['PolicyArn', 'EntityFilter', 'PathPrefix', 'PolicyUsageFilter', ...pageParameters],
  target: policyTarget,

  async perform(call, { arn }) {
    const { parameters } = call
    const type = parameters.oneOf('EntityFilter', filters)?.toLowerCase()
    const prefix = parameters.optional('PathPrefix') ?? '/'
    const usage = parameters.oneOf('PolicyUsageFilter', ['PermissionsPolicy', 'PermissionsBoundary']) ?? 'PermissionsPolicy'
    const uses = (holder: Holder) => (usage === 'PermissionsPolicy' ? holder.attachedPolicies.includes(arn) : boundaryOf(holder) === arn)
    const users = (await holdersOf(call)).filter(
      (holder) => (type === undefined || holder.type === type) && holder.path.startsWith(prefix) && uses(holder),
    )
    const { items, members } = pageByCount(users, parameters)
    const listed = (wanted: Holder['type'], word: string) => ({
      member: items.filter((one) => one.type === wanted).map(({ name, id }) => ({ [`${word}Name`]: name, [`${word}Id`]: id })),
    })
    return { PolicyGroups: listed('group', 'Group'), PolicyUsers: listed('user', 'User'), PolicyRoles: listed('role', 'Role'), ...members }
  },
})
