/** Whom a managed policy is used by. */
import { type Action, iamAction } from './action.ts'
import { type Holder, policyTarget } from './nouns.ts'
import { pageByCount, pageParameters } from './paging.ts'
import { usersOf } from './policy-use.ts'

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
    const kind = usage === 'PermissionsPolicy' ? 'attached' : 'boundary'
    const users: Holder[] = []
    for (const one of ['group', 'role', 'user'] as const) {
      if (type === undefined || type === one) users.push(...(await usersOf(call, { arn, kind, type: one })))
    }
    const { items, members } = pageByCount(
      users.filter(({ path }) => path.startsWith(prefix)),
      parameters,
    )
    const listed = (wanted: Holder['type'], word: string) => ({
      member: items.filter((one) => one.type === wanted).map(({ name, id }) => ({ [`${word}Name`]: name, [`${word}Id`]: id })),
    })
    return { PolicyGroups: listed('group', 'Group'), PolicyUsers: listed('user', 'User'), PolicyRoles: listed('role', 'Role'), ...members }
  },
})
