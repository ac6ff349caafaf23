/** Making, reading and deleting users. */
import type { User } from '../model/identities.ts'
import { type Action, type ActionCall, iamAction, type Target } from './action.ts'
import { userDocument, wholeUserDocument } from './documents.ts'
import { alsoTag, checkBoundary, newcomer, newId, tagParameters } from './making.ts'
import { holderTarget, keyOf, namedUser, nameIn, underPath, userNoun } from './nouns.ts'
import { pageParameters } from './paging.ts'
import { alreadyExists, deleteConflict, validationError } from './refusals.ts'
import { pageOfType } from './scan.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html */
const CreateUser = iamAction({
  name: 'CreateUser',
  parameters: ['UserName', 'Path', 'PermissionsBoundary', ...tagParameters],
  target: (call) => newcomer('user', call, nameIn(userNoun, call.parameters)),
  also: alsoTag('User'),

  async perform(call, made) {
    const { identities, caller, nowMs } = call
    const { accountId } = caller
    await checkBoundary(call, made.boundary)
    if (await identities.identity({ accountId, type: 'user', name: made.name })) throw alreadyExists(`User with name ${made.name}`)
    const user: User = {
      ...made,
      type: 'user',
      accountId,
      id: newId('AIDA'),
      createdMs: nowMs,
      groups: [],
      inlinePolicies: {},
      attachedPolicies: [],
    }
    await identities.changeIdentities({ kind: 'createIdentity', identity: user })
    return { User: wholeUserDocument(user) }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html */
const GetUser = iamAction<User | 'root'>({
  name: 'GetUser',
  parameters: ['UserName'],
  target: userOrCaller,

  async perform({ caller, identities }, user) {
    if (user !== 'root') return { User: wholeUserDocument(user) }
    const account = await identities.account(caller.accountId)
    const createdMs = account?.createdMs ?? 0
    return { User: { UserId: caller.accountId, Arn: caller.arn, CreateDate: new Date(createdMs).toISOString() } }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html */
const ListUsers = iamAction({
  name: 'ListUsers',
  parameters: ['PathPrefix', ...pageParameters],
  target: underPath('user'),

  async perform(call, prefix) {
    const { items, members } = await pageOfType(call, 'user', ({ path }) => path.startsWith(prefix))
    return { Users: { member: items.map(userDocument) }, ...members }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html */
const DeleteUser = iamAction({
  name: 'DeleteUser',
  parameters: ['UserName'],
  target: namedUser,

  async perform({ identities }, user) {
    const keys = await identities.accessKeysOf({ accountId: user.accountId, userName: user.name })
    if (keys.length > 0) throw deleteConflict('must delete access keys first')
    await identities.changeIdentities({ kind: 'deleteIdentity', of: keyOf(user) })
    return undefined
  },
})

/** The user that a call names, or without a name the one who calls. */
export async function userOrCaller(call: ActionCall): Promise<Target<User | 'root'>> {
  const { caller, parameters } = call
  if (parameters.optional('UserName') !== undefined) return holderTarget(call, userNoun, nameIn(userNoun, parameters))
  if (caller.userName !== undefined) return holderTarget(call, userNoun, caller.userName)
  if (caller.kind === 'root') return { arn: caller.arn, shown: caller.arn, value: 'root' }
  throw validationError('Must specify userName when calling with non-User credentials')
}

export const userActions: readonly Action[] = [CreateUser, GetUser, ListUsers, DeleteUser]
