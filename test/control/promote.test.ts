import { cp, rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { healthOf } from '../../src/region/front.ts'
import { alike, bucketOf, createRole, Deployment, eventually, makeAccount, type Node, refusal, rowsOf } from './nodes.ts'

const patienceMs = 3_000

let deployment: Deployment
let home: Node
let europe: Node
let asia: Node
beforeEach(async () => {
  deployment = await Deployment.plan('us-east-1', 'eu-west-1', 'ap-south-1')
  home = await deployment.start('us-east-1', { patienceMs })
  europe = await deployment.start('eu-west-1', { patienceMs })
  asia = await deployment.start('ap-south-1', { patienceMs })
  await eventually(() => [europe, asia].every(({ control }) => control.position() === 1), 'the first row everywhere')
})
afterEach(() => deployment.close())

const homes = () => [home, europe, asia].filter(({ control }) => control.status().state === 'home')

describe('a promotion in order', () => {
  it('moves home, and all regions follow', async () => {
    await home.control.createBucket(bucketOf('before'))
    const promotion = await europe.control.promote({ force: false })
    expect(promotion).toEqual({ region: 'eu-west-1', epoch: 2, rows: 3, from: 'us-east-1', forced: false, lost: null })
    await home.control.createBucket(bucketOf('from-the-old-home'))
    await asia.control.createBucket(bucketOf('from-a-third'))
    await europe.control.createBucket(bucketOf('from-the-new-home'))
    await alike([home, europe, asia])
    for (const node of [home, europe, asia])
      expect(node.control.standing()).toMatchObject({ home: 'eu-west-1', epoch: 2, stopped: undefined })
    expect((await rowsOf(europe)).map(({ epoch }) => epoch)).toEqual([1, 1, 2, 2, 2, 2])
    expect(homes()).toEqual([europe])
  })

  it('loses and repeats nothing in the midst of writes from all sides', { timeout: 60_000 }, async () => {
    const nodes = [home, europe, asia]
    await makeAccount(home)
    let made = 0
    const writing = nodes.map(async (node, at) => {
      for (let i = 0; i < 40; i += 1) {
        await createRole(node, `role-${at}-${i}`)
        made += 1
      }
    })
    await eventually(() => made > 20, 'some writes')
    const promotion = await europe.control.promote({ force: false })
    await eventually(() => made > 60, 'more writes')
    await asia.control.promote({ force: false })
    await Promise.all(writing)
    expect(promotion.epoch).toBe(2)
    await alike(nodes)
    const rows = await rowsOf(home)
    expect(rows.filter(({ change }) => change.kind === 'createIdentity')).toHaveLength(120)
    expect(rows.filter(({ change }) => change.kind === 'setHome')).toHaveLength(3)
    expect(homes()).toEqual([asia])
  })

  it('is refused while the old home cannot be reached, and changes nothing', async () => {
    await deployment.stop('us-east-1')
    await eventually(() => !europe.peers.to('us-east-1').isReachable, 'Europe to find home away')
    const refused = await refusal(europe.control.promote({ force: false }))
    expect(refused.code).toBe('ServiceUnavailable')
    expect(refused.message).toContain('--force')
    expect(europe.control.standing()).toMatchObject({ home: 'us-east-1', epoch: 1 })
  })

  it('is refused while the new home lacks rows', async () => {
    await deployment.stop('eu-west-1')
    await home.control.createBucket(bucketOf('unknown-there'))
    europe = await deployment.start('eu-west-1', { withoutEngines: true })
    const refused = await refusal(europe.control.promote({ force: false }))
    expect(refused).toMatchObject({ code: 'OperationAborted', status: 409 })
    expect(refused.message).toMatch(/lacks [12] rows/)
    expect(homes()).toEqual([home])
    await home.control.createBucket(bucketOf('goes-on'))
  })

  it('finds out what came of a handover whose answer was lost', async () => {
    const link = deployment.link('us-east-1')
    await link.set({ kind: 'drop', pattern: /control\/handover/ })
    const promoting = europe.control.promote({ force: false })
    await eventually(() => link.dropped >= 1, 'the answer to be dropped')
    await link.set({ kind: 'up' })
    expect(await promoting).toMatchObject({ region: 'eu-west-1', epoch: 2, forced: false })
    await eventually(() => homes().length === 1 && homes()[0] === europe, 'one home')
    await asia.control.createBucket(bucketOf('goes-on'))
    await alike([home, europe, asia])
  })

  it('says that a region is home already', async () => {
    expect(await home.control.promote({ force: false })).toMatchObject({ region: 'us-east-1', epoch: 1, forced: false, from: 'us-east-1' })
    expect(home.control.position()).toBe(1)
  })
})

describe('a promotion by force', () => {
  it('makes a home of a region when the old one is lost, and the old one follows when it comes back without rows of its own', async () => {
    await home.control.createBucket(bucketOf('before'))
    await alike([home, europe, asia])
    await deployment.stop('us-east-1')
    const promotion = await europe.control.promote({ force: true })
    expect(promotion).toMatchObject({ region: 'eu-west-1', epoch: 2, rows: 3, from: 'us-east-1', forced: true, lost: { knownRows: 0 } })
    expect(promotion.lost?.what).toContain('us-east-1')
    await europe.control.createBucket(bucketOf('after'))
    await asia.control.createBucket(bucketOf('after-too'))
    home = await deployment.start('us-east-1', { patienceMs })
    expect(home.control.status().state).not.toBe('home')
    await home.control.createBucket(bucketOf('from-the-old-home'))
    await alike([home, europe, asia])
    expect(homes()).toEqual([europe])
  })

  it('first takes what any region still has of the old home', async () => {
    await deployment.stop('eu-west-1')
    await home.control.createBucket(bucketOf('known-in-asia'))
    await eventually(() => asia.control.position() === 2, 'the row in Asia')
    await deployment.stop('us-east-1')
    europe = await deployment.start('eu-west-1', { patienceMs })
    await eventually(() => europe.peers.to('ap-south-1').isReachable, 'Europe to reach Asia')
    expect(await europe.control.promote({ force: true })).toMatchObject({ epoch: 2, rows: 3 })
    await alike([europe, asia])
    expect(await europe.control.nameOf('known-in-asia')).toBeDefined()
  })

  it('stops an old home that comes back with changes that nobody has', async () => {
    await home.control.createBucket(bucketOf('kept'))
    await alike([home, europe, asia])
    // What it wrote before it was lost reaches nobody.
    for (const region of ['eu-west-1', 'ap-south-1']) await deployment.stop(region)
    await home.control.createBucket(bucketOf('lost'))
    await deployment.stop('us-east-1')
    europe = await deployment.start('eu-west-1', { patienceMs })
    asia = await deployment.start('ap-south-1', { patienceMs })
    await europe.control.promote({ force: true })
    await europe.control.createBucket(bucketOf('new'))

    home = await deployment.start('us-east-1', { patienceMs })
    await eventually(() => home.control.standing().stopped !== undefined, 'the old home to stop')
    expect(home.control.standing().stopped).toContain('eu-west-1 became home in epoch 2')
    expect(home.log.filter(({ level, message }) => level === 'error' && message === 'control log stopped')).toHaveLength(1)
    expect((await refusal(home.control.createBucket(bucketOf('never')))).code).toBe('ServiceUnavailable')
    expect(healthOf(home.metadata, home.control.standing().stopped)).toEqual({
      isReady: true,
      reasons: [expect.stringContaining('the control log has stopped')],
    })
    expect(await home.control.resolveBucket('kept')).toMatchObject({ state: 'active' })
    const again = await refusal(home.control.promote({ force: true }))
    expect(again.message).toContain('has another history')
    await asia.control.createBucket(bucketOf('goes-on'))
    await alike([europe, asia])
  })

  it('takes the writes from an old home that lives on, once it hears of the new one', async () => {
    await deployment.link('us-east-1').set({ kind: 'down' })
    await eventually(() => !europe.peers.to('us-east-1').isReachable, 'Europe to find home away')
    await europe.control.promote({ force: true })
    await deployment.link('us-east-1').set({ kind: 'up' })
    await eventually(() => home.control.standing().home === 'eu-west-1', 'the old home to hear of it')
    await home.control.createBucket(bucketOf('through-the-new-home'))
    await alike([home, europe, asia])
    expect(homes()).toEqual([europe])
  })

  it('is one history with a handover that the new home never heard of', async () => {
    // The old home has handed over and is gone before its last row went anywhere.
    for (const region of ['eu-west-1', 'ap-south-1']) await deployment.stop(region)
    await home.metadata.commit({ tx: 'handOverControl', selfRegion: 'us-east-1', region: 'eu-west-1', position: 1 })
    await deployment.stop('us-east-1')
    europe = await deployment.start('eu-west-1', { patienceMs })
    asia = await deployment.start('ap-south-1', { patienceMs })
    await europe.control.promote({ force: true })
    await europe.control.createBucket(bucketOf('after'))
    home = await deployment.start('us-east-1', { patienceMs })
    await alike([home, europe, asia])
    expect(await rowsOf(home)).toEqual(await rowsOf(europe))
  })

  it('stops both of two that were made home beside each other, and goes on with the one that is chosen', async () => {
    await deployment.stop('us-east-1')
    await deployment.link('eu-west-1').set({ kind: 'down' })
    await deployment.link('ap-south-1').set({ kind: 'down' })
    await eventually(() => !europe.peers.to('ap-south-1').isReachable && !asia.peers.to('eu-west-1').isReachable, 'them to be apart')
    await europe.control.promote({ force: true })
    await asia.control.promote({ force: true })
    await deployment.link('eu-west-1').set({ kind: 'up' })
    await deployment.link('ap-south-1').set({ kind: 'up' })
    await eventually(() => [europe, asia].every(({ control }) => control.standing().stopped !== undefined), 'both to stop')
    expect(await europe.control.promote({ force: true })).toMatchObject({ epoch: 3, forced: true })
    await europe.control.createBucket(bucketOf('goes-on'))
    await deployment.stop('ap-south-1')
    asia = await deployment.start('ap-south-1', { patienceMs })
    await eventually(() => asia.control.standing().stopped !== undefined, 'Asia to find its history another')
  })
})

describe('a home restored from a backup of before it was home', () => {
  it('takes its own rows back from those who have them, and is home again', async () => {
    const folder = deployment.folder('eu-west-1')
    await deployment.stop('eu-west-1')
    await cp(folder, `${folder}-backup`, { recursive: true })
    europe = await deployment.start('eu-west-1', { patienceMs })
    await europe.control.promote({ force: false })
    await europe.control.createBucket(bucketOf('after'))
    await alike([home, europe, asia])
    await deployment.stop('eu-west-1')
    await rm(folder, { recursive: true })
    await cp(`${folder}-backup`, folder, { recursive: true })
    europe = await deployment.start('eu-west-1', { patienceMs })
    await eventually(() => homes()[0] === europe, 'it to be home')
    await europe.control.createBucket(bucketOf('goes-on'))
    await alike([home, europe, asia])
  })
})
