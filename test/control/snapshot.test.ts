import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkRegion } from '../../src/check/check-region.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { controlBase } from '../../src/metadata/tables/control-epochs.ts'
import { jsonBody } from '../../src/peers/json-body.ts'
import {
  alike,
  bucketOf,
  createRole,
  Deployment,
  editRole,
  eventually,
  findRole,
  makeAccount,
  type Node,
  policy,
  refusal,
  roleKey,
  rowsOf,
} from './nodes.ts'

const trim = { keptRows: 20, keptForSlowest: 60, restMs: 50 }
const patienceMs = 1_500

let deployment: Deployment
let home: Node
let europe: Node
beforeEach(async () => {
  deployment = await Deployment.plan('us-east-1', 'eu-west-1')
  home = await deployment.start('us-east-1', { trim, patienceMs })
  europe = await deployment.start('eu-west-1', { trim, patienceMs })
  await eventually(() => europe.control.position() === 1, 'the first row in Europe')
})
afterEach(() => deployment.close())

async function baseOf(node: Node): Promise<number> {
  return (await node.metadata.read(controlBase)).position
}

async function write(node: Node, count: number): Promise<void> {
  const isFirst = (await findRole(node, 'replicator')) === undefined
  if (isFirst) {
    await makeAccount(node)
    await createRole(node, 'replicator')
  }
  const policies = Array.from(
    // The account takes a row of the count.
    { length: isFirst ? count - 1 : count },
    (_, i) => ({ kind: 'putInlinePolicy', policyName: `policy-${i % 3}`, document: policy }) as const,
  )
  await Promise.all(policies.map((edit) => editRole(node, 'replicator', edit)))
}

describe('old rows of the control log', () => {
  it('go when every region has them, in all regions, and the log goes on', async () => {
    await write(home, 60)
    await alike([home, europe])
    await eventually(async () => (await baseOf(home)) === 42 && (await baseOf(europe)) === 42, 'the old rows to go')
    expect((await rowsOf(home)).map(({ position }) => position)).toEqual(Array.from({ length: 20 }, (_, i) => 43 + i))
    await europe.control.createBucket(bucketOf('goes-on'))
    await alike([home, europe])
    await deployment.stop('us-east-1')
    home = await deployment.start('us-east-1', { trim, patienceMs })
    expect(home.control.standing()).toMatchObject({ home: 'us-east-1', epoch: 1, position: 63 })
    await home.control.createBucket(bucketOf('goes-on-too'))
    await alike([home, europe])
  })

  it('stay for a region that is away, up to a limit', async () => {
    await deployment.stop('eu-west-1')
    await write(home, 50)
    await eventually(async () => (await baseOf(home)) === 1, 'what Europe has to go')
    await write(home, 50)
    await eventually(async () => (await baseOf(home)) === 42, 'rows beyond the limit to go')
  })

  it('are not missed by a check of the folder', async () => {
    await write(home, 60)
    await eventually(async () => (await baseOf(home)) === 42, 'the old rows to go')
    await deployment.stop('us-east-1')
    const folder = deployment.folder('us-east-1')
    const { findings, checked } = await check(folder)
    expect(checked.controlRows).toBe(20)
    expect(findings.filter(({ kind }) => kind === 'control-log')).toEqual([])
  })

  it('make home refuse a request whose row may be among them', async () => {
    await write(home, 60)
    await eventually(async () => (await baseOf(home)) === 42, 'the old rows to go')
    const change = { kind: 'deleteIdentity', of: roleKey('nobody') }
    const ask = (since: number) =>
      europe.peers
        .to('us-east-1')
        .request({ method: 'POST', path: 'v1/control/append', ...jsonBody({ requestId: `r${since}`, change, since }) })
    await expect(ask(41)).rejects.toThrow('too far behind')
    await expect(ask(42)).rejects.toMatchObject({ code: 'NoSuchEntity' })
  })
})

describe('a snapshot', () => {
  it('brings a region that comes back after a long absence up to date, its buckets with it', async () => {
    const gone = await europe.control.createBucket(bucketOf('gone'))
    await europe.control.createBucket(bucketOf('stays'))
    await deployment.stop('eu-west-1')
    // What was asked by the region before it went, and answered after.
    const made = { name: 'made', id: 'b-made', region: 'eu-west-1', ownerId: 'c'.repeat(64), createdMs: 1 }
    const acl = [{ Grantee: { Type: 'CanonicalUser', ID: 'c'.repeat(64) }, Permission: 'FULL_CONTROL' }] as const
    const settings = { ownership: 'ObjectWriter', acl, tags: [{ Key: 'made', Value: 'with' }] } as const
    await home.metadata.commit({
      tx: 'appendControl',
      selfRegion: 'us-east-1',
      requestId: 'r1',
      change: { kind: 'createBucket', bucket: made, settings },
    })
    await home.metadata.commit({
      tx: 'appendControl',
      selfRegion: 'us-east-1',
      requestId: 'r2',
      change: { kind: 'deleteBucket', name: 'gone', id: gone.id },
    })
    await write(home, 100)
    await eventually(async () => (await baseOf(home)) > 6, 'its rows to go')
    europe = await deployment.start('eu-west-1', { trim, patienceMs })
    await alike([home, europe])
    expect(await baseOf(europe)).toBeGreaterThan(6)
    expect((await refusal(europe.control.resolveBucket('gone'))).code).toBe('NoSuchBucket')
    expect(await europe.control.resolveBucket('stays')).toMatchObject({ state: 'active' })
    // Its row is not kept any more, but what was asked.
    expect((await rowsOf(europe)).some(({ change }) => change.kind === 'createBucket')).toBe(false)
    expect(await europe.control.resolveBucket('made')).toMatchObject({ state: 'active', versioning: 'Unversioned', settings })
    await europe.control.createBucket(bucketOf('goes-on'))
    await alike([home, europe])
  })

  it('starts a new region', async () => {
    await europe.control.createBucket(bucketOf('in-europe'))
    await deployment.stop('eu-west-1')
    await rm(deployment.folder('eu-west-1'), { recursive: true })
    await write(home, 100)
    await eventually(async () => (await baseOf(home)) > 0, 'the first rows to go')
    europe = await deployment.start('eu-west-1', { trim, patienceMs, order: ['eu-west-1', 'us-east-1'] })
    await alike([home, europe])
    expect(europe.control.status()).toMatchObject({ state: 'following', home: 'us-east-1' })
    expect(Object.keys((await findRole(europe, 'replicator'))?.inlinePolicies ?? {})).toHaveLength(3)
    expect(await europe.control.resolveBucket('in-europe')).toMatchObject({ region: 'eu-west-1' })
    expect(await europe.control.promote({ force: false })).toMatchObject({ epoch: 2 })
    await home.control.createBucket(bucketOf('goes-on'))
    await alike([home, europe])
  })

  it('is not given to an old home with changes of its own, however long it was away', async () => {
    await deployment.stop('eu-west-1')
    await home.control.createBucket(bucketOf('lost'))
    await home.control.createBucket(bucketOf('lost-too'))
    await deployment.stop('us-east-1')
    europe = await deployment.start('eu-west-1', { trim, patienceMs })
    await europe.control.promote({ force: true })
    await write(europe, 100)
    await eventually(async () => (await baseOf(europe)) > 5, 'the rows of the parting to go')
    home = await deployment.start('us-east-1', { trim, patienceMs })
    await eventually(() => home.control.standing().stopped !== undefined, 'the old home to stop')
    expect(await home.control.nameOf('lost-too')).toBeDefined()
  })
})

/** A node keeps its metadata in the folder itself, a region one below. */
async function check(folder: string) {
  const dataDirectory = `${folder}-region`
  await cp(folder, join(dataDirectory, 'metadata'), { recursive: true })
  await mkdir(join(dataDirectory, 'blobs'))
  return checkRegion({ dataDirectory, masterKey: undefined }, { clock: systemClock, signal: new AbortController().signal })
}
