/** The counters people are shown, against a full count of every version, after many operations in random order. */
import {
  type DeleteMarkerEntry,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  ListObjectVersionsCommand,
  type ObjectVersion,
  PutBucketReplicationCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFailed } from 'vitest'
import {
  allow,
  eventually,
  forbid,
  head,
  makeRole,
  objectActions,
  openPair,
  type Pair,
  type Rules,
  versionedBucket,
} from '../support/regions-pair.ts'

const rules = ['a', 'b'] as const
/** The last has no rule. */
const prefixes = [...rules, 'c'] as const
const near = 'near-shore'
const far = 'far-shore'
const needed = ['s3:GetReplicationConfiguration', 's3:ListBucket', ...objectActions]

interface Counted {
  pendingOperations: number
  pendingBytes: number
  failed: number
}

describe('pendingOperations, pendingBytes and failed', () => {
  it('equal a full count of every version after random operations, whatever happened to the region meanwhile', {
    timeout: 120_000,
  }, async () => {
    const seed = Date.now() % 1_000_000
    onTestFailed(() => {
      process.stdout.write(`seed ${seed}\n`)
    })
    const random = randomOf(seed)
    const pair = await openPair()
    await versionedBucket(pair.source, near)
    await versionedBucket(pair.destination, far)
    const role = await makeRole(pair)
    await putRules(pair, role)

    await operate(pair, random, 60)
    await expectTrue(pair)
    await expectDrained(pair)

    pair.destination.proxy.set({ kind: 'refuse' })
    await operate(pair, random, 120)
    const away = await expectTrue(pair)
    expect(away.reduce((sum, rule) => sum + rule.pendingOperations, 0)).toBeGreaterThan(10)
    expect(away.reduce((sum, rule) => sum + rule.pendingBytes, 0)).toBeGreaterThan(1000)

    await pair.source.stop()
    await pair.source.start()
    expect(await shown(pair)).toEqual(away)

    pair.destination.proxy.set({ kind: 'up' })
    await operate(pair, random, 40)
    await expectDrained(pair)

    await forbid(pair, 'replicator')
    await operate(pair, random, 80)
    const refused = await eventually(async () => {
      const counted = await expectTrue(pair)
      expect(counted.map((rule) => rule.pendingOperations)).toEqual([0, 0])
      return counted
    })
    expect(refused.reduce((sum, rule) => sum + rule.failed, 0)).toBeGreaterThan(5)

    // Some that failed wait now, and some that wait have failed before.
    pair.destination.proxy.set({ kind: 'refuse' })
    await operate(pair, random, 80)
    await expectTrue(pair)
    pair.destination.proxy.set({ kind: 'up' })
    await operate(pair, random, 20)
    await allow(pair, 'replicator', needed)
    await expectDrained(pair)
  })
})

async function putRules(pair: Pair, role: string): Promise<void> {
  const Rules = rules.map((name, i) => ({
    ID: name,
    Priority: i + 1,
    Status: 'Enabled' as const,
    Filter: { Prefix: `${name}/` },
    DeleteMarkerReplication: { Status: 'Enabled' as const },
    Destination: { Bucket: `arn:aws:s3:::${far}` },
  }))
  await pair.source.s3.send(new PutBucketReplicationCommand({ Bucket: near, ReplicationConfiguration: { Role: role, Rules } }))
}

/** Few keys, so that many versions stand in a row; several at once, so that they meet. */
async function operate(pair: Pair, random: (below: number) => number, count: number): Promise<void> {
  const { s3 } = pair.source
  const one = async (): Promise<void> => {
    const Key = `${prefixes[random(prefixes.length)]}/${random(4)}`
    const dice = random(100)
    if (dice < 45) {
      await s3.send(new PutObjectCommand({ Bucket: near, Key, Body: Buffer.alloc(random(2000), 'x') }))
      return
    }
    if (dice < 55) {
      await s3.send(new DeleteObjectCommand({ Bucket: near, Key }))
      return
    }
    const { objects, markers } = await versions(pair, 'source')
    const all = dice < 70 ? [...objects, ...markers] : objects
    const chosen = all[random(Math.max(1, all.length))]
    if (chosen === undefined) return
    const which = { Bucket: near, Key: chosen.Key, VersionId: chosen.VersionId }
    if (dice < 70) await s3.send(new DeleteObjectCommand(which))
    else if (dice < 80) await ignoringPurged(s3.send(new DeleteObjectTaggingCommand(which)))
    else
      await ignoringPurged(s3.send(new PutObjectTaggingCommand({ ...which, Tagging: { TagSet: [{ Key: 'n', Value: `${random(100)}` }] } })))
  }
  for (let done = 0; done < count; done += 4) await Promise.all([one(), one(), one(), one()])
}

/** Another of the operations that run at once may have purged the version. */
async function ignoringPurged(sent: Promise<unknown>): Promise<void> {
  await sent.catch((error: unknown) => {
    if (!(error instanceof Error && error.name === 'NoSuchVersion')) throw error
  })
}

/** Waits until both counts agree: a version may settle between one and the other, a wrong counter never mends. */
function expectTrue(pair: Pair): Promise<readonly Counted[]> {
  return eventually(async () => {
    const before = await shown(pair)
    const counted = await count(pair)
    expect(before).toEqual(counted)
    return counted
  })
}

async function expectDrained(pair: Pair): Promise<void> {
  await eventually(async () => {
    const nothing = { pendingOperations: 0, pendingBytes: 0, failed: 0 }
    expect(await shown(pair)).toEqual([nothing, nothing])
  })
  expect(await shown(pair)).toEqual(await count(pair))
  const missing = await absent(pair)
  expect([...missing]).toEqual([])
}

async function shown(pair: Pair): Promise<readonly Counted[]> {
  const answer = await pair.source.admin<Rules>('/admin/v1/replication')
  return rules.map((name) => {
    const { pendingOperations = -1, pendingBytes = -1, failed = -1 } = answer.rules.find(({ ruleId }) => ruleId === name) ?? {}
    return { pendingOperations, pendingBytes, failed }
  })
}

/** By HEAD of every object version. HEAD says nothing of a delete marker: one that is not there waits, or failed, as the sum shows. */
async function count(pair: Pair): Promise<readonly Counted[]> {
  const { objects, markers } = await versions(pair, 'source')
  const missing = await absent(pair)
  const failed = await pair.source.admin<{ objects: readonly { versionId: string }[] }>('/admin/v1/replication/failed')
  const failedIds = new Set(failed.objects.map(({ versionId }) => versionId))
  const counted = rules.map((): Counted => ({ pendingOperations: 0, pendingBytes: 0, failed: 0 }))
  const ofKey = (key = ''): Counted | undefined => counted[rules.findIndex((name) => key.startsWith(`${name}/`))]
  await Promise.all(
    objects.map(async ({ Key = '', VersionId = '', Size = 0 }) => {
      const { ReplicationStatus } = await head(pair.source, near, Key, VersionId)
      const rule = ofKey(Key)
      if (rule === undefined) {
        expect(ReplicationStatus).toBeUndefined()
        return
      }
      expect(['PENDING', 'COMPLETED', 'FAILED']).toContain(ReplicationStatus)
      expect(failedIds.has(VersionId)).toBe(ReplicationStatus === 'FAILED')
      if (ReplicationStatus === 'FAILED') rule.failed += 1
      if (ReplicationStatus !== 'PENDING') return
      rule.pendingOperations += 1
      if (missing.has(VersionId)) rule.pendingBytes += Size
    }),
  )
  for (const { Key, VersionId = '' } of markers) {
    const rule = ofKey(Key)
    if (rule === undefined || !missing.has(VersionId)) continue
    if (failedIds.has(VersionId)) rule.failed += 1
    else rule.pendingOperations += 1
  }
  return counted
}

/** Ids of versions and markers under a rule that the destination does not have. */
async function absent(pair: Pair): Promise<ReadonlySet<string>> {
  const here = await versions(pair, 'source')
  const there = await versions(pair, 'destination')
  const found = new Set([...there.objects, ...there.markers].map(({ VersionId }) => VersionId))
  const mine = [...here.objects, ...here.markers].filter(({ Key = '' }) => rules.some((name) => Key.startsWith(`${name}/`)))
  return new Set(mine.flatMap(({ VersionId }) => (VersionId === undefined || found.has(VersionId) ? [] : [VersionId])))
}

async function versions(
  pair: Pair,
  side: 'source' | 'destination',
): Promise<{ readonly objects: readonly ObjectVersion[]; readonly markers: readonly DeleteMarkerEntry[] }> {
  const page = await pair[side].s3.send(new ListObjectVersionsCommand({ Bucket: side === 'source' ? near : far }))
  expect(page.IsTruncated).toBe(false)
  return { objects: page.Versions ?? [], markers: page.DeleteMarkers ?? [] }
}

/** Mulberry32: the same numbers from the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
