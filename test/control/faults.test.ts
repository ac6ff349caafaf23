import { cp, rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deletingBuckets } from '../../src/metadata/tables/buckets.ts'
import {
  account,
  alike,
  bucketOf,
  createRole,
  Deployment,
  editRole,
  eventually,
  makeAccount,
  type Node,
  policy,
  refusal,
  rowsOf,
  signedRequest,
} from './nodes.ts'

/** Shorter than a client would be kept waiting, so that the tests are not. */
const patienceMs = 1_500
const root = { accessKeyId: account.rootAccessKeyId, secretAccessKey: account.rootSecretAccessKey }

let deployment: Deployment
let home: Node
let europe: Node
beforeEach(async () => {
  deployment = await Deployment.plan('us-east-1', 'eu-west-1')
  home = await deployment.start('us-east-1')
  europe = await deployment.start('eu-west-1', { patienceMs })
  await eventually(() => europe.control.position() === 1, 'the first row in Europe')
})
afterEach(() => deployment.close())

async function kindsAt(node: Node): Promise<readonly string[]> {
  return (await rowsOf(node)).map((row) => row.change.kind)
}

describe('a home that is away', () => {
  it('stops only writes of the control plane, which name it', async () => {
    await europe.control.createBucket(bucketOf('standing'))
    await deployment.stop('us-east-1')
    const refused = await refusal(europe.control.createBucket(bucketOf('another')))
    expect(refused).toMatchObject({ code: 'ServiceUnavailable', status: 503, details: { Region: 'us-east-1' } })
    expect(refused.message).toContain('us-east-1')
    expect(await europe.control.resolveBucket('standing')).toMatchObject({ state: 'active' })
    const { endpoint } = deployment.link('eu-west-1')
    expect(await signedRequest(endpoint, root, { method: 'GET', path: '/standing', region: 'eu-west-1' })).toMatchObject({ status: 200 })
    expect(europe.control.status()).toMatchObject({ state: 'unreachable', home: 'us-east-1', position: 2 })

    await eventually(() => europe.peers.to('us-east-1').awayMs > patienceMs, 'home to be away for long')
    // By now it has been away for so long that nobody is kept waiting for it.
    const began = performance.now()
    expect((await refusal(createRole(europe, 'replicator'))).code).toBe('ServiceUnavailable')
    expect(performance.now() - began).toBeLessThan(500)

    home = await deployment.start('us-east-1')
    await eventually(() => europe.peers.to('us-east-1').isReachable, 'home to be found again', 2_000)
    await europe.control.createBucket(bucketOf('another'))
    expect(await home.control.nameOf('another')).toMatchObject({ region: 'eu-west-1' })
  })

  it('is waited for when it comes back soon', async () => {
    await deployment.stop('eu-west-1')
    europe = await deployment.start('eu-west-1')
    await deployment.stop('us-east-1')
    const creating = europe.control.createBucket(bucketOf('patient'))
    home = await deployment.start('us-east-1')
    await creating
    expect(await europe.control.resolveBucket('patient')).toMatchObject({ name: 'patient' })
  })

  it('is followed again at once when it is back', async () => {
    await deployment.link('us-east-1').set({ kind: 'down' })
    await home.control.createBucket(bucketOf('meanwhile'))
    await eventually(() => europe.control.status().state === 'unreachable', 'Europe to notice')
    await deployment.link('us-east-1').set({ kind: 'up' })
    await eventually(async () => (await europe.control.nameOf('meanwhile')) !== undefined, 'the row', 2_000)
    expect(europe.control.status()).toMatchObject({ state: 'following', behind: 0 })
  })
})

describe('an answer of home that is lost', () => {
  it('makes one row, however often it is asked for', async () => {
    const link = deployment.link('us-east-1')
    await link.set({ kind: 'drop', pattern: /control\/append/ })
    const creating = europe.control.createBucket(bucketOf('once'))
    await eventually(() => link.dropped >= 1, 'an answer to be dropped')
    await link.set({ kind: 'up' })
    expect(await creating).toMatchObject({ name: 'once', region: 'eu-west-1' })
    expect(await kindsAt(home)).toEqual(['setHome', 'createBucket'])
    expect(link.requests.filter((line) => line.includes('append')).length).toBeGreaterThanOrEqual(2)
  })

  it('leaves the outcome unknown to a client that has waited long enough, and says so', async () => {
    await makeAccount(home)
    await deployment.link('us-east-1').set({ kind: 'drop', pattern: /control\/append/ })
    const refused = await refusal(createRole(europe, 'carried-out'))
    expect(refused).toMatchObject({ code: 'ServiceUnavailable', status: 503, details: { Region: 'us-east-1' } })
    expect(refused.message).toMatch(
      /^Region us-east-1 cannot be reached: .*\. Whether the change was made is not known: look before you try/,
    )
    expect(await kindsAt(home)).toEqual(['setHome', 'createAccount', 'createIdentity'])
  })

  it('is told from a message that never left', async () => {
    await deployment.link('us-east-1').set({ kind: 'down' })
    await eventually(() => !europe.peers.to('us-east-1').isReachable, 'home to be away')
    expect((await refusal(createRole(europe, 'never-asked-for'))).message).not.toContain('not known')
  })

  it('leaves a deletion to be ended when home is back, also over a restart', async () => {
    await europe.control.createBucket(bucketOf('going'))
    const bucket = await europe.control.resolveBucket('going')
    await deployment.link('us-east-1').set({ kind: 'drop', pattern: /control\/(append|rows)/ })
    const refused = await refusal(europe.control.deleteBucket(bucket))
    expect(refused.code).toBe('ServiceUnavailable')
    expect((await europe.metadata.read(deletingBuckets)).map(({ name }) => name)).toEqual(['going'])
    expect(await kindsAt(home)).toEqual(['setHome', 'createBucket', 'deleteBucket'])

    await deployment.stop('eu-west-1')
    await deployment.link('us-east-1').set({ kind: 'up' })
    europe = await deployment.start('eu-west-1')
    await eventually(async () => (await europe.control.nameOf('going')) === undefined, 'the name to be gone', 5_000)
    expect(await kindsAt(home)).toEqual(['setHome', 'createBucket', 'deleteBucket'])
    expect((await refusal(europe.control.resolveBucket('going'))).code).toBe('NoSuchBucket')
  })

  it('ends a deletion that never arrived, without a restart', async () => {
    await europe.control.createBucket(bucketOf('going'))
    await deployment.link('us-east-1').set({ kind: 'down' })
    await refusal(europe.control.deleteBucket(await europe.control.resolveBucket('going')))
    expect(await kindsAt(home)).toEqual(['setHome', 'createBucket'])
    await deployment.link('us-east-1').set({ kind: 'up' })
    await eventually(async () => (await home.control.nameOf('going')) === undefined, 'the name to be free', 5_000)
    await eventually(() => europe.control.status().unresolved === 0, 'nothing to be left')
  })
})

describe('a deletion that is refused', () => {
  it('leaves the bucket as it was', async () => {
    await europe.control.createBucket(bucketOf('kept'))
    const bucket = await europe.control.resolveBucket('kept')
    await deployment.stop('eu-west-1')
    const change = { kind: 'deleteBucket', name: 'kept', id: bucket.id } as const
    await home.metadata.commit({ tx: 'appendControl', selfRegion: 'us-east-1', requestId: 'somebody else', change })
    // Without its engines this region does not hear of it.
    europe = await deployment.start('eu-west-1', { withoutEngines: true })
    expect((await refusal(europe.control.deleteBucket(bucket))).code).toBe('NoSuchBucket')
    expect(await europe.control.resolveBucket('kept')).toMatchObject({ state: 'active' })
  })

  it('does not ask home about a bucket that is not empty', async () => {
    const { id } = await europe.control.createBucket(bucketOf('full'))
    await europe.metadata.commit({ tx: 'setVersioning', bucketId: id, versioning: 'Enabled' })
    await europe.metadata.commit({ tx: 'deleteObject', bucketId: id, key: 'k', id: '1', ownerId: account.canonicalId })
    const refused = await refusal(europe.control.deleteBucket(await europe.control.resolveBucket('full')))
    expect(refused.code).toBe('BucketNotEmpty')
    expect(await kindsAt(home)).toEqual(['setHome', 'createBucket'])
  })
})

describe('a history that does not fit', () => {
  const stopped = () => europe.control.status().state === 'stopped'

  it('stops a follower loudly at a row that was tampered with', async () => {
    deployment.link('us-east-1').tamper = (answer) => Buffer.from(answer.toString('latin1').replaceAll('original', 'tampered'), 'latin1')
    await home.control.createBucket(bucketOf('original'))
    await eventually(stopped, 'Europe to stop')
    expect(europe.control.status().reason).toContain('does not fit the row before it')
    expect(europe.log.filter(({ level, message }) => level === 'error' && message === 'control log stopped')).toHaveLength(1)
    expect(await europe.control.nameOf('tampered')).toBeUndefined()
    expect((await refusal(createRole(europe, 'replicator'))).message).toContain('has stopped')
    expect(home.control.position()).toBe(2)
  })

  it('stops a follower at a change that it does not know', async () => {
    deployment.link('us-east-1').tamper = (answer) =>
      Buffer.from(answer.toString('latin1').replaceAll('createAccount', 'createBecount'), 'latin1')
    await home.control.createBucket(bucketOf('before'))
    await makeAccount(home)
    await eventually(stopped, 'Europe to stop')
    expect(europe.control.status().reason).toContain('createBecount')
    expect(await europe.control.nameOf('before')).toBeDefined()
  })

  it('stops a follower that is ahead of a home restored from a backup', async () => {
    const folder = deployment.folder('us-east-1')
    await deployment.stop('us-east-1')
    await cp(folder, `${folder}-backup`, { recursive: true })
    home = await deployment.start('us-east-1')
    await home.control.createBucket(bucketOf('forgotten'))
    await eventually(() => europe.control.position() === 2, 'the row in Europe')
    await deployment.stop('us-east-1')
    await rm(folder, { recursive: true })
    await cp(`${folder}-backup`, folder, { recursive: true })
    home = await deployment.start('us-east-1')
    await eventually(stopped, 'Europe to stop')
    expect(europe.control.status().reason).toMatch(/^the histories differ: .+; see docs\/home-region\.md$/)

    // Whoever has everything is made home, and the restored one follows it.
    await europe.control.promote({ force: true })
    await alike([home, europe])
    expect(await home.control.nameOf('forgotten')).toBeDefined()
    await home.control.createBucket(bucketOf('goes-on'))
    await alike([home, europe])
  })

  it('stops a home that has lost its data, instead of beginning a second history', async () => {
    await deployment.stop('us-east-1')
    await rm(deployment.folder('us-east-1'), { recursive: true })
    home = await deployment.start('us-east-1')
    expect(home.control.status()).toMatchObject({ state: 'stopped', position: 0 })
    expect(home.control.status().reason).toContain('eu-west-1 still has 1 rows')
    expect((await refusal(home.control.createBucket(bucketOf('new')))).code).toBe('ServiceUnavailable')
  })
})

describe('a region that joins', () => {
  it('follows the home that is there, also when it stands first in its own list', async () => {
    await deployment.stop('eu-west-1')
    await rm(deployment.folder('eu-west-1'), { recursive: true })
    await makeAccount(home)
    await createRole(home, 'replicator')
    const names = Array.from({ length: 450 }, (_, i) => `policy-${i % 3}`)
    await Promise.all(names.map((name) => editRole(home, 'replicator', { kind: 'putInlinePolicy', policyName: name, document: policy })))
    europe = await deployment.start('eu-west-1', { order: ['eu-west-1', 'us-east-1'] })
    await eventually(() => europe.control.position() === home.control.position(), 'all rows in Europe')
    expect(europe.control.status()).toMatchObject({ state: 'following', home: 'us-east-1' })
    await europe.control.createBucket(bucketOf('joined'))
    expect((await kindsAt(home)).filter((kind) => kind === 'setHome')).toHaveLength(1)
  })
})
