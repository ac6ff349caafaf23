/**
 * Whatever is asked in whatever order, by whatever clock: what is under COMPLIANCE or held stays, as it was or more so. The history is random; its
 * seed is printed and can be given again.
 */
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/lib/clock.ts'
import { versionByOrderedId } from '../../../src/metadata/tables/version-rows.ts'
import type { Bucket } from '../../../src/model/bucket.ts'
import type { Retention } from '../../../src/model/object-lock.ts'
import type { VersionRecord } from '../../../src/model/version.ts'
import { openRegion, type Region } from './region.ts'

const steps = 3000
const hour = 60 * 60 * 1000

/** A wall clock that is wrong now and then, for a moment. */
class WildClock implements Clock {
  realMs = 0
  offMs = 0
  nowMs = () => Date.UTC(2026, 0, 1) + this.realMs + this.offMs
  elapsedMs = () => this.realMs
}

/** What the test knows to have been promised, in real time. */
interface Promised {
  readonly key: string
  readonly id: string
  untilMs: number
  isHeld: boolean
}

describe('random lock operations', () => {
  it('never let a COMPLIANCE or held version go', { timeout: 120_000 }, async () => {
    const seed = Number(process.env['FARSHORE_TEST_SEED'] ?? Date.now() % 1_000_000)
    process.stdout.write(`seed ${seed}: FARSHORE_TEST_SEED=${seed} repeats this history\n`)
    const random = mulberry32(seed)
    const clock = new WildClock()
    const region = await openRegion('us-east-1', undefined, clock)
    const bucket = await region.bucket('vault', { objectLock: {} })
    const promised = new Map<string, Promised>()
    const counts = { refused: 0, removed: 0 }
    for (let step = 0; step < steps; step++) {
      clock.realMs += Math.floor(random() * hour)
      clock.offMs = random() < 0.3 ? Math.floor((random() - 0.5) * 20_000 * hour) : 0
      await act({ region, bucket, random, clock, promised, counts })
      if (step % 50 === 49) await checkPromises(region, bucket, { clock, promised })
    }
    await checkPromises(region, bucket, { clock, promised })
    // The history says something only when both happened often.
    expect(counts.refused).toBeGreaterThan(100)
    expect(counts.removed).toBeGreaterThan(100)
  })
})

interface Scene {
  readonly region: Region
  readonly bucket: Bucket
  readonly random: () => number
  readonly clock: WildClock
  readonly promised: Map<string, Promised>
  readonly counts: { refused: number; removed: number }
}

async function act(scene: Scene): Promise<void> {
  const { region, bucket, random } = scene
  const { metadata, ids } = region
  const dice = random()
  if (dice < 0.25) return await put(scene)
  if (dice < 0.3) {
    const period = { unit: random() < 0.9 ? 'Days' : 'Years', count: 1 + Math.floor(random() * 3) } as const
    const objectLock = random() < 0.5 ? {} : { defaultRetention: { mode: pickMode(random), period } }
    await metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'objectLock', value: objectLock })
    return
  }
  if (dice < 0.33) {
    await attempt(scene, metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Suspended' }))
    await attempt(scene, metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'objectLock', value: null }))
    return
  }
  if (dice < 0.38) {
    await metadata.commit({ tx: 'deleteObject', bucketId: bucket.id, key: keyOf(random), id: ids.issue(), ownerId: 'o' })
    return
  }
  await actOnVersion(scene)
}

async function actOnVersion(scene: Scene): Promise<void> {
  const { region, bucket, random, promised } = scene
  const { metadata, ids } = region
  const rows = await region.rows('SELECT key, id FROM versions WHERE is_marker = 0')
  const row = rows[Math.floor(random() * rows.length)]
  if (row === undefined) return
  const place = { bucketId: bucket.id, key: String(row['key']), versionId: String(row['id']) }
  const known = promised.get(place.versionId)
  const dice = random()
  const bypass = random() < 0.5
  if (dice < 0.35) {
    const isRemoved = await attempt(scene, metadata.commit({ tx: 'deleteVersion', ...place, bypass }))
    if (isRemoved) forget(scene, known)
  } else if (dice < 0.5) {
    const [outcome] = await metadata.commit({ tx: 'deleteMany', deletions: [{ kind: 'version', ...place, bypass }] })
    if (outcome !== undefined && !('code' in outcome)) forget(scene, known)
    else scene.counts.refused += 1
  } else if (dice < 0.83) {
    const value = random() < 0.2 ? null : retentionOf(scene)
    const change = { name: 'retention', value, bypass } as const
    if (await attempt(scene, metadata.commit({ tx: 'setAttribute', ...place, stamp: ids.issue(), change }))) await note(scene, place)
  } else if (dice < 0.92) {
    const change = { name: 'legalHold', value: random() < 0.5 } as const
    await metadata.commit({ tx: 'setAttribute', ...place, stamp: ids.issue(), change })
    await note(scene, place)
  } else {
    await receive(scene, place)
  }
}

async function put(scene: Scene): Promise<void> {
  const { region, bucket, random } = scene
  const id = region.ids.issue()
  const record: VersionRecord = {
    ...emptyRecord(id),
    ...(random() < 0.5 && { retention: { stamp: id, value: retentionOf(scene) } }),
    ...(random() < 0.2 && { legalHold: { stamp: id, value: true } }),
  }
  const key = keyOf(random)
  await region.put(bucket, key, { id, record })
  await note(scene, { key, versionId: id })
}

/** Another region says of it what it likes. */
async function receive(scene: Scene, { key, versionId: id }: { readonly key: string; readonly versionId: string }): Promise<void> {
  const { region, bucket, random } = scene
  const stamp = region.ids.issue()
  const value = random() < 0.4 ? null : retentionOf(scene)
  const legalHold = scene.promised.get(id)?.isHeld === true
  const record = { ...emptyRecord(id), retention: { stamp, value }, legalHold: { stamp, value: legalHold } }
  const facts = { bucketId: bucket.id, key, id, isDeleteMarker: false, size: 10, lastModifiedMs: 1, etag: 'e' }
  const from = { sourceRegion: 'eu-west-1', sourceBucket: 'source', isFromLocked: true }
  await region.metadata.commit({ tx: 'receiveVersions', deliveries: [{ ...from, ...facts, storageClass: 'STANDARD', record }] })
  await note(scene, { key, versionId: id })
}

function emptyRecord(id: string): VersionRecord {
  return { ownerId: 'o', system: { contentType: 'a/b' }, user: [], tags: { stamp: id, value: [] }, acl: { stamp: id, value: [] } }
}

/** Learns what the row promises now; what was promised before must still be. */
async function note({ region, bucket, promised, clock }: Scene, { key, versionId: id }: { key: string; versionId: string }): Promise<void> {
  const version = await region.metadata.read(() => versionByOrderedId(bucket.id, key, id))
  const retention = version?.record.retention?.value
  const untilMs = retention?.mode === 'COMPLIANCE' ? retention.untilMs : 0
  const before = promised.get(id)
  if (before !== undefined && before.untilMs > realNow(clock)) expect(untilMs).toBeGreaterThanOrEqual(before.untilMs)
  promised.set(id, { key, id, untilMs, isHeld: version?.record.legalHold?.value === true })
}

function forget({ clock, promised, counts }: Scene, gone: Promised | undefined): void {
  counts.removed += 1
  if (gone === undefined) return
  expect(gone.isHeld).toBe(false)
  expect(gone.untilMs).toBeLessThanOrEqual(realNow(clock))
  promised.delete(gone.id)
}

async function checkPromises(region: Region, bucket: Bucket, { clock, promised }: Pick<Scene, 'clock' | 'promised'>): Promise<void> {
  for (const { key, id, untilMs, isHeld } of promised.values()) {
    if (!isHeld && untilMs <= realNow(clock)) continue
    const version = await region.metadata.read(() => versionByOrderedId(bucket.id, key, id))
    expect(version, `${key} ${id}`).toBeDefined()
    if (untilMs > realNow(clock)) expect(version?.record.retention?.value).toMatchObject({ mode: 'COMPLIANCE', untilMs })
  }
}

async function attempt({ counts }: Scene, work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    const { code = '' } = error as { code?: string } // whatever is thrown
    expect(['AccessDenied', 'InvalidBucketState']).toContain(code)
    counts.refused += 1
    return false
  }
}

const realNow = (clock: WildClock): number => Date.UTC(2026, 0, 1) + clock.realMs

function retentionOf({ random, clock }: Scene): Retention {
  return { mode: pickMode(random), untilMs: realNow(clock) + Math.floor((random() - 0.2) * 300) * hour }
}

const pickMode = (random: () => number): Retention['mode'] => (random() < 0.5 ? 'COMPLIANCE' : 'GOVERNANCE')
const keyOf = (random: () => number): string => `key-${Math.floor(random() * 10)}`

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
