import { DeleteRoleCommand } from '@aws-sdk/client-iam'
import { DeleteBucketCommand, GetObjectTaggingCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import {
  allow,
  eventually,
  type Failed,
  forbid,
  head,
  linkBuckets,
  objectActions,
  openPair,
  type Pair,
  type PairRegion,
  untilStatus,
} from '../support/regions-pair.ts'

async function reasonOf(region: PairRegion, key: string): Promise<string | undefined> {
  const { objects } = await region.admin<Failed>('/admin/v1/replication/failed')
  return objects.find((object) => object.key === key)?.reason
}

async function put(pair: Pair, bucket: string, key: string, more: object = {}): Promise<void> {
  await pair.source.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: key, ...more }))
}

const bucketActions = ['s3:GetReplicationConfiguration', 's3:ListBucket']

describe('the role decides, for every delivery', () => {
  it('fails the second PUT when the policy was removed between two, says why, and heals when it is back', { timeout: 90_000 }, async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await put(pair, near, 'first')
    await untilStatus(pair.source, { bucket: near, key: 'first', status: 'COMPLETED' })
    await forbid(pair, 'replicator')
    await put(pair, near, 'second')
    await untilStatus(pair.source, { bucket: near, key: 'second', status: 'FAILED' })
    expect(await reasonOf(pair.source, 'second')).toBe('InitiateReplicationNotPermitted')
    await expect(head(pair.destination, far, 'second')).rejects.toThrow()
    await allow(pair, 'replicator', [...bucketActions, ...objectActions])
    await untilStatus(pair.source, { bucket: near, key: 'second', status: 'COMPLETED', deadlineMs: 60_000 })
    expect((await head(pair.destination, far, 'second')).ReplicationStatus).toBe('REPLICA')
    expect((await pair.source.admin<Failed>('/admin/v1/replication/failed')).objects).toEqual([])
  })

  it.each([
    ['s3:ReplicateObject', 'DstPutObjectNotPermitted'],
    ['s3:GetObjectVersionForReplication', 'SrcGetObjectNotPermitted'],
    ['s3:GetObjectVersionAcl', 'SrcGetAclNotPermitted'],
  ])('fails without %s as %s', async (action, reason) => {
    const pair = await openPair()
    const { near } = await linkBuckets(pair)
    await allow(pair, 'replicator', [...bucketActions, ...objectActions.filter((one) => one !== action)])
    await put(pair, near, 'refused')
    await untilStatus(pair.source, { bucket: near, key: 'refused', status: 'FAILED' })
    expect(await reasonOf(pair.source, 'refused')).toBe(reason)
  })

  it('leaves out the tags alone when ReplicateTags is denied', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await allow(pair, 'replicator', [...bucketActions, ...objectActions], ['s3:ReplicateTags'])
    await put(pair, near, 'tagged', { Tagging: 'a=1' })
    await untilStatus(pair.source, { bucket: near, key: 'tagged', status: 'COMPLETED' })
    expect((await pair.destination.s3.send(new GetObjectTaggingCommand({ Bucket: far, Key: 'tagged' }))).TagSet).toEqual([])
  })

  it('fails by name when the destination is suspended, or gone, or the role is', { timeout: 60_000 }, async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await pair.destination.s3.send(new PutBucketVersioningCommand({ Bucket: far, VersioningConfiguration: { Status: 'Suspended' } }))
    await put(pair, near, 'suspended')
    await untilStatus(pair.source, { bucket: near, key: 'suspended', status: 'FAILED' })
    expect(await reasonOf(pair.source, 'suspended')).toBe('DstBucketUnversioned')
    await pair.destination.s3.send(new DeleteBucketCommand({ Bucket: far }))
    await put(pair, near, 'gone')
    await untilStatus(pair.source, { bucket: near, key: 'gone', status: 'FAILED' })
    expect(await reasonOf(pair.source, 'gone')).toBe('DstBucketNotFound')
    await forbid(pair, 'replicator')
    await pair.iam.send(new DeleteRoleCommand({ RoleName: 'replicator' }))
    await put(pair, near, 'no-role')
    await untilStatus(pair.source, { bucket: near, key: 'no-role', status: 'FAILED' })
    await eventually(async () => expect(await reasonOf(pair.source, 'no-role')).toMatch(/AssumeRoleNotPermitted|DstBucketNotFound/))
  })

  it('heals by itself when versioning is switched on again', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await pair.destination.s3.send(new PutBucketVersioningCommand({ Bucket: far, VersioningConfiguration: { Status: 'Suspended' } }))
    await put(pair, near, 'waits')
    await untilStatus(pair.source, { bucket: near, key: 'waits', status: 'FAILED' })
    await pair.destination.s3.send(new PutBucketVersioningCommand({ Bucket: far, VersioningConfiguration: { Status: 'Enabled' } }))
    await untilStatus(pair.source, { bucket: near, key: 'waits', status: 'COMPLETED' })
  })
})
