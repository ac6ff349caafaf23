import { describe, expect, it } from 'vitest'
import { newestVersion, versionById } from '../../../src/metadata/tables/version-rows.ts'
import { scanCurrent, scanVersions } from '../../../src/metadata/tables/version-scans.ts'
import { VersionIdBehind } from '../../../src/model/version.ts'
import { newVersion, openRegion } from './region.ts'

describe('versions', () => {
  it('replaces the object of an unversioned bucket and frees its blob', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('plain')
    const first = await region.put(bucket, 'key')
    await region.put(bucket, 'key', { etag: 'second' })
    expect(await region.rows('SELECT key FROM versions')).toHaveLength(1)
    expect(await region.rows('SELECT blob FROM garbage')).toEqual([{ blob: first.version.blob }])
    expect((await region.metadata.read(() => newestVersion(bucket.id, 'key')))?.etag).toBe('second')
    expect(first.isVersioned).toBe(false)
  })

  it('keeps every version once versioning is enabled, and the null version under its name', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('versioned')
    await region.put(bucket, 'key', { etag: 'null one' })
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
    const made = await region.put(bucket, 'key', { etag: 'newer' })
    expect(made).toMatchObject({ isVersioned: true, version: { isNull: false, isLatest: true } })
    expect((await region.metadata.read(() => versionById(bucket.id, 'key', 'null')))?.etag).toBe('null one')
    expect(await region.rows('SELECT is_latest FROM versions ORDER BY id')).toEqual([{ is_latest: 1 }, { is_latest: 0 }])
  })

  it('replaces only the null version when versioning is suspended', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('suspended')
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
    const kept = await region.put(bucket, 'key')
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Suspended' })
    await region.put(bucket, 'key', { etag: 'null 1' })
    await region.put(bucket, 'key', { etag: 'null 2' })
    const versions = await region.metadata.read(() => scanVersions({ bucketId: bucket.id, from: { key: '', after: false }, limit: 10 }))
    expect(versions.map(({ etag, isNull, isLatest }) => [etag, isNull, isLatest])).toEqual([
      ['null 2', true, true],
      [kept.version.etag, false, false],
    ])
  })

  it('refuses an id that is not above the newest of its key, and changes nothing', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('clock')
    const older = region.ids.issue()
    const newest = await region.put(bucket, 'key')
    await expect(region.metadata.commit({ tx: 'putVersion', version: newVersion(bucket, 'key', { id: older }) })).rejects.toThrow(
      VersionIdBehind,
    )
    expect(await region.rows('SELECT id FROM versions')).toEqual([{ id: newest.version.id }])
  })

  it('refuses a write to a bucket that was deleted and made again under the same name', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('again')
    await region.metadata.commit({ tx: 'beginDeleteBucket', bucketId: bucket.id })
    await region.metadata.commit({
      tx: 'appendControl',
      selfRegion: 'us-east-1',
      requestId: 'delete',
      change: { kind: 'deleteBucket', name: 'again', id: bucket.id },
    })
    await region.bucket('again')
    await expect(region.put(bucket, 'key')).rejects.toMatchObject({ code: 'NoSuchBucket' })
  })

  it('puts a marker on top, takes it away again and lets the next newest be the latest', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('marked')
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
    const made = await region.put(bucket, 'key')
    const deleted = await region.metadata.commit({
      tx: 'deleteObject',
      bucketId: bucket.id,
      key: 'key',
      id: region.ids.issue(),
      ownerId: 'o',
    })
    expect(deleted).toMatchObject({ deleteMarker: true })
    expect(await region.metadata.read(() => scanCurrent({ bucketId: bucket.id, from: { key: '', after: false }, limit: 10 }))).toEqual([])
    const versionId = deleted.versionId ?? ''
    expect(await region.metadata.commit({ tx: 'deleteVersion', bucketId: bucket.id, key: 'key', versionId })).toEqual({
      deleteMarker: true,
      versionId,
    })
    const current = await region.metadata.read(() => scanCurrent({ bucketId: bucket.id, from: { key: '', after: false }, limit: 10 }))
    expect(current.map(({ id }) => id)).toEqual([made.version.id])
  })

  it('answers each of many deletions by itself, a refused one leaving the others alone', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('many')
    await region.put(bucket, 'a', { etag: 'one' })
    await region.put(bucket, 'b', { etag: 'two' })
    const common = { kind: 'object', bucketId: bucket.id, ownerId: 'o' } as const
    const outcomes = await region.metadata.commit({
      tx: 'deleteMany',
      deletions: [
        { ...common, key: 'a', id: region.ids.issue(), ifMatch: 'other' },
        { ...common, key: 'b', id: region.ids.issue() },
        { ...common, key: 'absent', id: region.ids.issue() },
      ],
    })
    expect(outcomes).toMatchObject([{ code: 'PreconditionFailed' }, {}, {}])
    expect(await region.rows('SELECT key FROM versions')).toEqual([{ key: 'a' }])
  })

  it('scans keys by their UTF-8 bytes and stops below the end', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('order')
    const keys = ['a', 'ä', 'z', '\u{ff5e}', '\u{1f600}', '\u{10ffff}']
    for (const key of [...keys].reverse()) await region.put(bucket, key)
    const all = await region.metadata.read(() => scanCurrent({ bucketId: bucket.id, from: { key: '', after: false }, limit: 10 }))
    expect(all.map(({ key }) => key)).toEqual(['a', 'z', 'ä', '\u{ff5e}', '\u{1f600}', '\u{10ffff}'])
    const some = await region.metadata.read(() =>
      scanCurrent({ bucketId: bucket.id, from: { key: 'a', after: true }, end: 'ä', limit: 10 }),
    )
    expect(some.map(({ key }) => key)).toEqual(['z'])
  })
})
