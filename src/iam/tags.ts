/** Tags of users, roles and policies. */
import { checkIamTagKey } from '../model/iam-tags.ts'
import type { ManagedPolicy, User } from '../model/identities.ts'
import type { Role } from '../model/role.ts'
import { type Action, type ActionCall, iamAction, type Target } from './action.ts'
import { tagList } from './documents.ts'
import { requestTagKeys, tagParameters, tagsIn } from './making.ts'
import { keyOf, namedRole, namedUser, policyTarget } from './nouns.ts'
import { pageOfAll, pageParameters } from './paging.ts'
import { checkChangeable } from './policies.ts'

interface Tagged {
  readonly word: string
  readonly parameter: string
  target(call: ActionCall): Promise<Target<User | Role | ManagedPolicy>>
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html and its like for roles and policies */
export const tagActions: readonly Action[] = [
  ...actionsFor({ word: 'User', parameter: 'UserName', target: namedUser }),
  ...actionsFor({ word: 'Role', parameter: 'RoleName', target: namedRole }),
  ...actionsFor({ word: 'Policy', parameter: 'PolicyArn', target: policyTarget }),
]

function actionsFor({ word, parameter, target }: Tagged): readonly Action[] {
  return [
    iamAction({
      name: `Tag${word}`,
      parameters: [parameter, ...tagParameters],
      async target(call) {
        const found = await target(call)
        return { ...found, keys: { ...found.keys, ...requestTagKeys(tagsIn(call.parameters)) } }
      },
      async perform({ identities, parameters }, tagged) {
        if (tagged.type === 'policy') checkChangeable(tagged)
        const tags = tagsIn(parameters)
        await identities.changeIdentities({ kind: 'editIdentity', of: keyOf(tagged), edit: { kind: 'tag', tags } })
        return undefined
      },
    }),
    iamAction({
      name: `Untag${word}`,
      parameters: [parameter, 'TagKeys.member.#'],
      async target(call) {
        const found = await target(call)
        return { ...found, keys: { ...found.keys, 'aws:TagKeys': call.parameters.list('TagKeys') } }
      },
      async perform({ identities, parameters }, tagged) {
        if (tagged.type === 'policy') checkChangeable(tagged)
        const tagKeys = parameters.list('TagKeys')
        for (const key of tagKeys) checkIamTagKey(key)
        await identities.changeIdentities({ kind: 'editIdentity', of: keyOf(tagged), edit: { kind: 'untag', tagKeys } })
        return undefined
      },
    }),
    iamAction({
      name: `List${word}Tags`,
      parameters: [parameter, ...pageParameters],
      target,
      async perform({ parameters }, { tags }) {
        const sorted = [...tags].sort((a, b) => (a.Key < b.Key ? -1 : 1))
        const { items, members } = pageOfAll(sorted, parameters, ({ Key }) => Key)
        return { Tags: { member: tagList(items) }, ...members }
      },
    }),
  ]
}
