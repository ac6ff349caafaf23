import { describe, expect, it } from 'vitest'
import { HybridClock } from '../../../src/lib/hybrid-clock.ts'
import { newestVersion, versionByOrderedId } from '../../../src/metadata/tables/version-rows.ts'
import { dayMs, openAging } from './aging.ts'
import { replicationTo } from './region.ts'

const expireAfter = (days: number) => ({ Expiration: { Days: days } })
const removeAfter = (days: number, newer?: number) => ({
  NoncurrentVersionExpiration: { NoncurrentDays: days, ...(newer !== undefined && { NewerNoncurrentVersions: newer }) },
})

describe('expiry', () => {
  it('puts a marker of the bucket’s owner on top, from the midnight after so many days on', async () => {
    const aging = await openAging()
    await aging.rules(expireAfter(3))
    const id = await aging.put('key')
    aging.days(3.4)
    await aging.pass()
    expect(await aging.versions('key')).toEqual([id])
    aging.days(0.2)
    await aging.pass()
    expect(await aging.versions('key')).toEqual(['marker', id])
    const marker = await aging.metadata.read(() => newestVersion(aging.bucket.id, 'key'))
    expect(marker).toMatchObject({ isLatest: true, record: { ownerId: 'owner' }, lastModifiedMs: aging.clock.nowMs() })
    expect(await aging.metadata.read(() => versionByOrderedId(aging.bucket.id, 'key', id))).toMatchObject({
      isLatest: false,
      sinceMs: aging.clock.nowMs(),
    })
  })

  it('removes the object where the bucket has no versions, and frees its bytes', async () => {
    const aging = await openAging('Unversioned')
    await aging.rules(expireAfter(1))
    const id = await aging.put('key')
    aging.days(2)
    await aging.pass()
    expect(await aging.versions('key')).toEqual([])
    expect(await aging.region.rows('SELECT blob FROM garbage')).toEqual([{ blob: `blob-${id}` }])
  })

  it('replaces the null version with a null marker where versioning is suspended, and spares older versions', async () => {
    const aging = await openAging()
    const kept = await aging.put('key')
    await aging.metadata.commit({ tx: 'setVersioning', bucketId: aging.bucket.id, versioning: 'Suspended' })
    await aging.put('key')
    await aging.rules(expireAfter(1))
    aging.days(2)
    await aging.pass()
    expect(await aging.versions('key')).toEqual(['marker', kept])
    expect(await aging.metadata.read(() => newestVersion(aging.bucket.id, 'key'))).toMatchObject({ isNull: true, isDeleteMarker: true })
  })

  it('makes a marker that goes to no destination', async () => {
    const aging = await openAging()
    await aging.put('key')
    await aging.metadata.commit({ tx: 'setBucketSetting', bucketId: aging.bucket.id, name: 'replication', value: replicationTo('far') })
    await aging.rules(expireAfter(1))
    aging.days(2)
    await aging.pass()
    expect((await aging.versions('key'))[0]).toBe('marker')
    expect(await aging.region.rows('SELECT key FROM tasks')).toEqual([])
    expect((await aging.metadata.read(() => newestVersion(aging.bucket.id, 'key')))?.replication).toBeUndefined()
  })

  it('gives markers ids above those of keys that are ahead of the clock', async () => {
    const aging = await openAging()
    const ahead = new HybridClock({ clock: { nowMs: () => aging.clock.nowMs() + 5 * dayMs }, region: 'eu-west-1' })
    const lastModifiedMs = aging.clock.nowMs() - 9 * dayMs
    const keys = ['a', 'b', 'c', '__proto__']
    for (const key of keys) await aging.receive(key, { id: ahead.issue(), lastModifiedMs })
    await aging.receive('d', { lastModifiedMs })
    await aging.rules(expireAfter(1))
    await aging.pass()
    for (const key of [...keys, 'd']) expect((await aging.versions(key))[0]).toBe('marker')
  })
})

describe('removal', () => {
  it('counts from when the next version came', async () => {
    const aging = await openAging()
    await aging.rules(removeAfter(2))
    const first = await aging.put('key')
    aging.days(10)
    const second = await aging.put('key')
    await aging.pass()
    aging.days(2)
    await aging.pass()
    expect(await aging.versions('key')).toEqual([second, first])
    aging.days(1)
    await aging.pass()
    expect(await aging.versions('key')).toEqual([second])
  })

  it('keeps so many newer noncurrent ones, and takes the next when another comes', async () => {
    const aging = await openAging()
    await aging.rules(removeAfter(1, 2))
    const made: string[] = []
    for (let i = 0; i < 6; i++) made.unshift(await aging.put('key'))
    aging.days(2)
    await aging.pass()
    expect(await aging.versions('key')).toEqual(made.slice(0, 3))
    aging.days(1)
    await aging.pass()
    expect(await aging.versions('key')).toEqual(made.slice(0, 3))
    made.unshift(await aging.put('key'))
    await aging.pass()
    expect(await aging.versions('key')).toEqual(made.slice(0, 3))
  })

  it('of a key with thousands of versions goes on where it stood', async () => {
    const aging = await openAging()
    const made = await Promise.all(Array.from({ length: 700 }, () => aging.put('key')))
    aging.days(2)
    // As if they had been passed over while more were kept.
    await aging.rules(removeAfter(1, 100))
    await aging.pass()
    expect(await aging.versions('key')).toEqual(made.toReversed().slice(0, 101))
  })

  it('takes a marker that stands alone, however it came to', async () => {
    const aging = await openAging()
    await aging.rules({ Expiration: { ExpiredObjectDeleteMarker: true } })
    await aging.delete('alone')
    const id = await aging.put('emptied')
    await aging.delete('emptied')
    const kept = await aging.put('kept')
    await aging.delete('kept')
    await aging.put('current')
    aging.days(1)
    await aging.pass()
    expect(await aging.versions('alone')).toEqual([])
    expect(await aging.versions('emptied')).toEqual(['marker', id])
    await aging.delete('emptied', id)
    await aging.pass()
    expect(await aging.versions('emptied')).toEqual([])
    expect(await aging.versions('kept')).toEqual(['marker', kept])
    expect(await aging.versions('current')).toHaveLength(1)
  })

  it('takes old versions and then the marker above them in one pass', async () => {
    const aging = await openAging()
    await aging.rules({ ...removeAfter(1), Expiration: { ExpiredObjectDeleteMarker: true } })
    await aging.put('key')
    await aging.put('key')
    await aging.delete('key')
    aging.days(3)
    await aging.pass()
    expect(await aging.versions('key')).toEqual([])
    expect(await aging.region.rows('SELECT * FROM lifecycle_again')).toEqual([])
  })

  it('of a replica counts from the source’s date, and no delivery brings it back', async () => {
    const aging = await openAging()
    await aging.rules(removeAfter(5))
    const lastModifiedMs = aging.clock.nowMs() - 10 * dayMs
    const old = await aging.receive('key', { lastModifiedMs })
    const current = await aging.receive('key', { lastModifiedMs: lastModifiedMs + dayMs })
    await aging.pass()
    expect(await aging.versions('key')).toEqual([current])
    await aging.receive('key', { id: old, lastModifiedMs })
    expect(await aging.versions('key')).toEqual([current])
  })

  it('counts what it did and the bytes that it freed', async () => {
    const aging = await openAging()
    await aging.rules({ ...removeAfter(1), ...expireAfter(5) })
    await aging.put('key')
    await aging.put('key')
    aging.days(7)
    await aging.pass()
    const [counted] = await aging.region.rows('SELECT * FROM lifecycle_passes')
    expect(counted).toMatchObject({ expired: 1, removed: 1, transitioned: 0, aborted: 0, freed_bytes: 10, moved_bytes: 0 })
    expect(counted?.['ended_ms']).toBe(aging.clock.nowMs())
  })
})

describe('a transition', () => {
  const toGlacier = { Transition: [{ Days: 2, StorageClass: 'GLACIER' }] } as const

  it('asks the mover once, and for a colder class in place of it', async () => {
    const aging = await openAging()
    await aging.rules({ Transition: [...toGlacier.Transition, { Days: 95, StorageClass: 'DEEP_ARCHIVE' }] })
    await aging.put('key')
    const moves = () => aging.region.rows('SELECT key, kind, storage_class, created_ms FROM moves')
    aging.days(3)
    await aging.pass()
    const askedMs = aging.clock.nowMs()
    expect(await moves()).toEqual([{ key: 'key', kind: 'store', storage_class: 'GLACIER', created_ms: askedMs }])
    aging.days(1)
    await aging.rules({ Transition: [...toGlacier.Transition, { Days: 96, StorageClass: 'DEEP_ARCHIVE' }] })
    await aging.pass()
    expect(await moves()).toEqual([{ key: 'key', kind: 'store', storage_class: 'GLACIER', created_ms: askedMs }])
    aging.days(100)
    await aging.pass()
    expect(await moves()).toMatchObject([{ storage_class: 'DEEP_ARCHIVE' }])
  })
})

describe('open uploads', () => {
  it('are aborted when they are older than the rule of their prefix allows', async () => {
    const aging = await openAging()
    const { metadata, bucket } = aging
    const upload = (id: string, key: string) =>
      metadata.commit({
        tx: 'createUpload',
        id,
        bucketId: bucket.id,
        key,
        record: {
          ownerId: 'owner',
          storageClass: 'STANDARD',
          system: { contentType: '' },
          user: [],
          tags: [],
          acl: [],
          isEncrypted: false,
          checksum: { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', isGiven: false },
        },
      })
    await upload('old', 'logs/a')
    await upload('other', 'data/a')
    await metadata.commit({
      tx: 'putPart',
      bucketId: bucket.id,
      key: 'logs/a',
      uploadId: 'old',
      part: { number: 1, blob: 'part', size: 7, etag: 'e' },
    })
    aging.days(2)
    await upload('new', 'logs/b')
    await aging.rules({ Filter: { Prefix: 'logs/' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } })
    await aging.pass()
    expect(await aging.region.rows('SELECT id FROM uploads ORDER BY id')).toEqual([{ id: 'new' }, { id: 'other' }])
    expect(await aging.region.rows('SELECT blob FROM garbage')).toEqual([{ blob: 'part' }])
    expect(await aging.region.rows('SELECT aborted, freed_bytes FROM lifecycle_passes')).toEqual([{ aborted: 1, freed_bytes: 7 }])
  })
})
