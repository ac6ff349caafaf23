/** Access keys of users, and of the root itself. */
import type { AccessKey, User } from '../model/identities.ts'
import { type Action, type ActionCall, iamAction, type Target } from './action.ts'
import { timeText } from './documents.ts'
import { holderTarget, userNoun } from './nouns.ts'
import { pageOfAll, pageParameters } from './paging.ts'
import type { Parameters } from './parameters.ts'
import { noSuchEntity, validationError } from './refusals.ts'
import { userOrCaller } from './users.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html */
const CreateAccessKey = iamAction({
  name: 'CreateAccessKey',
  parameters: ['UserName'],
  target: userOrCaller,

  async perform({ identities, accessKeys, caller, nowMs }, owner) {
    const { accessKeyId, secretAccessKey, sealedSecret } = accessKeys.make()
    const key: AccessKey = { ...ownerOf(caller, owner), accessKeyId, status: 'Active', createdMs: nowMs, sealedSecret }
    await identities.changeIdentities({ kind: 'createAccessKey', key })
    // The one answer that ever holds the secret.
    const { UserName, AccessKeyId, Status, CreateDate } = keyDocument(key)
    return { AccessKey: { UserName, AccessKeyId, Status, SecretAccessKey: secretAccessKey, CreateDate } }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html */
const ListAccessKeys = iamAction({
  name: 'ListAccessKeys',
  parameters: ['UserName', ...pageParameters],
  target: userOrCaller,

  async perform({ identities, parameters, caller }, owner) {
    const keys = [...(await identities.accessKeysOf(ownerOf(caller, owner)))].sort((a, b) => (a.accessKeyId < b.accessKeyId ? -1 : 1))
    const { items, members } = pageOfAll(keys, parameters, ({ accessKeyId }) => accessKeyId)
    return { AccessKeyMetadata: { member: items.map(keyDocument) }, ...members }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html */
const UpdateAccessKey = iamAction({
  name: 'UpdateAccessKey',
  parameters: ['UserName', 'AccessKeyId', 'Status'],
  target: userOrCaller,

  async perform(call, owner) {
    const status = call.parameters.oneOf('Status', ['Active', 'Inactive'])
    if (status === undefined)
      throw validationError("1 validation error detected: Value at 'status' failed to satisfy constraint: Member must not be null")
    const { accessKeyId } = await keyOfOwner(call, owner)
    await call.identities.changeIdentities({ kind: 'setAccessKeyStatus', ...ownerOf(call.caller, owner), accessKeyId, status })
    return undefined
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html */
const DeleteAccessKey = iamAction({
  name: 'DeleteAccessKey',
  parameters: ['UserName', 'AccessKeyId'],
  target: userOrCaller,

  async perform(call, owner) {
    const { accessKeyId } = await keyOfOwner(call, owner)
    await call.identities.changeIdentities({ kind: 'deleteAccessKey', ...ownerOf(call.caller, owner), accessKeyId })
    return undefined
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html */
const GetAccessKeyLastUsed = iamAction<AccessKey>({
  name: 'GetAccessKeyLastUsed',
  parameters: ['AccessKeyId'],

  async target(call): Promise<Target<AccessKey>> {
    const { identities, caller, parameters } = call
    const accessKeyId = keyIdIn(parameters)
    const key = await identities.accessKey(accessKeyId)
    const shown = `access key ${accessKeyId}`
    // Another account's key is nobody's here.
    if (key === undefined || key.accountId !== caller.accountId) {
      return { arn: '*', shown, missing: noSuchEntity(`The Access Key with id ${accessKeyId} cannot be found.`) }
    }
    if (key.userName === undefined) return { arn: `arn:aws:iam::${caller.accountId}:root`, shown, value: key }
    const user = await holderTarget(call, userNoun, key.userName)
    return { arn: user.arn, shown, ...(user.keys !== undefined && { keys: user.keys }), value: key }
  },

  async perform({ keyUses }, { accessKeyId, userName = '<root_account>' }) {
    const use = await keyUses.lastUse(accessKeyId)
    // What IAM answers of a key of which it knows no use.
    if (use === undefined) return { UserName: userName, AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' } }
    const { usedMs, service, region } = use
    return { UserName: userName, AccessKeyLastUsed: { LastUsedDate: timeText(usedMs), ServiceName: service, Region: region } }
  },
})

function ownerOf({ accountId }: ActionCall['caller'], owner: User | 'root'): { readonly accountId: string; readonly userName?: string } {
  return owner === 'root' ? { accountId } : { accountId, userName: owner.name }
}

async function keyOfOwner({ identities, parameters, caller }: ActionCall, owner: User | 'root'): Promise<AccessKey> {
  const accessKeyId = keyIdIn(parameters)
  const keys = await identities.accessKeysOf(ownerOf(caller, owner))
  const key = keys.find((one) => one.accessKeyId === accessKeyId)
  if (key === undefined) throw noSuchEntity(`The Access Key with id ${accessKeyId} cannot be found.`)
  return key
}

function keyIdIn(parameters: Parameters): string {
  const accessKeyId = parameters.required('AccessKeyId')
  if (/^\w{16,128}$/.test(accessKeyId)) return accessKeyId
  throw validationError(
    "1 validation error detected: Value at 'accessKeyId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w]{16,128}",
  )
}

function keyDocument({ userName, accessKeyId, status, createdMs }: AccessKey) {
  return { UserName: userName, AccessKeyId: accessKeyId, Status: status, CreateDate: timeText(createdMs) }
}

export const accessKeyActions: readonly Action[] = [CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey, GetAccessKeyLastUsed]
