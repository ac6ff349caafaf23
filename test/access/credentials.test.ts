import { beforeEach, describe, expect, it } from 'vitest'
import type { KeyPair } from '../../src/access/access-keys.ts'
import { isPrincipal, type Principal } from '../../src/access/caller.ts'
import { readPolicies } from '../../src/access/holders.ts'
import { permissionsVerdict } from '../../src/access/permissions.ts'
import type { TemporaryKey } from '../../src/access/session-tokens.ts'
import { createSessions } from '../../src/access/session-tokens.ts'
import { type Row, type Steps, statement } from '../../src/metadata/steps.ts'
import { accountId, canonicalId, groupOf, Identities, policyOf, roleOf, root, userOf } from './identities.ts'

let identities: Identities
let rootKey: KeyPair
beforeEach(async () => {
  ;({ identities, rootKey } = await Identities.open())
})

const find = ({ accessKeyId, sessionToken }: { accessKeyId: string; sessionToken?: string }) =>
  identities.keys.find({ accessKeyId, sessionToken })

async function principal(key: { accessKeyId: string; sessionToken?: string }): Promise<Principal> {
  const caller = (await find(key))?.caller
  if (caller === undefined || !isPrincipal(caller)) throw new Error('nobody has that key')
  return caller
}

const may = async (key: { accessKeyId: string; sessionToken?: string }, action: string) =>
  permissionsVerdict(await principal(key), { action, resource: 'arn:aws:s3:::bucket' })

describe('the key of the configuration', () => {
  it('is the root of the first account, whatever the rows say', async () => {
    expect(await find({ accessKeyId: root.rootAccessKeyId })).toMatchObject({
      secretAccessKey: root.rootSecretAccessKey,
      caller: { kind: 'root', accountId: root.accountId, canonicalId: root.canonicalId, arn: `arn:aws:iam::${root.accountId}:root` },
    })
  })

  it('leaves those of other regions as they were', async () => {
    expect((await find({ accessKeyId: 'farshore-peer-x' }))?.caller).toEqual({ kind: 'peer', region: 'x' })
  })
})

describe('a key of an account', () => {
  it('is the root of its own account', async () => {
    expect(await find(rootKey)).toEqual({
      secretAccessKey: rootKey.secretAccessKey,
      caller: {
        kind: 'root',
        accountId,
        canonicalId,
        accessKeyId: rootKey.accessKeyId,
        arn: `arn:aws:iam::${accountId}:root`,
        userId: accountId,
        permissions: { identity: [] },
      },
    })
  })

  it('is nobody once the account is disabled, and again the root when it is enabled', async () => {
    await identities.change({ kind: 'changeAccount', accountId, set: { status: 'disabled' } })
    expect(await find(rootKey)).toBeUndefined()
    await identities.change({ kind: 'changeAccount', accountId, set: { status: 'active' } })
    expect(await find(rootKey)).toBeDefined()
  })

  it('is gone with the account', async () => {
    await identities.change({ kind: 'deleteAccount', accountId })
    expect(await find(rootKey)).toBeUndefined()
  })

  it.each(['AKIA', 'nobody', `AKIA${'A'.repeat(16)}`, `ASIA${'A'.repeat(16)}`, '__proto__'])('is not %s', async (accessKeyId) => {
    expect(await find({ accessKeyId, sessionToken: 'x' })).toBeUndefined()
  })

  it('keeps its secret sealed in the row', async () => {
    const rows = await identities.metadata.read(function* (): Steps<readonly Row[]> {
      return yield statement('SELECT * FROM access_keys')
    })
    expect(JSON.stringify(rows)).toContain(rootKey.accessKeyId)
    expect(JSON.stringify(rows)).not.toContain(rootKey.secretAccessKey)
  })
})

describe('a key of a user', () => {
  let key: KeyPair
  beforeEach(async () => {
    await identities.create(userOf('ann'))
    key = await identities.key('ann')
  })
  const inline = (document: string) => identities.edit(userOf('ann'), { kind: 'putInlinePolicy', policyName: 'p', document })
  const status = (to: 'Active' | 'Inactive') =>
    identities.change({ kind: 'setAccessKeyStatus', accountId, userName: 'ann', accessKeyId: key.accessKeyId, status: to })

  it('is the user, with the secret that was shown', async () => {
    const found = await find(key)
    expect(found?.secretAccessKey).toBe(key.secretAccessKey)
    expect(found?.caller).toMatchObject({
      kind: 'user',
      accountId,
      canonicalId,
      arn: userOf('ann').arn,
      userId: 'AIDAann',
      userName: 'ann',
    })
  })

  it('opens nothing while it is inactive, and after it is deleted', async () => {
    await status('Inactive')
    expect(await find(key)).toBeUndefined()
    await status('Active')
    expect(await find(key)).toBeDefined()
    await identities.change({ kind: 'deleteAccessKey', accountId, userName: 'ann', accessKeyId: key.accessKeyId })
    expect(await find(key)).toBeUndefined()
  })

  it('may do what its own, attached and group policies say together', async () => {
    expect(await may(key, 's3:ListBucket')).toBe('implicitDeny')
    await inline(policyOf('Allow', 's3:ListBucket'))
    expect(await may(key, 's3:ListBucket')).toBe('allow')
    await identities.edit(userOf('ann'), {
      kind: 'attachPolicy',
      arn: await identities.policy('tagger', policyOf('Allow', 's3:PutBucketTagging')),
    })
    expect(await may(key, 's3:PutBucketTagging')).toBe('allow')
    await identities.create(groupOf('staff'))
    await identities.edit(userOf('ann'), { kind: 'addToGroup', group: 'Staff' })
    await identities.edit(
      { type: 'group', name: 'staff' },
      { kind: 'putInlinePolicy', policyName: 'no', document: policyOf('Deny', 's3:List*') },
    )
    expect(await may(key, 's3:ListBucket')).toBe('explicitDeny')
    await identities.edit(userOf('ann'), { kind: 'removeFromGroup', group: 'STAFF' })
    expect(await may(key, 's3:ListBucket')).toBe('allow')
  })

  it('follows the default version of an attached policy', async () => {
    const arn = await identities.policy('versioned', policyOf('Allow', 's3:ListBucket'))
    await identities.edit(userOf('ann'), { kind: 'attachPolicy', arn })
    expect(await may(key, 's3:ListBucket')).toBe('allow')
    const document = policyOf('Deny', '*')
    await identities.edit({ type: 'policy', name: 'versioned' }, { kind: 'createPolicyVersion', document, isDefault: true, createdMs: 2 })
    expect(await may(key, 's3:ListBucket')).toBe('explicitDeny')
    await identities.edit({ type: 'policy', name: 'versioned' }, { kind: 'setDefaultPolicyVersion', versionId: 'v1' })
    expect(await may(key, 's3:ListBucket')).toBe('allow')
  })

  it('stays within its boundary', async () => {
    await identities.edit(userOf('ann'), { kind: 'attachPolicy', arn: 'arn:aws:iam::aws:policy/AdministratorAccess' })
    expect(await may(key, 's3:DeleteBucket')).toBe('allow')
    await identities.edit(userOf('ann'), { kind: 'setBoundary', arn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' })
    expect(await may(key, 's3:DeleteBucket')).toBe('implicitDeny')
    expect(await may(key, 's3:ListBucket')).toBe('allow')
    await identities.edit(userOf('ann'), { kind: 'setBoundary' })
    expect(await may(key, 's3:DeleteBucket')).toBe('allow')
  })

  it('is denied everything by a policy that cannot be read', () => {
    const identity = readPolicies([policyOf('Allow', '*'), '{'])
    expect(permissionsVerdict({ kind: 'user', permissions: { identity } }, { action: 's3:GetObject', resource: '*' })).toBe('explicitDeny')
  })

  it('is read once for each state of the rows', async () => {
    expect(await find(key)).toBe(await find(key))
  })
})

describe('temporary credentials', () => {
  const ofRole = { kind: 'role', accountId, name: 'worker', id: 'AROAworker' } as const
  beforeEach(async () => {
    await identities.create(roleOf('worker'))
    await identities.edit(roleOf('worker'), { kind: 'putInlinePolicy', policyName: 'p', document: policyOf('Allow', 's3:*') })
  })

  it('are a session of the role, in every region that has the secret', async () => {
    const key = identities.issue(ofRole)
    expect(key.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/)
    expect(await find(key)).toMatchObject({
      secretAccessKey: key.secretAccessKey,
      sessionToken: key.sessionToken,
      expiresMs: key.expiresMs,
    })
    expect(await principal(key)).toMatchObject({
      kind: 'session',
      accountId,
      canonicalId,
      arn: `arn:aws:sts::${accountId}:assumed-role/worker/me`,
      userId: 'AROAworker:me',
      session: { issuerArn: roleOf('worker').arn, issuerId: roleOf('worker').id, kind: 'role', expiresMs: key.expiresMs },
    })
    expect(await may(key, 's3:ListBucket')).toBe('allow')
    expect(await may(key, 'iam:ListUsers')).toBe('implicitDeny')
  })

  it('are none with a token that is altered, of another key, of another deployment or left out', async () => {
    const key = identities.issue(ofRole)
    const other = identities.issue(ofRole)
    const at = (i: number) => `${key.sessionToken.slice(0, i)}${key.sessionToken[i] === 'A' ? 'B' : 'A'}${key.sessionToken.slice(i + 1)}`
    for (const i of [0, 20, 60, key.sessionToken.length - 2]) expect(await find({ ...key, sessionToken: at(i) })).toBeUndefined()
    expect(await find({ ...key, sessionToken: `${key.sessionToken}=` })).toBeUndefined()
    expect(await find({ ...key, sessionToken: other.sessionToken })).toBeUndefined()
    expect(await find({ accessKeyId: key.accessKeyId })).toBeUndefined()
    const foreign = createSessions({ secret: 'another' }).issueSession({ issuer: ofRole, durationSeconds: 900, nowMs: 1 })
    expect(await find(foreign)).toBeUndefined()
    expect(await find({ ...key, sessionToken: 'x'.repeat(20_000) })).toBeUndefined()
  })

  it('tell of their end, also after it', async () => {
    const key = identities.sessions.issueSession({ issuer: ofRole, sessionName: 'me', durationSeconds: 1, nowMs: 1_000 })
    expect((await find(key))?.expiresMs).toBe(2_000)
  })

  it('end with the role, also when one of the same name is made', async () => {
    const key = identities.issue(ofRole)
    await identities.edit(roleOf('worker'), { kind: 'deleteInlinePolicy', policyName: 'p' })
    expect(await may(key, 's3:ListBucket')).toBe('implicitDeny')
    await identities.delete(roleOf('worker'))
    expect(await find(key)).toBeUndefined()
    await identities.create(roleOf('worker', 'AROAanother'))
    expect(await find(key)).toBeUndefined()
  })

  it('end while the account is disabled', async () => {
    const key = identities.issue(ofRole)
    await identities.change({ kind: 'changeAccount', accountId, set: { status: 'disabled' } })
    expect(await find(key)).toBeUndefined()
  })

  it('are narrowed by session policies, given or managed', async () => {
    const given = identities.issue(ofRole, { policies: [policyOf('Allow', 's3:ListBucket')] })
    expect([await may(given, 's3:ListBucket'), await may(given, 's3:DeleteBucket')]).toEqual(['allow', 'implicitDeny'])
    const arn = await identities.policy('narrow', policyOf('Allow', 's3:DeleteBucket'))
    const managed = identities.issue(ofRole, { policyArns: [arn] })
    expect([await may(managed, 's3:ListBucket'), await may(managed, 's3:DeleteBucket')]).toEqual(['implicitDeny', 'allow'])
    await identities.delete({ type: 'policy', name: 'narrow' })
    expect(await may(managed, 's3:DeleteBucket')).toBe('explicitDeny')
  })

  it('are limited in what they carry', () => {
    expect(() => identities.issue(ofRole, { policies: ['x'.repeat(2_049)] })).toThrow(expect.objectContaining({ code: 'ValidationError' }))
    const policyArns = Array.from({ length: 10 }, () => `arn:aws:iam::${accountId}:policy/${'p'.repeat(2000)}`)
    expect(() => identities.issue(ofRole, { policyArns })).toThrow(expect.objectContaining({ code: 'PackedPolicyTooLarge' }))
  })

  it('of a user are the user, of the root whoever may do everything, of the federated what both allow', async () => {
    await identities.create(userOf('ann'))
    await identities.edit(userOf('ann'), { kind: 'putInlinePolicy', policyName: 'p', document: policyOf('Allow', 's3:List*') })
    const user = { kind: 'user', accountId, name: 'ann', id: 'AIDAann' } as const
    expect(await principal(identities.issue(user))).toMatchObject({
      kind: 'session',
      arn: userOf('ann').arn,
      userId: 'AIDAann',
      userName: 'ann',
    })
    const asRoot: TemporaryKey = identities.issue({ kind: 'root', accountId, id: accountId })
    expect(await principal(asRoot)).toMatchObject({ kind: 'session', arn: `arn:aws:iam::${accountId}:root`, userId: accountId })
    expect(await may(asRoot, 'iam:CreateUser')).toBe('allow')
    const bare = identities.issue({ ...user, kind: 'federated' })
    expect(await principal(bare)).toMatchObject({ arn: `arn:aws:sts::${accountId}:federated-user/me`, userId: `${accountId}:me` })
    expect(await may(bare, 's3:ListBucket')).toBe('implicitDeny')
    const given = identities.issue({ ...user, kind: 'federated' }, { policies: [policyOf('Allow', 's3:*')] })
    expect([await may(given, 's3:ListBucket'), await may(given, 's3:DeleteBucket')]).toEqual(['allow', 'implicitDeny'])
  })
})
