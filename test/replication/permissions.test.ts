import { DeleteRoleCommand } from '@aws-sdk/client-iam'
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import {
  allow,
  eventually,
  type Failed,
  forbid,
  head,
  linkBuckets,
  makeRole,
  objectActions,
  openPair,
  type Pair,
  type PairRegion,
  putPolicy,
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
    const { objects } = await pair.source.admin<Failed>('/admin/v1/replication/failed')
    expect(objects).toEqual([
      {
        region: 'us-east-1',
        bucket: near,
        key: 'second',
        versionId: (await head(pair.source, near, 'second')).VersionId,
        ruleId: 'rule',
        destination: far,
        reason: 'InitiateReplicationNotPermitted',
        message: expect.stringMatching(/\w+ \w+/),
        attempts: 1,
        nextAttemptAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      },
    ])
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

  it('asks about the buckets of the delivery, and not about others', { timeout: 90_000 }, async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    const scoped = (to: string) => [
      { Effect: 'Allow', Action: bucketActions, Resource: `arn:aws:s3:::${near}` },
      { Effect: 'Allow', Action: 's3:GetObjectVersion*', Resource: `arn:aws:s3:::${near}/*` },
      { Effect: 'Allow', Action: 's3:Replicate*', Resource: `arn:aws:s3:::${to}/*` },
    ]
    await putPolicy(pair, 'replicator', scoped('another-shore'))
    await put(pair, near, 'scoped')
    await untilStatus(pair.source, { bucket: near, key: 'scoped', status: 'FAILED' })
    expect(await reasonOf(pair.source, 'scoped')).toBe('DstPutObjectNotPermitted')
    await putPolicy(pair, 'replicator', scoped(far))
    await untilStatus(pair.source, { bucket: near, key: 'scoped', status: 'COMPLETED', deadlineMs: 60_000 })
  })

  it('leaves out the tags alone when ReplicateTags is denied', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await allow(pair, 'replicator', [...bucketActions, ...objectActions], ['s3:ReplicateTags'])
    await put(pair, near, 'tagged', { Tagging: 'a=1' })
    await untilStatus(pair.source, { bucket: near, key: 'tagged', status: 'COMPLETED' })
    const tagsThere = async (Key: string) => (await pair.destination.s3.send(new GetObjectTaggingCommand({ Bucket: far, Key }))).TagSet
    expect(await tagsThere('tagged')).toEqual([])
    await allow(pair, 'replicator', [...bucketActions, ...objectActions])
    await put(pair, near, 'tagged-later', { Tagging: 'a=1' })
    await untilStatus(pair.source, { bucket: near, key: 'tagged-later', status: 'COMPLETED' })
    expect(await tagsThere('tagged-later')).toEqual([{ Key: 'a', Value: '1' }])
  })

  it('fails by name when the destination is suspended, or gone', async () => {
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
  })

  it('fails by name when the role is gone, and heals when it is made again', { timeout: 90_000 }, async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await forbid(pair, 'replicator')
    await pair.iam.send(new DeleteRoleCommand({ RoleName: 'replicator' }))
    await put(pair, near, 'no-role')
    await untilStatus(pair.source, { bucket: near, key: 'no-role', status: 'FAILED' })
    expect(await reasonOf(pair.source, 'no-role')).toBe('AssumeRoleNotPermitted')
    await expect(head(pair.destination, far, 'no-role')).rejects.toThrow()
    await makeRole(pair)
    await untilStatus(pair.source, { bucket: near, key: 'no-role', status: 'COMPLETED', deadlineMs: 60_000 })
  })

  it('does not go on by what the destination gave to a role of that name before', { timeout: 90_000 }, async () => {
    const pair = await openPair()
    const { near, far, role } = await linkBuckets(pair)
    const reading = [...bucketActions, ...objectActions.filter((action) => !action.startsWith('s3:Replicate'))]
    const Resource = `arn:aws:s3:::${far}/*`
    const statement = { Effect: 'Allow', Principal: { AWS: role }, Action: 's3:ReplicateObject', Resource }
    const open = new PutBucketPolicyCommand({ Bucket: far, Policy: JSON.stringify({ Statement: statement }) })
    await pair.destination.s3.send(open)
    await allow(pair, 'replicator', reading)
    await put(pair, near, 'given')
    await untilStatus(pair.source, { bucket: near, key: 'given', status: 'COMPLETED' })
    await forbid(pair, 'replicator')
    await pair.iam.send(new DeleteRoleCommand({ RoleName: 'replicator' }))
    await makeRole(pair)
    await allow(pair, 'replicator', reading)
    await put(pair, near, 'not-given')
    await untilStatus(pair.source, { bucket: near, key: 'not-given', status: 'FAILED' })
    expect(await reasonOf(pair.source, 'not-given')).toBe('DstPutObjectNotPermitted')
    await pair.destination.s3.send(open)
    await untilStatus(pair.source, { bucket: near, key: 'not-given', status: 'COMPLETED', deadlineMs: 60_000 })
  })

  it('fails a delete marker without s3:ReplicateDelete, and takes the object away when that is back', { timeout: 90_000 }, async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await put(pair, near, 'deleted')
    await untilStatus(pair.source, { bucket: near, key: 'deleted', status: 'COMPLETED' })
    await allow(pair, 'replicator', [...bucketActions, ...objectActions.filter((one) => one !== 's3:ReplicateDelete')])
    await pair.source.s3.send(new DeleteObjectCommand({ Bucket: near, Key: 'deleted' }))
    await eventually(async () => expect(await reasonOf(pair.source, 'deleted')).toBe('DstDelObjNotPermitted'))
    expect((await head(pair.destination, far, 'deleted')).ReplicationStatus).toBe('REPLICA')
    await allow(pair, 'replicator', [...bucketActions, ...objectActions])
    const isGone = () => expect(head(pair.destination, far, 'deleted')).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } })
    await eventually(isGone, 60_000)
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
