import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/lib/clock.ts'
import type { Delivery } from '../../../src/metadata/tables/deliveries.ts'
import { versionByOrderedId } from '../../../src/metadata/tables/version-rows.ts'
import type { AttributeChange } from '../../../src/metadata/tables/versions.ts'
import type { Bucket } from '../../../src/model/bucket.ts'
import type { BucketObjectLock, Retention } from '../../../src/model/object-lock.ts'
import type { ObjectVersion, VersionRecord } from '../../../src/model/version.ts'
import { newVersion, openRegion, type Region } from './region.ts'

const day = 24 * 60 * 60 * 1000

class TestClock implements Clock {
  wallMs = Date.UTC(2026, 0, 1)
  realMs = 0
  nowMs = () => this.wallMs
  elapsedMs = () => this.realMs

  pass(ms: number): void {
    this.wallMs += ms
    this.realMs += ms
  }
}

async function locked(objectLock: BucketObjectLock = {}) {
  const clock = new TestClock()
  const region = await openRegion('us-east-1', undefined, clock)
  const bucket = await region.bucket('vault', { objectLock })
  return { clock, region, bucket }
}

function recordWith(id: string, lock: Pick<VersionRecord, 'retention' | 'legalHold'>): VersionRecord {
  return { ownerId: 'o', system: { contentType: 'a/b' }, user: [], tags: { stamp: id, value: [] }, acl: { stamp: id, value: [] }, ...lock }
}

async function putLocked(
  region: Region,
  bucket: Bucket,
  key: string,
  lock: { retention?: Retention; legalHold?: boolean },
): Promise<ObjectVersion> {
  const id = region.ids.issue()
  const { retention, legalHold } = lock
  const record = recordWith(id, {
    ...(retention && { retention: { stamp: id, value: retention } }),
    ...(legalHold !== undefined && { legalHold: { stamp: id, value: legalHold } }),
  })
  return (await region.put(bucket, key, { id, record })).version
}

const change = (region: Region, { bucketId, key, id }: ObjectVersion, what: AttributeChange) =>
  region.metadata.commit({ tx: 'setAttribute', bucketId, key, versionId: id, stamp: region.ids.issue(), change: what })
const remove = (region: Region, { bucketId, key, id }: ObjectVersion, bypass = false) =>
  region.metadata.commit({ tx: 'deleteVersion', bucketId, key, versionId: id, bypass })
const find = (region: Region, { bucketId, key, id }: ObjectVersion) => region.metadata.read(() => versionByOrderedId(bucketId, key, id))
const denied = { code: 'AccessDenied', message: 'Access Denied because object protected by object lock.' }

describe('a bucket that is made with Object Lock', () => {
  it('has versions from the start, and keeps both', async () => {
    const { region, bucket } = await locked()
    expect(bucket.versioning).toBe('Enabled')
    const suspended = region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Suspended' })
    await expect(suspended).rejects.toMatchObject({ code: 'InvalidBucketState' })
    const off = region.metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'objectLock', value: null })
    await expect(off).rejects.toMatchObject({ code: 'InvalidBucketState' })
  })

  it('needs versions, when it gets the lock later', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('plain')
    const lock = () => region.metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'objectLock', value: {} })
    await expect(lock()).rejects.toMatchObject({ code: 'InvalidBucketState' })
    await expect(putLocked(region, bucket, 'k', { legalHold: true })).rejects.toMatchObject({ code: 'InvalidRequest' })
    const { version } = await region.put(bucket, 'plain')
    const held = region.metadata.commit({
      tx: 'setAttribute',
      bucketId: bucket.id,
      key: 'plain',
      stamp: region.ids.issueAbove(version.id),
      change: { name: 'legalHold', value: true },
    })
    await expect(held).rejects.toMatchObject({ code: 'InvalidRequest' })
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
    await lock()
    await putLocked(region, bucket, 'k', { legalHold: true })
  })
})

describe('a locked version', () => {
  const untilMs = Date.UTC(2026, 0, 11)

  it('does not go by any transaction that takes versions away', async () => {
    const { region, bucket } = await locked()
    const version = await putLocked(region, bucket, 'k', { retention: { mode: 'COMPLIANCE', untilMs } })
    const other = await region.put(bucket, 'other')
    await expect(remove(region, version, true)).rejects.toMatchObject(denied)
    const outcomes = await region.metadata.commit({
      tx: 'deleteMany',
      deletions: [version, other.version].map(({ bucketId, key, id }) => ({ kind: 'version', bucketId, key, versionId: id, bypass: true })),
    })
    expect(outcomes).toEqual([denied, { versionId: other.version.id }])
    await expect(region.metadata.commit({ tx: 'beginDeleteBucket', bucketId: bucket.id })).rejects.toMatchObject({ code: 'BucketNotEmpty' })
    // A marker on top is no removal, and itself not locked.
    const { versionId = '' } = await region.metadata.commit({
      tx: 'deleteObject',
      bucketId: bucket.id,
      key: 'k',
      id: region.ids.issue(),
      ownerId: 'o',
    })
    await region.metadata.commit({ tx: 'deleteVersion', bucketId: bucket.id, key: 'k', versionId })
    expect(await find(region, version)).toMatchObject({ isLatest: true })
  })

  it('is not overwritten as a null version, nor removed as an unversioned object', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('plain')
    const { version } = await region.put(bucket, 'k')
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
    await region.metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'objectLock', value: {} })
    await region.metadata.commit({
      tx: 'setAttribute',
      bucketId: bucket.id,
      key: 'k',
      versionId: 'null',
      stamp: region.ids.issue(),
      change: { name: 'legalHold', value: true },
    })
    for (const versioning of ['Suspended', 'Unversioned']) {
      region.damage(`UPDATE buckets SET versioning = '${versioning}'`)
      await expect(region.put(bucket, 'k')).rejects.toMatchObject(denied)
      const deletion = { bucketId: bucket.id, key: 'k', id: region.ids.issue(), ownerId: 'o' }
      await expect(region.metadata.commit({ tx: 'deleteObject', ...deletion })).rejects.toMatchObject(denied)
      expect(await find(region, version)).toBeDefined()
      expect(await region.rows('SELECT blob FROM garbage WHERE blob = ?1', version.blob ?? '')).toEqual([])
    }
  })

  it.each(['GOVERNANCE', 'COMPLIANCE'] as const)('of %s goes when its time is over', async (mode) => {
    const { clock, region, bucket } = await locked()
    const version = await putLocked(region, bucket, 'k', { retention: { mode, untilMs: clock.wallMs + 1000 } })
    clock.pass(999)
    await expect(remove(region, version)).rejects.toMatchObject(denied)
    clock.pass(1)
    expect(await remove(region, version)).toEqual({ versionId: version.id })
  })

  it('of GOVERNANCE goes with bypass, and a held one never', async () => {
    const { region, bucket } = await locked()
    const version = await putLocked(region, bucket, 'k', { retention: { mode: 'GOVERNANCE', untilMs }, legalHold: true })
    await expect(remove(region, version)).rejects.toMatchObject(denied)
    await expect(remove(region, version, true)).rejects.toMatchObject(denied)
    await change(region, version, { name: 'legalHold', value: false })
    await expect(remove(region, version)).rejects.toMatchObject(denied)
    expect(await remove(region, version, true)).toEqual({ versionId: version.id })
  })

  it.each([
    ['$.retention', "json('7')"],
    ['$.retention', "json('null')"],
    ['$.retention', `json('{"stamp":"x","value":{"mode":"COMPLIANCE"}}')`],
    ['$.legalHold', `json('{"value":"OFF"}')`],
  ])('stays when its lock cannot be read: %s = %s', async (path, value) => {
    const { clock, region, bucket } = await locked()
    const { version } = await region.put(bucket, 'k')
    region.damage(`UPDATE versions SET record = json_set(record, '${path}', ${value})`)
    clock.pass(100_000 * day)
    await expect(remove(region, version, true)).rejects.toMatchObject(denied)
    if (path === '$.retention') {
      await expect(change(region, version, { name: 'retention', value: null, bypass: true })).rejects.toMatchObject(denied)
    }
    expect(await find(region, version)).toBeDefined()
  })

  it('has its retention changed only as its mode allows, and the change is one for its destinations', async () => {
    const { region, bucket } = await locked()
    const version = await putLocked(region, bucket, 'k', { retention: { mode: 'COMPLIANCE', untilMs } })
    const shorter = change(region, version, { name: 'retention', value: { mode: 'COMPLIANCE', untilMs: untilMs - 1 }, bypass: true })
    await expect(shorter).rejects.toMatchObject(denied)
    const longer = await change(region, version, { name: 'retention', value: { mode: 'COMPLIANCE', untilMs: untilMs + 1 }, bypass: false })
    expect(longer.record.retention?.value).toEqual({ mode: 'COMPLIANCE', untilMs: untilMs + 1 })
    expect(longer.seq).toBeGreaterThan(version.seq)
  })
})

describe('the default retention', () => {
  const defaultRetention = { mode: 'COMPLIANCE', period: { unit: 'Days', count: 10 } } as const

  it('is given to versions that say nothing, and to no marker', async () => {
    const { clock, region, bucket } = await locked({ defaultRetention })
    const { version } = await region.put(bucket, 'k')
    expect(version.record.retention).toEqual({ stamp: version.id, value: { mode: 'COMPLIANCE', untilMs: clock.wallMs + 10 * day } })
    const own = await putLocked(region, bucket, 'own', { retention: { mode: 'GOVERNANCE', untilMs: clock.wallMs + day } })
    expect(own.record.retention?.value).toEqual({ mode: 'GOVERNANCE', untilMs: clock.wallMs + day })
    await region.metadata.commit({ tx: 'deleteObject', bucketId: bucket.id, key: 'k', id: region.ids.issue(), ownerId: 'o' })
    expect(await region.rows("SELECT key FROM versions WHERE is_marker = 1 AND record LIKE '%retention%'")).toEqual([])
  })

  it('counts from the completion of a multipart upload', async () => {
    const { clock, region, bucket } = await locked({ defaultRetention })
    const uploadId = region.ids.issue()
    const checksum = { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', isGiven: false } as const
    const fixed = { ownerId: 'o', storageClass: 'STANDARD', system: { contentType: 'a/b' }, user: [], tags: [], acl: [] } as const
    const record = { ...fixed, isEncrypted: false, checksum }
    await region.metadata.commit({ tx: 'createUpload', id: uploadId, bucketId: bucket.id, key: 'k', record })
    const part = { number: 1, blob: 'part', size: 3, etag: 'e' }
    await region.metadata.commit({ tx: 'putPart', bucketId: bucket.id, key: 'k', uploadId, part })
    clock.pass(5 * day)
    const id = region.ids.issue()
    const { blob: _, ...version } = newVersion(bucket, 'k', { id, blobSet: uploadId, partCount: 1 })
    const made = await region.metadata.commit({
      tx: 'completeUpload',
      uploadId,
      version,
      parts: [part],
      outcome: { etag: 'e', asked: '[]', isEncrypted: false },
    })
    expect(made.version.record.retention?.value?.untilMs).toBe(clock.wallMs + 10 * day)
  })

  it('is not shortened by a clock that was set back', async () => {
    const { clock, region, bucket } = await locked({ defaultRetention })
    const rightMs = clock.wallMs
    clock.wallMs -= 365 * day
    const { version } = await region.put(bucket, 'k')
    expect(version.record.retention?.value?.untilMs).toBe(rightMs + 10 * day)
  })
})

describe('a clock that jumps ahead', () => {
  it('for a moment lets nothing go, and for good lets go after a day', async () => {
    const { clock, region, bucket } = await locked()
    const version = await putLocked(region, bucket, 'k', { retention: { mode: 'COMPLIANCE', untilMs: clock.wallMs + 30 * day } })
    clock.wallMs += 60 * day
    await expect(remove(region, version)).rejects.toMatchObject(denied)
    clock.wallMs -= 60 * day
    clock.pass(1000)
    await expect(remove(region, version)).rejects.toMatchObject(denied)
    clock.wallMs += 60 * day
    for (let look = 0; look < 24 * 60; look++) {
      await expect(remove(region, version)).rejects.toMatchObject(denied)
      clock.pass(60_000)
    }
    expect(await remove(region, version)).toEqual({ versionId: version.id })
  })
})

describe('a replica', () => {
  const at = Date.UTC(2026, 0, 1)
  const delivery = (
    bucket: Bucket,
    id: string,
    lock: Pick<VersionRecord, 'retention' | 'legalHold'>,
    attributesOnly = false,
  ): Delivery => ({
    sourceRegion: 'eu-west-1',
    sourceBucket: 'source',
    isFromLocked: true,
    bucketId: bucket.id,
    key: 'key',
    id,
    isDeleteMarker: false,
    size: 3,
    lastModifiedMs: 1234,
    etag: 'abc',
    storageClass: 'STANDARD',
    record: recordWith(id, lock),
    ...(!attributesOnly && { content: { kind: 'blob', blob: `blob ${id}` } }),
  })
  const receive = (region: Region, ...deliveries: Delivery[]) => region.metadata.commit({ tx: 'receiveVersions', deliveries })
  const lockOf = async (region: Region, bucket: Bucket, id: string) => {
    const version = await region.metadata.read(() => versionByOrderedId(bucket.id, 'key', id))
    return [version?.record.retention?.value, version?.record.legalHold?.value]
  }
  const defaultRetention = { mode: 'GOVERNANCE', period: { unit: 'Days', count: 10 } } as const
  const compliance = (untilMs: number): Retention => ({ mode: 'COMPLIANCE', untilMs })

  it('is not taken of a bucket with lock into one without', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('plain')
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
    expect(await receive(region, delivery(bucket, region.ids.issue(), {}))).toEqual([{ refused: 'DstBucketObjectLockConfigMissing' }])
  })

  it('has the retention of its source, and the default only where the source has none', async () => {
    const { region, bucket } = await locked({ defaultRetention })
    const [own, none, off] = [region.ids.issue(), region.ids.issue(), region.ids.issue()]
    await receive(region, delivery(bucket, own, { retention: { stamp: own, value: compliance(at + day) } }), delivery(bucket, none, {}))
    await receive(region, delivery(bucket, off, { retention: { stamp: off, value: null } }))
    expect(await lockOf(region, bucket, own)).toEqual([compliance(at + day), undefined])
    expect(await lockOf(region, bucket, none)).toEqual([{ mode: 'GOVERNANCE', untilMs: at + 10 * day }, undefined])
    expect(await lockOf(region, bucket, off)).toEqual([{ mode: 'GOVERNANCE', untilMs: at + 10 * day }, undefined])
  })

  it('keeps the default when its source, which never had a retention, says once more that it has none', async () => {
    const { region, bucket } = await locked({ defaultRetention })
    const id = region.ids.issue()
    await receive(region, delivery(bucket, id, {}))
    const none = delivery(bucket, id, { retention: { stamp: region.ids.issue(), value: null } }, true)
    for (const _ of ['told', 'told again']) {
      await receive(region, none)
      expect(await lockOf(region, bucket, id)).toEqual([{ mode: 'GOVERNANCE', untilMs: at + 10 * day }, undefined])
    }
    const removal = { tx: 'deleteVersion', bucketId: bucket.id, key: 'key', versionId: id } as const
    await expect(region.metadata.commit(removal)).rejects.toMatchObject(denied)
  })

  it('merges later changes by their stamps', async () => {
    const { region, bucket } = await locked()
    const [id, older, newer] = [region.ids.issue(), region.ids.issue(), region.ids.issue()]
    const holds = (stamp: string, value: boolean) => delivery(bucket, id, { legalHold: { stamp, value } }, true)
    await receive(region, delivery(bucket, id, { retention: { stamp: id, value: { mode: 'GOVERNANCE', untilMs: at + day } } }))
    await receive(region, holds(newer, true))
    await receive(region, holds(older, false))
    expect(await lockOf(region, bucket, id)).toEqual([{ mode: 'GOVERNANCE', untilMs: at + day }, true])
    const shorter = { retention: { stamp: newer, value: { mode: 'GOVERNANCE', untilMs: at + 1 } as const } }
    await receive(region, delivery(bucket, id, shorter, true))
    expect(await lockOf(region, bucket, id)).toEqual([{ mode: 'GOVERNANCE', untilMs: at + 1 }, true])
  })

  it('keeps COMPLIANCE that was promised here, whatever arrives', async () => {
    const { region, bucket } = await locked()
    const id = region.ids.issue()
    await receive(region, delivery(bucket, id, { retention: { stamp: id, value: compliance(at + day) } }))
    for (const value of [null, compliance(at + 1), { mode: 'GOVERNANCE', untilMs: at + 9 * day } as const]) {
      await receive(region, delivery(bucket, id, { retention: { stamp: region.ids.issue(), value } }, true))
      expect(await lockOf(region, bucket, id)).toEqual([compliance(at + day), undefined])
    }
    await receive(region, delivery(bucket, id, { retention: { stamp: region.ids.issue(), value: compliance(at + 2 * day) } }, true))
    expect(await lockOf(region, bucket, id)).toEqual([compliance(at + 2 * day), undefined])
    await expect(
      region.metadata.commit({ tx: 'deleteVersion', bucketId: bucket.id, key: 'key', versionId: id, bypass: true }),
    ).rejects.toMatchObject(denied)
  })
})

it('there is one statement in all of the code that takes versions away, behind the question about their locks', async () => {
  const found: string[] = []
  for (const entry of await readdir('src', { recursive: true })) {
    if (!entry.endsWith('.ts')) continue
    const text = await readFile(join('src', entry), 'utf8')
    for (const _ of text.matchAll(/DELETE\s+FROM\s+versions\b/gi)) found.push(entry)
  }
  expect(found).toEqual(['metadata/tables/versions.ts'])
})
