import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { jsonBody } from '../../src/peers/json-body.ts'
import {
  account,
  bucketOf,
  createRole,
  Deployment,
  deleteRole,
  editRole,
  eventually,
  findRole,
  makeAccount,
  type Node,
  policy,
  refusal,
  role,
  rowsOf,
} from './nodes.ts'

describe('the control plane of one region', () => {
  let deployment: Deployment
  beforeEach(async () => {
    deployment = await Deployment.plan('us-east-1')
  })
  afterEach(() => deployment.close())

  it('is home at once, without any peer', async () => {
    const { control } = await deployment.start('us-east-1')
    await control.createBucket(bucketOf('pictures'))
    expect(await control.resolveBucket('pictures')).toMatchObject({ name: 'pictures', region: 'us-east-1', state: 'active' })
    expect(control.status()).toMatchObject({ state: 'home', home: 'us-east-1', position: 2 })
  })

  it('goes on with its log after a restart', async () => {
    const first = await deployment.start('us-east-1')
    await first.control.createBucket(bucketOf('pictures'))
    await deployment.stop('us-east-1')
    const second = await deployment.start('us-east-1')
    expect(second.control.position()).toBe(2)
    expect((await refusal(second.control.createBucket(bucketOf('pictures')))).code).toBe('BucketAlreadyOwnedByYou')
  })

  it('makes a name free again by deleting its bucket', async () => {
    const { control } = await deployment.start('us-east-1')
    await control.createBucket(bucketOf('pictures'))
    await control.deleteBucket(await control.resolveBucket('pictures'))
    expect((await refusal(control.resolveBucket('pictures'))).code).toBe('NoSuchBucket')
    await control.createBucket(bucketOf('pictures'))
  })
})

describe('the control plane of three regions', () => {
  let deployment: Deployment
  let home: Node
  let europe: Node
  let asia: Node
  beforeEach(async () => {
    deployment = await Deployment.plan('us-east-1', 'eu-west-1', 'ap-south-1')
    home = await deployment.start('us-east-1')
    europe = await deployment.start('eu-west-1')
    asia = await deployment.start('ap-south-1')
    await eventually(() => europe.control.position() === 1 && asia.control.position() === 1, 'the first row everywhere')
  })
  afterEach(() => deployment.close())

  it('has the same rows everywhere, whoever wrote them', async () => {
    await home.control.createBucket(bucketOf('first'))
    await europe.control.createBucket(bucketOf('second'))
    await makeAccount(home)
    await createRole(asia, 'replicator')
    await editRole(europe, 'replicator', { kind: 'putInlinePolicy', policyName: '__proto__', document: policy })
    await eventually(() => [home, europe, asia].every((node) => node.control.position() === 6), 'six rows everywhere')
    const rows = await rowsOf(home)
    expect(rows.map((row) => row.change.kind)).toEqual([
      'setHome',
      'createBucket',
      'createBucket',
      'createAccount',
      'createIdentity',
      'editIdentity',
    ])
    expect(await rowsOf(europe)).toEqual(rows)
    expect(await rowsOf(asia)).toEqual(rows)
    expect(Object.keys((await findRole(asia, 'Replicator'))?.inlinePolicies ?? {})).toEqual(['__proto__'])
  })

  it('lets a region read what it has just written', async () => {
    await europe.control.createBucket(bucketOf('mine'))
    expect(await europe.control.resolveBucket('mine')).toMatchObject({
      region: 'eu-west-1',
      settings: { ownership: 'BucketOwnerEnforced' },
    })
    await makeAccount(home)
    await createRole(europe, 'replicator')
    expect(await findRole(europe, 'replicator')).toEqual(role('replicator'))
  })

  it('shows a row in the other regions within a moment', async () => {
    const waited: number[] = []
    for (let i = 0; i < 5; i += 1) {
      await home.control.createBucket(bucketOf(`bucket-${i}`))
      waited.push(await eventually(async () => (await europe.control.nameOf(`bucket-${i}`)) !== undefined, 'the name in Europe'))
    }
    expect(waited.toSorted((a, b) => a - b)[2]).toBeLessThan(100)
  })

  it('has one namespace of bucket names', async () => {
    await europe.control.createBucket({ ...bucketOf('taken'), ownerId: 'd'.repeat(64) })
    const refused = await refusal(asia.control.createBucket(bucketOf('taken')))
    expect(refused).toMatchObject({ code: 'BucketAlreadyExists', status: 409, details: { BucketName: 'taken' } })
    expect((await refusal(home.control.createBucket(bucketOf('taken')))).code).toBe('BucketAlreadyExists')
    await asia.control.createBucket(bucketOf('own'))
    expect((await refusal(europe.control.createBucket(bucketOf('own')))).code).toBe('BucketAlreadyOwnedByYou')
  })

  it('gives one of two regions the name that both want at once', async () => {
    const outcomes = await Promise.allSettled([europe, asia, home].map((node) => node.control.createBucket(bucketOf('wanted'))))
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
  })

  it('lists the buckets of all regions in the order of their names', async () => {
    await europe.control.createBucket(bucketOf('bbb'))
    await home.control.createBucket(bucketOf('aaa'))
    await asia.control.createBucket(bucketOf('ccc'))
    const page = { ownerId: 'c'.repeat(64), after: '', prefix: '', limit: 10 }
    expect((await asia.control.listBuckets(page)).map(({ name, region }) => [name, region])).toEqual([
      ['aaa', 'us-east-1'],
      ['bbb', 'eu-west-1'],
      ['ccc', 'ap-south-1'],
    ])
  })

  it('redirects to the region of a bucket', async () => {
    await europe.control.createBucket(bucketOf('far'))
    await eventually(async () => (await asia.control.nameOf('far')) !== undefined, 'the name in Asia')
    expect(await refusal(asia.control.resolveBucket('far'))).toMatchObject({
      code: 'PermanentRedirect',
      status: 301,
      headers: { 'x-amz-bucket-region': 'eu-west-1' },
      details: { Endpoint: 'eu-west-1.test:8080', Bucket: 'far' },
    })
    expect((await refusal(asia.control.resolveBucket('nowhere'))).code).toBe('NoSuchBucket')
  })

  it('knows the facts of a bucket elsewhere as they are at this moment', async () => {
    await makeAccount(europe)
    const name = await europe.control.createBucket(bucketOf('facts'))
    const facts = { bucketId: name.id, region: 'eu-west-1', objectLock: false, ownerAccountId: '123456789012' }
    expect(await asia.control.bucketFacts(name)).toEqual({ ...facts, versioning: 'Unversioned' })
    await europe.metadata.commit({ tx: 'setVersioning', bucketId: name.id, versioning: 'Enabled' })
    expect(await asia.control.bucketFacts(name)).toEqual({ ...facts, versioning: 'Enabled' })
    expect(await europe.control.bucketFacts(name)).toEqual({ ...facts, versioning: 'Enabled' })
    await europe.control.deleteBucket(await europe.control.resolveBucket('facts'))
    expect(await asia.control.bucketFacts(name)).toBeUndefined()
  })

  it('says by name which region keeps the facts from being known', async () => {
    const name = await europe.control.createBucket(bucketOf('facts'))
    await deployment.link('eu-west-1').set({ kind: 'down' })
    const refused = await refusal(asia.control.bucketFacts(name))
    expect(refused).toMatchObject({ code: 'ServiceUnavailable', status: 503 })
    expect(refused.message).toContain('eu-west-1')
  })

  it('keeps the code and the text of what home refuses', async () => {
    const refused = await refusal(editRole(europe, 'nobody', { kind: 'putInlinePolicy', policyName: 'p', document: policy }))
    expect(refused).toMatchObject({ code: 'NoSuchEntity', status: 404, message: 'The role with name nobody cannot be found.' })
    await makeAccount(home)
    await createRole(asia, 'replicator')
    expect((await refusal(createRole(europe, 'replicator'))).code).toBe('EntityAlreadyExists')
    await editRole(europe, 'replicator', { kind: 'putInlinePolicy', policyName: 'p', document: policy })
    expect((await refusal(deleteRole(europe, 'replicator'))).code).toBe('DeleteConflict')
    await editRole(europe, 'replicator', { kind: 'deleteInlinePolicy', policyName: 'p' })
    await deleteRole(europe, 'replicator')
    expect(await findRole(europe, 'replicator')).toBeUndefined()
    expect((await refusal(deleteRole(europe, 'replicator'))).code).toBe('NoSuchEntity')
  })

  it('writes no policy that cannot be read', async () => {
    await makeAccount(home)
    await createRole(europe, 'replicator')
    const refused = await refusal(editRole(europe, 'replicator', { kind: 'putInlinePolicy', policyName: 'p', document: '{' }))
    expect(refused.code).toBe('MalformedPolicyDocument')
    expect(home.control.position()).toBe(3)
  })

  it('tells listeners of roles and buckets, here and in the other regions', async () => {
    await makeAccount(home)
    const events: [string, unknown][] = []
    for (const [region, node] of [
      ['home', home],
      ['europe', europe],
    ] as const)
      node.control.onChange((event) => events.push([region, event]))
    await createRole(asia, 'replicator')
    await eventually(() => events.length === 2, 'the role')
    expect(events.toSorted()).toEqual([
      ['europe', { kind: 'role', name: 'replicator' }],
      ['home', { kind: 'role', name: 'replicator' }],
    ])
    events.length = 0
    europe.control.changed({ id: 'b1' })
    await eventually(() => events.length === 2, 'the bucket')
    expect(events.toSorted()).toEqual([
      ['europe', { kind: 'bucket', bucketId: 'b1' }],
      ['home', { kind: 'bucket', bucketId: 'b1' }],
    ])
  })

  it('keeps a notice for a region that is away', async () => {
    await deployment.link('eu-west-1').set({ kind: 'down' })
    const events: unknown[] = []
    europe.control.onChange((event) => events.push(event))
    home.control.changed({ id: 'b1' })
    await eventually(() => home.peers.to('eu-west-1').status().state !== 'closed', 'home to find Europe away')
    await deployment.link('eu-west-1').set({ kind: 'up' })
    await eventually(() => events.length === 1, 'the notice')
  })

  it('deletes a bucket of a region that is not home', async () => {
    await europe.control.createBucket(bucketOf('short-lived'))
    await europe.control.deleteBucket(await europe.control.resolveBucket('short-lived'))
    expect((await refusal(europe.control.resolveBucket('short-lived'))).code).toBe('NoSuchBucket')
    await asia.control.createBucket(bucketOf('short-lived'))
    expect(await asia.control.resolveBucket('short-lived')).toMatchObject({ region: 'ap-south-1' })
  })

  describe('what home takes from another region', () => {
    const bucket = { name: 'forged', id: 'b1', region: 'ap-south-1', ownerId: 'c'.repeat(64), createdMs: 1 }
    const ask = (change: object) =>
      europe.peers.to('us-east-1').request({ method: 'POST', path: 'v1/control/append', ...jsonBody({ requestId: 'r', change }) })

    it('is no bucket of a third region, neither made nor deleted', async () => {
      await expect(ask({ kind: 'createBucket', bucket, settings: {} })).rejects.toMatchObject({ code: 'AccessDenied' })
      const theirs = await asia.control.createBucket(bucketOf('theirs'))
      await expect(ask({ kind: 'deleteBucket', name: 'theirs', id: theirs.id })).rejects.toMatchObject({ code: 'AccessDenied' })
      expect(await home.control.nameOf('theirs')).toEqual(theirs)
      expect(home.control.position()).toBe(2)
    })

    it('is not another home, and nothing that is more or less than a change', async () => {
      await expect(ask({ kind: 'setHome', region: 'eu-west-1' })).rejects.toMatchObject({ code: 'InvalidRequest' })
      await expect(ask({ kind: 'deleteAccount' })).rejects.toMatchObject({ code: 'InvalidRequest' })
      await expect(ask({ kind: 'deleteAccount', accountId: account.accountId, more: 1 })).rejects.toMatchObject({ code: 'InvalidRequest' })
      const withPolicies = { ...role('replicator'), inlinePolicies: { p: policy } }
      await expect(ask({ kind: 'createIdentity', identity: withPolicies })).rejects.toMatchObject({ code: 'InvalidRequest' })
      expect(home.control.position()).toBe(1)
    })

    it('is nothing when it is not home, and then it says who is', async () => {
      const change = { kind: 'deleteAccount', accountId: account.accountId }
      const request = { method: 'POST', path: 'v1/control/append', ...jsonBody({ requestId: 'r', change }) } as const
      const peer = europe.peers.to('ap-south-1')
      await eventually(() => peer.isReachable, 'Europe to have heard of Asia')
      const answer = await peer.request(request)
      expect(answer.json(z.unknown())).toEqual({ outcome: 'notHome', home: 'us-east-1' })
    })
  })

  it('sends the regions that wait for a row away when it stops', async () => {
    await eventually(() => [europe, asia].every((node) => node.control.status().state === 'following'), 'both to wait')
    const began = performance.now()
    await deployment.stop('us-east-1')
    expect(performance.now() - began).toBeLessThan(450) // the server would cut them off after 500
  })
})
