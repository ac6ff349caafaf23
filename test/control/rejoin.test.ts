import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bucketsInUse } from '../../src/metadata/tables/buckets.ts'
import {
  account,
  alike,
  bucketOf,
  createRole,
  Deployment,
  eventually,
  findRole,
  makeAccount,
  type Node,
  policy,
  refusal,
  rowsOf,
} from './nodes.ts'

const patienceMs = 3_000

let deployment: Deployment
let old: Node
let europe: Node
beforeEach(async () => {
  deployment = await Deployment.plan('us-east-1', 'eu-west-1')
  old = await deployment.start('us-east-1', { patienceMs })
  europe = await deployment.start('eu-west-1', { patienceMs })
  await makeAccount(old)
  await old.control.createBucket(bucketOf('shared'))
  await fill('shared')
  await createRole(old, 'shared')
  await alike([old, europe])
})
afterEach(() => deployment.close())

async function fill(name: string): Promise<void> {
  const bucket = await old.control.resolveBucket(name)
  await old.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
  await old.metadata.commit({ tx: 'deleteObject', bucketId: bucket.id, key: 'k', id: '1', ownerId: account.canonicalId })
}

/** What the old home does while nobody hears of it, and the new one after it; then they meet. */
async function part(atOld: () => Promise<unknown>, atNew: () => Promise<unknown>): Promise<void> {
  await deployment.stop('eu-west-1')
  await atOld()
  await deployment.stop('us-east-1')
  europe = await deployment.start('eu-west-1', { patienceMs })
  await europe.control.promote({ force: true })
  await atNew()
  old = await deployment.start('us-east-1', { patienceMs })
  await eventually(() => old.control.standing().stopped !== undefined, 'the old home to stop')
}

describe('a region that has stopped', () => {
  it('says what it alone has, and follows home again without it, its objects in place', async () => {
    const atOld = async () => {
      await old.control.createBucket(bucketOf('empty-there'))
      await old.control.createBucket(bucketOf('full-there'))
      await fill('full-there')
      await createRole(old, 'lost')
      const of = { accountId: account.accountId, type: 'role', name: 'lost' } as const
      await old.control.changeIdentities({ kind: 'editIdentity', of, edit: { kind: 'putInlinePolicy', policyName: 'p', document: policy } })
    }
    await part(atOld, () => createRole(europe, 'made-at-the-new-home'))
    const before = await rowsOf(old)
    const expected = {
      region: 'us-east-1',
      home: 'eu-west-1',
      alone: [
        'row 5: bucket empty-there made in us-east-1',
        'row 6: bucket full-there made in us-east-1',
        'row 7: role lost of account 123456789012 made',
        'row 8: role lost of account 123456789012 changed: putInlinePolicy',
      ],
      unlisted: 0,
      kept: ['full-there'],
    }
    expect(await old.control.rejoin({ discard: false })).toEqual({ ...expected, isDone: false })
    expect(await rowsOf(old)).toEqual(before)
    expect(old.control.standing().stopped).toBeDefined()

    const held = await old.metadata.read(bucketsInUse)
    expect(await old.control.rejoin({ discard: true })).toEqual({ ...expected, isDone: true })
    expect(old.control.standing()).toMatchObject({ stopped: undefined, home: 'eu-west-1', epoch: 2 })
    await alike([old, europe])
    expect(await old.metadata.read(bucketsInUse)).toEqual(held)
    expect(await europe.control.nameOf('full-there')).toMatchObject({ region: 'us-east-1', ownerId: account.canonicalId })
    expect(await old.control.resolveBucket('full-there')).toMatchObject({ state: 'active', versioning: 'Enabled' })
    expect((await refusal(old.control.resolveBucket('empty-there'))).code).toBe('NoSuchBucket')
    expect(await findRole(old, 'lost')).toBeUndefined()

    // It is a follower as any other.
    await europe.control.createBucket(bucketOf('later'))
    await old.control.createBucket(bucketOf('empty-there'))
    await alike([old, europe])
    await deployment.stop('us-east-1')
    old = await deployment.start('us-east-1', { patienceMs })
    await old.control.createBucket(bucketOf('after-a-restart'))
    await alike([old, europe])
  })

  it('stays stopped, with all that it has, when a bucket with objects cannot be told to home', async () => {
    const atOld = async () => {
      await old.control.createBucket(bucketOf('twice'))
      await fill('twice')
    }
    await part(atOld, () => europe.control.createBucket(bucketOf('twice')))
    const before = await rowsOf(old)
    const refused = await refusal(old.control.rejoin({ discard: true }))
    expect(refused).toMatchObject({
      code: 'OperationAborted',
      message: expect.stringMatching(/^Bucket twice of this region holds objects/),
    })
    expect(await rowsOf(old)).toEqual(before)
    expect(await old.control.nameOf('twice')).toMatchObject({ region: 'us-east-1' })
    expect(await old.metadata.read(bucketsInUse)).toHaveLength(2)
    expect(old.control.standing().stopped).toBeDefined()
  })

  it('stays stopped when the owner of a bucket with objects would go', async () => {
    const canonicalId = 'd'.repeat(64)
    const atOld = async () => {
      const made = { accountId: '222222222222', canonicalId, displayName: 'lost', status: 'active', createdMs: 1 } as const
      await old.control.changeIdentities({ kind: 'createAccount', account: made })
      await old.control.createBucket({ ...bucketOf('orphan'), ownerId: canonicalId })
      await fill('orphan')
    }
    await part(atOld, () => europe.control.createBucket(bucketOf('other')))
    const { alone } = await old.control.rejoin({ discard: false })
    expect(alone).toEqual(['row 5: account 222222222222 made: lost', 'row 6: bucket orphan made in us-east-1'])
    expect((await refusal(old.control.rejoin({ discard: true }))).message).toMatch(/^Bucket orphan holds objects, and its owner/)
    expect(old.control.standing().stopped).toBeDefined()
    expect(await europe.control.nameOf('orphan')).toBeUndefined()
  })

  it('has a bucket again, empty, that it alone had deleted', async () => {
    await old.control.createBucket(bucketOf('gone-there'))
    await alike([old, europe])
    const remove = async () => old.control.deleteBucket(await old.control.resolveBucket('gone-there'))
    await part(remove, () => europe.control.createBucket(bucketOf('other')))
    expect((await old.control.rejoin({ discard: true })).alone).toEqual(['row 6: bucket gone-there deleted'])
    await alike([old, europe])
    expect(await old.control.resolveBucket('gone-there')).toMatchObject({ state: 'active', versioning: 'Unversioned' })
  })

  it('is told when there is no home to come back to', async () => {
    await part(
      () => old.control.createBucket(bucketOf('lost')),
      () => Promise.resolve(),
    )
    await deployment.stop('eu-west-1')
    await eventually(() => !old.peers.to('eu-west-1').isReachable, 'the new home to be away')
    expect(await refusal(old.control.rejoin({ discard: true }))).toMatchObject({
      code: 'ServiceUnavailable',
      message: expect.stringContaining('hears of no home'),
    })
  })
})

describe('a region that has not stopped', () => {
  it('has nothing to come back from', async () => {
    for (const { control } of [old, europe]) {
      expect(await refusal(control.rejoin({ discard: true }))).toMatchObject({
        code: 'OperationAborted',
        message: expect.stringContaining('has not stopped'),
      })
    }
    await alike([old, europe])
  })
})
