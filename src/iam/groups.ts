/** Groups, and who is in them. */
import type { Group } from '../model/identities.ts'
import { type Action, iamAction } from './action.ts'
import { groupDocument, userDocument } from './documents.ts'
import { newcomer, newId } from './making.ts'
import { groupNoun, keyOf, namedGroup, namedUser, nameIn, noSuchHolder, underPath, userNoun } from './nouns.ts'
import { pageOf, pageOfAll, pageParameters, pageRequest } from './paging.ts'
import { alreadyExists, deleteConflict } from './refusals.ts'
import { pageOfType } from './scan.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html */
const CreateGroup = iamAction({
  name: 'CreateGroup',
  parameters: ['GroupName', 'Path'],
  target: (call) => newcomer('group', call, nameIn(groupNoun, call.parameters)),

  async perform({ identities, caller: { accountId }, nowMs }, { name, path, arn }) {
    if (await identities.identity({ accountId, type: 'group', name })) throw alreadyExists(`Group with name ${name}`)
    const group: Group = {
      type: 'group',
      accountId,
      name,
      path,
      arn,
      id: newId('AGPA'),
      createdMs: nowMs,
      inlinePolicies: {},
      attachedPolicies: [],
    }
    await identities.changeIdentities({ kind: 'createIdentity', identity: group })
    return { Group: groupDocument(group) }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html */
const GetGroup = iamAction({
  name: 'GetGroup',
  parameters: ['GroupName', ...pageParameters],
  target: namedGroup,

  async perform(call, group) {
    const page = pageRequest(call.parameters)
    const { accountId } = group
    const linked = { target: keyOf(group), kind: 'member', accountId, type: 'user', after: page.after, limit: page.limit + 1 } as const
    const { items, members } = pageOf(await call.identities.linked(linked), page, ({ name }) => name)
    return { Group: groupDocument(group), Users: { member: items.map(userDocument) }, ...members }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html */
const ListGroups = iamAction({
  name: 'ListGroups',
  parameters: ['PathPrefix', ...pageParameters],
  target: underPath('group'),

  async perform(call, prefix) {
    const { items, members } = await pageOfType(call, 'group', ({ path }) => path.startsWith(prefix))
    return { Groups: { member: items.map(groupDocument) }, ...members }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html */
const DeleteGroup = iamAction({
  name: 'DeleteGroup',
  parameters: ['GroupName'],
  target: namedGroup,

  async perform(call, group) {
    const { accountId } = group
    const users = await call.identities.linked({ target: keyOf(group), kind: 'member', accountId, type: 'user', after: '', limit: 1 })
    if (users.length > 0) throw deleteConflict('must remove users from group first')
    await call.identities.changeIdentities({ kind: 'deleteIdentity', of: keyOf(group) })
    return undefined
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html */
const AddUserToGroup = membership('AddUserToGroup', 'addToGroup')
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html */
const RemoveUserFromGroup = membership('RemoveUserFromGroup', 'removeFromGroup')

/** NOTE: the permission is asked on the group, as IAM does: whoever may fill a group may give what it gives. */
function membership(name: string, kind: 'addToGroup' | 'removeFromGroup'): Action {
  return iamAction({
    name,
    parameters: ['GroupName', 'UserName'],
    target: namedGroup,

    async perform({ identities, parameters }, { accountId, name: group }) {
      const userName = nameIn(userNoun, parameters)
      const user = await identities.identity({ accountId, type: 'user', name: userName })
      if (user === undefined) throw noSuchHolder(userNoun, userName)
      await identities.changeIdentities({ kind: 'editIdentity', of: keyOf(user), edit: { kind, group } })
      return undefined
    },
  })
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html */
const ListGroupsForUser = iamAction({
  name: 'ListGroupsForUser',
  parameters: ['UserName', ...pageParameters],
  target: namedUser,

  async perform({ identities, parameters }, { accountId, groups }) {
    const page = pageOfAll([...groups].sort(), parameters, (name) => name)
    const found = await Promise.all(page.items.map((name) => identities.identity({ accountId, type: 'group', name })))
    return { Groups: { member: found.flatMap((group) => (group === undefined ? [] : [groupDocument(group)])) }, ...page.members }
  },
})

export const groupActions: readonly Action[] = [
  CreateGroup,
  GetGroup,
  ListGroups,
  DeleteGroup,
  AddUserToGroup,
  RemoveUserFromGroup,
  ListGroupsForUser,
]
