import { describe, expect, it } from 'vitest'
import type { Delivery } from '../../../src/metadata/tables/deliveries.ts'
import { newestVersion, versionByOrderedId } from '../../../src/metadata/tables/version-rows.ts'
import type { Bucket } from '../../../src/model/bucket.ts'
import { openRegion, type Region } from './region.ts'

async function destination(): Promise<{ region: Region; bucket: Bucket }> {
  const region = await openRegion('eu-west-1')
  const bucket = await region.bucket('replicas')
  await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
  return { region, bucket }
}

function delivery(bucket: Bucket, id: string, changes: Partial<Delivery> = {}): Delivery {
  return {
    sourceRegion: 'us-east-1',
    sourceBucket: 'source',
    bucketId: bucket.id,
    key: 'key',
    id,
    isDeleteMarker: false,
    size: 3,
    lastModifiedMs: 1234,
    etag: 'abc',
    storageClass: 'STANDARD',
    record: {
      ownerId: 'owner',
      system: { contentType: 'text/plain' },
      user: [['a', 'b']],
      tags: { stamp: id, value: [] },
      acl: { stamp: id, value: [] },
    },
    content: { kind: 'blob', blob: `blob ${id}` },
    ...changes,
  }
}

const receive = (region: Region, ...deliveries: Delivery[]) => region.metadata.commit({ tx: 'receiveVersions', deliveries })

describe('deliveries', () => {
  it('store a version once, however often they come', async () => {
    const { region, bucket } = await destination()
    const id = region.ids.issue()
    expect(await receive(region, delivery(bucket, id))).toEqual(['stored'])
    expect(await receive(region, delivery(bucket, id, { content: { kind: 'blob', blob: 'again' } }))).toEqual(['merged'])
    const version = await region.metadata.read(() => versionByOrderedId(bucket.id, 'key', id))
    expect(version).toMatchObject({ blob: `blob ${id}`, lastModifiedMs: 1234, replication: { role: 'replica', sourceBucket: 'source' } })
    expect(await region.rows('SELECT id FROM versions')).toHaveLength(1)
  })

  it('change the ACL of a replica only where it has the same owner', async () => {
    const { region, bucket } = await destination()
    const id = region.ids.issue()
    await receive(region, delivery(bucket, id))
    const { record } = delivery(bucket, id)
    const grant = { Grantee: { Type: 'CanonicalUser', ID: 'somebody' }, Permission: 'READ' } as const
    const acl = { stamp: region.ids.issue(), value: [grant] }
    const grantsAfter = async (ownerId: string) => {
      await receive(region, delivery(bucket, id, { record: { ...record, ownerId, acl } }))
      return (await region.metadata.read(() => versionByOrderedId(bucket.id, 'key', id)))?.record.acl.value
    }
    expect(await grantsAfter('the-source')).toEqual([])
    expect(await grantsAfter('owner')).toEqual([grant])
  })

  it('decide the latest by the highest id, whatever order they arrive in', async () => {
    const { region, bucket } = await destination()
    const older = region.ids.issue()
    const newer = region.ids.issue()
    await receive(region, delivery(bucket, newer))
    await receive(region, delivery(bucket, older))
    expect((await region.metadata.read(() => newestVersion(bucket.id, 'key')))?.id).toBe(newer)
    expect(await region.rows('SELECT id FROM versions WHERE is_latest = 1')).toEqual([{ id: newer }])
  })

  it('merge tags and ACL by their stamps, an older change never undoing a newer one', async () => {
    const { region, bucket } = await destination()
    const id = region.ids.issue()
    const older = region.ids.issue()
    const newer = region.ids.issue()
    const tagged = (stamp: string, value: string): Delivery => {
      const base = delivery(bucket, id)
      const { content: _, ...attributes } = base
      return { ...attributes, record: { ...base.record, tags: { stamp, value: [{ Key: 'k', Value: value }] } } }
    }
    await receive(region, delivery(bucket, id))
    await receive(region, tagged(newer, 'newer'))
    await receive(region, tagged(older, 'older'))
    const version = await region.metadata.read(() => versionByOrderedId(bucket.id, 'key', id))
    expect(version?.record.tags).toEqual({ stamp: newer, value: [{ Key: 'k', Value: 'newer' }] })
  })

  it('are refused by a bucket that is about to go', async () => {
    const { region, bucket } = await destination()
    await region.metadata.commit({ tx: 'beginDeleteBucket', bucketId: bucket.id })
    expect(await receive(region, delivery(bucket, region.ids.issue()))).toEqual([{ refused: 'DstBucketNotFound' }])
    expect(await region.rows('SELECT id FROM versions')).toEqual([])
  })

  it('say that the version is missing when only attributes came', async () => {
    const { region, bucket } = await destination()
    const { content: _, ...attributes } = delivery(bucket, region.ids.issue())
    expect(await receive(region, attributes)).toEqual(['missing'])
  })

  it('do not bring back a version that was deleted for good', async () => {
    const { region, bucket } = await destination()
    const id = region.ids.issue()
    await receive(region, delivery(bucket, id))
    await region.metadata.commit({ tx: 'deleteVersion', bucketId: bucket.id, key: 'key', versionId: id })
    expect(await receive(region, delivery(bucket, id, { content: { kind: 'blob', blob: 'again' } }))).toEqual(['purged'])
    expect(await region.rows('SELECT id FROM versions')).toEqual([])
  })

  it('are refused by name: no bucket of that id, versioning off, another content under the same id', async () => {
    const { region, bucket } = await destination()
    const plain = await region.bucket('plain')
    const id = region.ids.issue()
    await receive(region, delivery(bucket, id))
    expect(
      await receive(
        region,
        delivery({ ...bucket, id: 'another' }, region.ids.issue()),
        delivery(plain, region.ids.issue()),
        delivery(bucket, id, { etag: 'different' }),
      ),
    ).toEqual([{ refused: 'DstBucketNotFound' }, { refused: 'DstBucketUnversioned' }, { refused: 'DstChecksumMismatch' }])
  })
})
