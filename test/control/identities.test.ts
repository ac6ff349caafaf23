import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import type { Account, Identity, IdentityType, ManagedPolicy } from '../../src/model/identities.ts'
import type { IdentityChange, IdentityEdit } from '../../src/model/identity-changes.ts'
import { jsonBody } from '../../src/peers/json-body.ts'
import { account, bucketOf, createRole, Deployment, eventually, makeAccount, type Node, policy, refusal, role, rowsOf } from './nodes.ts'

const { accountId } = account
let deployment: Deployment
let home: Node
let europe: Node

beforeEach(async () => {
  deployment = await Deployment.plan('us-east-1', 'eu-west-1')
  home = await deployment.start('us-east-1')
  europe = await deployment.start('eu-west-1')
  await makeAccount(europe)
})
afterEach(() => deployment.close())

const about = (type: IdentityType, name: string, path = '/') => ({
  accountId,
  name,
  path,
  arn: `arn:aws:iam::${accountId}:${type}${path}${name}`,
  id: `ID${name}`,
  createdMs: 1,
})
const none = { inlinePolicies: {}, attachedPolicies: [] }
const user = (name: string): Identity => ({ type: 'user', ...about('user', name), ...none, groups: [], tags: [] })
const group = (name: string): Identity => ({ type: 'group', ...about('group', name), ...none })
function managed(name: string): ManagedPolicy {
  const versions = [{ id: 'v1', document: policy, createdMs: 1 }]
  return { type: 'policy', ...about('policy', name), updatedMs: 1, versions, defaultVersionId: 'v1', nextVersion: 2, tags: [] }
}
const create = (node: Node, identity: Identity) => node.control.changeIdentities({ kind: 'createIdentity', identity })
const edit = (node: Node, { type, name }: { type: IdentityType; name: string }, how: IdentityEdit) =>
  node.control.changeIdentities({ kind: 'editIdentity', of: { accountId, type, name }, edit: how })
const remove = (node: Node, { type, name }: { type: IdentityType; name: string }) =>
  node.control.changeIdentities({ kind: 'deleteIdentity', of: { accountId, type, name } })
const key = (i: number, userName?: string) =>
  ({
    accessKeyId: `AKIA${String(i).padStart(16, 'A')}`,
    accountId,
    ...(userName !== undefined && { userName }),
    status: 'Active',
    createdMs: i,
    sealedSecret: 'sealed',
  }) as const
const createKey = (node: Node, i: number, userName?: string) =>
  node.control.changeIdentities({ kind: 'createAccessKey', key: key(i, userName) })
const code = async (call: Promise<unknown>) => (await refusal(call)).code

describe('identities of two regions', () => {
  it('are the same in both, whoever changed them', async () => {
    await create(europe, user('ann'))
    await create(home, group('staff'))
    await create(europe, managed('reader'))
    await edit(europe, user('ann'), { kind: 'addToGroup', group: 'staff' })
    await edit(home, group('staff'), { kind: 'attachPolicy', arn: managed('reader').arn })
    await edit(europe, user('ann'), { kind: 'tag', tags: [{ Key: 'a', Value: 'b' }] })
    await createKey(europe, 1, 'ann')
    const last = home.control.position()
    await eventually(() => europe.control.position() === last, 'Europe to have all rows')
    const names = (found: readonly { readonly name: string }[]) => found.map(({ name }) => name)
    for (const node of [home, europe]) {
      expect(await node.control.identity({ accountId, type: 'user', name: 'ANN' })).toMatchObject({
        name: 'ann',
        groups: ['staff'],
        tags: [{ Key: 'a', Value: 'b' }],
      })
      expect(await node.control.accessKey(key(1).accessKeyId)).toEqual(key(1, 'ann'))
      const linked = { kind: 'attached', accountId, type: 'group', after: '', limit: 9 } as const
      expect(names(await node.control.linked({ ...linked, target: managed('reader').arn }))).toEqual(['staff'])
      const members = {
        target: { accountId, type: 'group', name: 'STAFF' },
        kind: 'member',
        accountId,
        type: 'user',
        after: '',
        limit: 9,
      } as const
      expect(names(await node.control.linked(members))).toEqual(['ann'])
    }
    expect(await rowsOf(europe)).toEqual(await rowsOf(home))
  })

  it('are listed in the order of their names, without regard to case, page by page', async () => {
    for (const name of ['Beta', 'alpha', 'gamma', 'Delta']) await create(home, user(name))
    await createRole(home, 'omega')
    const page = async (after: string) =>
      (await home.control.identities({ accountId, type: 'user', after, limit: 3 })).map(({ name }) => name)
    expect(await page('')).toEqual(['alpha', 'Beta', 'Delta'])
    expect(await page('Delta')).toEqual(['gamma'])
    expect(await home.control.identities({ accountId: '000000000000', type: 'user', after: '', limit: 3 })).toEqual([])
  })

  it('have names of their own account and type, whatever the case', async () => {
    await create(home, user('ann'))
    await create(home, group('ann'))
    expect(await code(create(europe, user('ANN')))).toBe('EntityAlreadyExists')
    expect(await code(create(europe, { ...user('bob'), accountId: '999999999999', arn: 'arn:aws:iam::999999999999:user/bob' }))).toBe(
      'NoSuchEntity',
    )
  })
})

describe('a deletion', () => {
  it('is refused for a user with keys, a group with members and a policy in use', async () => {
    await create(home, user('ann'))
    await create(home, group('staff'))
    await create(home, managed('reader'))
    await createKey(home, 1, 'ann')
    await edit(home, user('ann'), { kind: 'addToGroup', group: 'Staff' })
    await edit(home, user('ann'), { kind: 'setBoundary', arn: managed('reader').arn })
    expect(await code(remove(europe, group('staff')))).toBe('DeleteConflict')
    expect(await code(remove(europe, managed('reader')))).toBe('DeleteConflict')
    expect(await code(remove(europe, user('ann')))).toBe('DeleteConflict')
    await edit(europe, user('ann'), { kind: 'removeFromGroup', group: 'staff' })
    expect((await refusal(remove(europe, user('ann')))).message).toContain('must delete access keys first')
    await home.control.changeIdentities({ kind: 'deleteAccessKey', accountId, userName: 'Ann', accessKeyId: key(1).accessKeyId })
    await remove(europe, user('ann'))
    await remove(europe, group('staff'))
    await remove(europe, managed('reader'))
    expect(await code(remove(europe, managed('reader')))).toBe('NoSuchEntity')
  })

  it('is refused for an account with buckets or identities, and takes its keys along', async () => {
    const ofAccount = { kind: 'deleteAccount', accountId } as const
    await europe.control.createBucket(bucketOf('kept'))
    expect(await code(europe.control.changeIdentities(ofAccount))).toBe('DeleteConflict')
    await europe.control.deleteBucket(await europe.control.resolveBucket('kept'))
    await createRole(home, 'worker')
    expect(await code(europe.control.changeIdentities(ofAccount))).toBe('DeleteConflict')
    await remove(home, role('worker'))
    await createKey(home, 1)
    await europe.control.changeIdentities(ofAccount)
    expect(await europe.control.account(accountId)).toBeUndefined()
    expect(await europe.control.accountByCanonicalId(account.canonicalId)).toBeUndefined()
    expect(await europe.control.accessKey(key(1).accessKeyId)).toBeUndefined()
    expect(await code(europe.control.changeIdentities(ofAccount))).toBe('NoSuchEntity')
  })
})

describe('what a change names', () => {
  it('must be there', async () => {
    await create(home, user('ann'))
    expect(await code(edit(europe, user('ann'), { kind: 'addToGroup', group: 'nobody' }))).toBe('NoSuchEntity')
    for (const arn of [managed('none').arn, 'arn:aws:iam::aws:policy/None', managed('none').arn.replace(accountId, '999999999999')]) {
      expect(await code(edit(europe, user('ann'), { kind: 'attachPolicy', arn }))).toBe('NoSuchEntity')
      expect(await code(edit(europe, user('ann'), { kind: 'setBoundary', arn }))).toBe('NoSuchEntity')
    }
    expect(await code(createKey(europe, 1, 'nobody'))).toBe('NoSuchEntity')
    expect(await code(edit(europe, user('bob'), { kind: 'untag', tagKeys: ['a'] }))).toBe('NoSuchEntity')
  })

  it('may be a policy that every account finds ready', async () => {
    await create(home, user('ann'))
    const arn = 'arn:aws:iam::aws:policy/AmazonS3FullAccess'
    await edit(europe, user('ann'), { kind: 'attachPolicy', arn })
    expect((await europe.control.policyByArn(arn))?.name).toBe('AmazonS3FullAccess')
  })

  it('is a policy under its whole ARN, path and case included', async () => {
    await create(home, { ...managed('reader'), path: '/deep/er/', arn: `arn:aws:iam::${accountId}:policy/deep/er/reader` })
    expect((await home.control.policyByArn(`arn:aws:iam::${accountId}:policy/deep/er/reader`))?.path).toBe('/deep/er/')
    for (const wrong of ['policy/reader', 'policy/deep/er/Reader', 'policy/deep/reader']) {
      expect(await home.control.policyByArn(`arn:aws:iam::${accountId}:${wrong}`)).toBeUndefined()
    }
  })
})

describe('access keys', () => {
  it('are two of a user and two of the root, in the order in which they were made', async () => {
    await create(home, user('ann'))
    for (const i of [2, 1]) await createKey(europe, i, 'ann')
    for (const i of [4, 3]) await createKey(europe, i)
    expect(await code(createKey(europe, 5, 'ann'))).toBe('LimitExceeded')
    expect(await code(createKey(europe, 5))).toBe('LimitExceeded')
    const idsOf = async (of: { accountId: string; userName?: string }) =>
      (await home.control.accessKeysOf(of)).map(({ createdMs }) => createdMs)
    expect(await idsOf({ accountId, userName: 'Ann' })).toEqual([1, 2])
    expect(await idsOf({ accountId })).toEqual([3, 4])
  })

  it('are changed for their own user alone', async () => {
    await create(home, user('ann'))
    await createKey(home, 1, 'ann')
    const { accessKeyId } = key(1)
    const change = (of: object) =>
      europe.control.changeIdentities({ kind: 'setAccessKeyStatus', accountId, accessKeyId, status: 'Inactive', ...of } as IdentityChange)
    expect(await code(change({}))).toBe('NoSuchEntity')
    expect(await code(change({ userName: 'ann', accountId: '999999999999' }))).toBe('NoSuchEntity')
    await change({ userName: 'ann' })
    expect((await europe.control.accessKey(accessKeyId))?.status).toBe('Inactive')
    expect(await code(createKey(europe, 1, 'ann'))).toBe('EntityAlreadyExists')
  })
})

describe('accounts', () => {
  const other: Account = { accountId: '000000000001', canonicalId: 'b'.repeat(64), displayName: 'other', status: 'active', createdMs: 1 }

  it('are told apart by both their ids, and listed in the order of one', async () => {
    await europe.control.changeIdentities({ kind: 'createAccount', account: other, rootKey: { ...key(1), accountId: other.accountId } })
    expect(await code(europe.control.changeIdentities({ kind: 'createAccount', account: { ...other, canonicalId: 'e'.repeat(64) } }))).toBe(
      'EntityAlreadyExists',
    )
    expect(await code(europe.control.changeIdentities({ kind: 'createAccount', account: { ...other, accountId: '000000000002' } }))).toBe(
      'EntityAlreadyExists',
    )
    expect((await europe.control.accounts({ after: '', limit: 1 })).map((one) => one.accountId)).toEqual([other.accountId])
    expect((await europe.control.accounts({ after: other.accountId, limit: 9 })).map((one) => one.accountId)).toEqual([accountId])
    expect(await europe.control.accountByCanonicalId(other.canonicalId)).toEqual(other)
  })
})

describe('what home takes from another region', () => {
  const ask = (change: object) =>
    europe.peers.to('us-east-1').request({ method: 'POST', path: 'v1/control/append', ...jsonBody({ requestId: 'r', change }) })
  const changed = (name: string, more: object) => ({ kind: 'createIdentity', identity: { ...user(name), ...more } })

  it.each<[string, object]>([
    ['an ARN of another', changed('ann', { arn: `arn:aws:iam::${accountId}:user/bob` })],
    ['a name with a slash', changed('a/b', {})],
    ['a member too many', changed('ann', { more: 1 })],
    ['a user that is in a group already', changed('ann', { groups: ['staff'] })],
    ['a path of 600 characters', changed('ann', { path: `/${'p'.repeat(600)}/` })],
    ['51 tags', changed('ann', { tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })) })],
    ['a policy of three versions', { kind: 'createIdentity', identity: { ...managed('p'), nextVersion: 4 } }],
    [
      'a policy that is AWS’s own',
      { kind: 'createIdentity', identity: { ...managed('p'), accountId: 'aws', arn: 'arn:aws:iam::aws:policy/p' } },
    ],
    ['an edit of no kind', { kind: 'editIdentity', of: { accountId, type: 'user', name: 'ann' }, edit: { kind: 'promote' } }],
    [
      'a document without end',
      {
        kind: 'editIdentity',
        of: { accountId, type: 'user', name: 'ann' },
        edit: { kind: 'putInlinePolicy', policyName: 'p', document: ' '.repeat(200_000) },
      },
    ],
    ['a key that looks like none', { kind: 'createAccessKey', key: { ...key(1), accessKeyId: '../x' } }],
    ['an account of eleven digits', { kind: 'deleteAccount', accountId: '1'.repeat(11) }],
  ])('is not %s', async (_, change) => {
    await expect(ask(change)).rejects.toMatchObject({ code: 'InvalidRequest' })
    expect(home.control.position()).toBe(2)
  })
})

describe('what may let a refused delivery through', () => {
  it('is told: edits of roles and new defaults of policies, and nothing of users', async () => {
    await create(home, user('ann'))
    await create(home, managed('reader'))
    await createRole(home, 'worker')
    const events: unknown[] = []
    home.control.onChange((event) => events.push(event))
    await edit(home, user('ann'), { kind: 'untag', tagKeys: ['a'] })
    await edit(home, managed('reader'), { kind: 'createPolicyVersion', document: policy, isDefault: false, createdMs: 1 })
    expect(events).toEqual([])
    await edit(home, role('worker'), { kind: 'attachPolicy', arn: managed('reader').arn })
    await edit(home, managed('reader'), { kind: 'setDefaultPolicyVersion', versionId: 'v2' })
    expect(events).toEqual([
      { kind: 'role', name: 'worker' },
      { kind: 'policy', name: 'reader' },
    ])
  })
})

describe('rows of before, when roles were all there was', () => {
  it('are applied as what they mean today', async () => {
    const append = (requestId: string, change: object) =>
      home.metadata.commit({ tx: 'appendControl', selfRegion: 'us-east-1', requestId, change: change as never }) // nobody writes them any more
    const { type: _, id, attachedPolicies: __, tags: ___, ...old } = role('worker')
    await append('1', { kind: 'createRole', role: { ...old, roleId: id } })
    await append('2', { kind: 'putRolePolicy', roleName: 'Worker', policyName: 'p', document: policy })
    await append('3', { kind: 'putRolePolicy', roleName: 'worker', policyName: 'q', document: policy })
    await append('4', { kind: 'deleteRolePolicy', roleName: 'worker', policyName: 'q' })
    const find = (node: Node) => node.control.identity({ accountId, type: 'role', name: 'worker' })
    expect(await find(home)).toEqual({ ...role('worker'), inlinePolicies: { p: policy } })
    // The next row wakes those who follow.
    await createRole(home, 'next')
    await eventually(
      async () => (await europe.control.identity({ accountId, type: 'role', name: 'next' })) !== undefined,
      'all rows in Europe',
    )
    expect(await find(europe)).toEqual(await find(home))
    await expect(append('5', { kind: 'deleteRole', name: 'worker' })).rejects.toBeInstanceOf(S3Error)
  })
})
