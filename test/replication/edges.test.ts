import { randomBytes } from 'node:crypto'
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  PutBucketReplicationCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { openBlobStore } from '../../src/blobs/open-blob-store.ts'
import {
  allow,
  eventually,
  type Failed,
  head,
  linkBuckets,
  objectActions,
  openPair,
  type Pair,
  putRule,
  type Rules,
  untilStatus,
  versionedBucket,
} from '../support/regions-pair.ts'

async function bytes(pair: Pair, bucket: string, key: string): Promise<Buffer> {
  const { Body } = await pair.destination.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

function tag(pair: Pair, bucket: string, key: string, value: string) {
  return pair.source.s3.send(new PutObjectTaggingCommand({ Bucket: bucket, Key: key, Tagging: { TagSet: [{ Key: 'k', Value: value }] } }))
}

/** The destination bucket goes, and one of the same name comes; the configuration is put again. */
async function putAnother(pair: Pair, of: { readonly near: string; readonly far: string; readonly role: string }): Promise<void> {
  await pair.destination.s3.send(new DeleteBucketCommand({ Bucket: of.far }))
  await versionedBucket(pair.destination, of.far)
  pair.destination.proxy.set({ kind: 'up' })
  await eventually(() => putRule(pair.source, { bucket: of.near, role: of.role, to: of.far }))
}

describe('whatever an object may carry', () => {
  it('a header of several KiB arrives', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    const CacheControl = 'x'.repeat(6000)
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'long', Body: 'x', CacheControl }))
    await untilStatus(pair.source, { bucket: near, key: 'long', status: 'COMPLETED' })
    expect((await head(pair.destination, far, 'long')).CacheControl).toBe(CacheControl)
  })

  it('a backlog whose metadata is far larger than its content drains without a refusal', { timeout: 60_000 }, async () => {
    const pair = await openPair()
    const { near } = await linkBuckets(pair)
    pair.destination.proxy.set({ kind: 'refuse' })
    const TagSet = Array.from({ length: 10 }, (_, i) => ({ Key: `${i}${'語'.repeat(100)}`, Value: '語'.repeat(256) }))
    const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`)
    for (let at = 0; at < keys.length; at += 20) {
      await Promise.all(
        keys.slice(at, at + 20).map(async (Key) => {
          await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key, Body: 'x', CacheControl: 'x'.repeat(4000) }))
          await pair.source.s3.send(new PutObjectTaggingCommand({ Bucket: near, Key, Tagging: { TagSet } }))
        }),
      )
    }
    pair.destination.proxy.set({ kind: 'up' })
    await eventually(async () => {
      const { rules } = await pair.source.admin<Rules>('/admin/v1/replication')
      expect(rules[0]?.lastError?.message ?? '').not.toContain('frame')
      expect(rules[0]?.pendingOperations).toBe(0)
    })
  })
})

describe('a destination bucket that was made anew', () => {
  it('gets what was waiting for the one before it', async () => {
    const pair = await openPair()
    const { near, far, role } = await linkBuckets(pair)
    pair.destination.proxy.set({ kind: 'refuse' })
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'waited', Body: 'words' }))
    await putAnother(pair, { near, far, role })
    await untilStatus(pair.source, { bucket: near, key: 'waited', status: 'COMPLETED' })
    expect(`${await bytes(pair, far, 'waited')}`).toBe('words')
    expect((await pair.source.admin<Rules>('/admin/v1/replication')).rules).toMatchObject([{ pendingOperations: 0, failed: 0 }])
  })

  it('gets what failed because the one before it was gone', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await pair.destination.s3.send(new DeleteBucketCommand({ Bucket: far }))
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'failed', Body: 'words' }))
    await untilStatus(pair.source, { bucket: near, key: 'failed', status: 'FAILED' })
    await versionedBucket(pair.destination, far)
    await untilStatus(pair.source, { bucket: near, key: 'failed', status: 'COMPLETED' })
    expect(`${await bytes(pair, far, 'failed')}`).toBe('words')
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'later', Body: 'more words' }))
    await untilStatus(pair.source, { bucket: near, key: 'later', status: 'COMPLETED' })
    expect(`${await bytes(pair, far, 'later')}`).toBe('more words')
    expect((await pair.source.admin<Rules>('/admin/v1/replication')).rules).toHaveLength(1)
  })

  it('is refused by name where the new one lives in the region of the source', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await pair.destination.s3.send(new DeleteBucketCommand({ Bucket: far }))
    await versionedBucket(pair.source, far)
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'stays', Body: 'words' }))
    await untilStatus(pair.source, { bucket: near, key: 'stays', status: 'FAILED' })
    const { objects } = await pair.source.admin<Failed>('/admin/v1/replication/failed')
    expect(objects.map(({ reason }) => reason)).toEqual(['DstBucketInvalidRegion'])
  })

  it('gets a large version whole when only its tags have changed', async () => {
    const pair = await openPair()
    const { near, far, role } = await linkBuckets(pair)
    const body = randomBytes(9 * 1024 * 1024)
    const { VersionId } = await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'large', Body: body }))
    await untilStatus(pair.source, { bucket: near, key: 'large', status: 'COMPLETED' })
    await pair.destination.s3.send(new DeleteObjectCommand({ Bucket: far, Key: 'large', VersionId }))
    await putAnother(pair, { near, far, role })
    await tag(pair, near, 'large', 'new')
    await untilStatus(pair.source, { bucket: near, key: 'large', status: 'COMPLETED' })
    expect((await bytes(pair, far, 'large')).equals(body)).toBe(true)
  })
})

describe('a change of tags', () => {
  it('is FAILED, and not COMPLETED, where the role may not carry tags, and heals', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    const actions = ['s3:GetReplicationConfiguration', 's3:ListBucket', ...objectActions]
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'tagged', Body: 'x' }))
    await untilStatus(pair.source, { bucket: near, key: 'tagged', status: 'COMPLETED' })
    await allow(pair, 'replicator', actions, ['s3:ReplicateTags'])
    await tag(pair, near, 'tagged', 'v')
    await untilStatus(pair.source, { bucket: near, key: 'tagged', status: 'FAILED' })
    const { objects } = await pair.source.admin<Failed>('/admin/v1/replication/failed')
    expect(objects.map(({ reason }) => reason)).toEqual(['DstPutTaggingNotPermitted'])
    await allow(pair, 'replicator', actions)
    await untilStatus(pair.source, { bucket: near, key: 'tagged', status: 'COMPLETED' })
    const { TagSet } = await pair.destination.s3.send(new GetObjectTaggingCommand({ Bucket: far, Key: 'tagged' }))
    expect(TagSet).toEqual([{ Key: 'k', Value: 'v' }])
  })

  it('that was made while the version was on its way is FAILED, and not COMPLETED, where the role may not carry it', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    const actions = ['s3:GetReplicationConfiguration', 's3:ListBucket', ...objectActions]
    await allow(pair, 'replicator', actions, ['s3:ReplicateTags'])
    pair.destination.proxy.set({ kind: 'refuse' })
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'early', Body: 'x', Tagging: 'k=first' }))
    await tag(pair, near, 'early', 'second')
    pair.destination.proxy.set({ kind: 'up' })
    await untilStatus(pair.source, { bucket: near, key: 'early', status: 'FAILED' })
    await allow(pair, 'replicator', actions)
    await untilStatus(pair.source, { bucket: near, key: 'early', status: 'COMPLETED' })
    const { TagSet } = await pair.destination.s3.send(new GetObjectTaggingCommand({ Bucket: far, Key: 'early' }))
    expect(TagSet).toEqual([{ Key: 'k', Value: 'second' }])
  })
})

describe('the order of a key', () => {
  it('holds although its versions were planned by different rules', async () => {
    const pair = await openPair()
    const { near, far, role } = await linkBuckets(pair)
    let isBroken = true
    await pair.destination.stop()
    await pair.destination.start({
      async openBlobs(options) {
        const store = await openBlobStore(options)
        const spoiled = (content: Uint8Array): Uint8Array =>
          isBroken && `${Buffer.from(content)}` === 'first' ? Buffer.from('FIRST') : content
        return { ...store, write: (content, rest) => store.write(content instanceof Uint8Array ? spoiled(content) : content, rest) }
      },
    })
    const rule = {
      Status: 'Enabled',
      DeleteMarkerReplication: { Status: 'Disabled' },
      Destination: { Bucket: `arn:aws:s3:::${far}` },
    } as const
    const Rules = [
      { ...rule, ID: 'tagged', Priority: 2, Filter: { Tag: { Key: 'k', Value: 'v' } } },
      { ...rule, ID: 'all', Priority: 1, Filter: { Prefix: '' } },
    ]
    await eventually(() =>
      pair.source.s3.send(new PutBucketReplicationCommand({ Bucket: near, ReplicationConfiguration: { Role: role, Rules } })),
    )
    pair.destination.proxy.set({ kind: 'refuse' })
    const first = await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'key', Body: 'first', Tagging: 'k=v' }))
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'key', Body: 'second' }))
    pair.destination.proxy.set({ kind: 'up' })
    await eventually(async () => {
      const { rules } = await pair.source.admin<Rules>('/admin/v1/replication')
      expect(rules.map(({ lastError }) => lastError?.code)).toContain('DstChecksumMismatch')
    })
    await expect(head(pair.destination, far, 'key')).rejects.toThrow()
    isBroken = false
    await untilStatus(pair.source, { bucket: near, key: 'key', status: 'COMPLETED' })
    await untilStatus(pair.source, { bucket: near, key: 'key', versionId: first.VersionId, status: 'COMPLETED' })
    expect(`${await bytes(pair, far, 'key')}`).toBe('second')
  })
})
