/** The engine in real regions, over HTTP, with days of a second. */
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type LifecycleRule,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import type { LifecyclePreview, LifecycleReport } from '../../src/admin/lifecycle.ts'
import { eventually, forbid, head, linkBuckets, openPair, type PairRegion, untilStatus, versionedBucket } from '../support/regions-pair.ts'

const second = { lifecycle: { daySeconds: 1 } }
const reportPath = '/admin/v1/lifecycle'

async function putRules(region: PairRegion, bucket: string, ...rules: readonly Partial<LifecycleRule>[]): Promise<void> {
  const Rules = rules.map((rule, i): LifecycleRule => ({ ID: `rule-${i}`, Status: 'Enabled', Filter: { Prefix: '' }, ...rule }))
  await region.s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules } }))
}

/** Of a key, newest first: `marker`, or the version's id. */
async function versionsOf(region: PairRegion, bucket: string, key: string): Promise<readonly (string | undefined)[]> {
  const { Versions = [], DeleteMarkers = [] } = await region.s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key }))
  const markers = DeleteMarkers.map(({ LastModified, IsLatest }) => ({ VersionId: 'marker', LastModified, IsLatest }))
  return [...Versions, ...markers]
    .sort((a, b) => Number(b.IsLatest) - Number(a.IsLatest) || Number(b.LastModified) - Number(a.LastModified))
    .map(({ VersionId }) => VersionId)
}

function put(region: PairRegion, bucket: string, key: string, body = 'body'): Promise<{ readonly VersionId?: string | undefined }> {
  return region.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
}

const report = (region: PairRegion): Promise<LifecycleReport> => region.admin(reportPath)

describe('the lifecycle engine', () => {
  it('expires, removes and aborts as the rules say, and tells what it did', { timeout: 60_000 }, async () => {
    const { source } = await openPair(undefined, second)
    const bucket = await versionedBucket(source, 'aging')
    await put(source, bucket, 'logs/a', 'first')
    await put(source, bucket, 'logs/a', 'second')
    await put(source, bucket, 'kept/a')
    const { UploadId } = await source.s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'logs/upload' }))
    await source.s3.send(new UploadPartCommand({ Bucket: bucket, Key: 'logs/upload', UploadId, PartNumber: 1, Body: 'part' }))
    await putRules(source, bucket, {
      Filter: { Prefix: 'logs/' },
      Expiration: { Days: 1 },
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
    })
    await eventually(async () => {
      const [newest] = await versionsOf(source, bucket, 'logs/a')
      expect(newest).toBeUndefined()
      const { Uploads = [] } = await source.s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
      expect(Uploads).toEqual([])
    })
    await expect(source.s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'logs/a' }))).rejects.toMatchObject({ name: 'NoSuchKey' })
    expect(await versionsOf(source, bucket, 'kept/a')).toHaveLength(1)
    const again = source.s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: 'logs/upload', UploadId }))
    await expect(again).rejects.toMatchObject({ name: 'NoSuchUpload' })
    expect(await report(source)).toMatchObject({
      region: 'us-east-1',
      daySeconds: 1,
      buckets: [{ bucket, held: {}, isMoreHeld: false, failure: null, pass: { startedAt: expect.any(String) } }],
    })
  })

  it('leaves a version alone at its source until it is replicated, says so, and never sends its own marker', {
    timeout: 60_000,
  }, async () => {
    const pair = await openPair(undefined, second)
    const { source, destination } = pair
    const { near, far } = await linkBuckets(pair)
    await pair.destination.stop()
    const { VersionId } = await put(source, near, 'key')
    await putRules(source, near, { Expiration: { Days: 1 } })
    await eventually(async () => {
      const { buckets } = await report(source)
      expect(buckets).toMatchObject([{ bucket: near, held: { 'replication pending': 1 } }])
    })
    expect(await versionsOf(source, near, 'key')).toEqual([VersionId])
    await destination.start()
    await untilStatus(source, { bucket: near, key: 'key', versionId: VersionId, status: 'COMPLETED' })
    await eventually(async () => expect(await versionsOf(source, near, 'key')).toEqual(['marker', VersionId]))
    await eventually(async () => expect((await report(source)).buckets).toMatchObject([{ held: {} }]))
    await put(source, near, 'next')
    await eventually(async () => expect((await head(destination, far, 'next')).ReplicationStatus).toBe('REPLICA'))
    expect(await versionsOf(destination, far, 'key')).toEqual([VersionId])
  })

  it('removes old replicas at the destination, by the dates of their source', { timeout: 60_000 }, async () => {
    const pair = await openPair(undefined, second)
    const { source, destination } = pair
    const { near, far } = await linkBuckets(pair)
    const first = await put(source, near, 'key')
    const last = await put(source, near, 'key')
    await untilStatus(source, { bucket: near, key: 'key', versionId: last.VersionId, status: 'COMPLETED' })
    expect(await versionsOf(destination, far, 'key')).toEqual([last.VersionId, first.VersionId])
    await putRules(destination, far, { NoncurrentVersionExpiration: { NoncurrentDays: 1 } })
    await eventually(async () => expect(await versionsOf(destination, far, 'key')).toEqual([last.VersionId]))
    expect(await versionsOf(source, near, 'key')).toEqual([last.VersionId, first.VersionId])
  })

  it('leaves what has failed alone', { timeout: 60_000 }, async () => {
    const pair = await openPair(undefined, second)
    const { near } = await linkBuckets(pair)
    await forbid(pair, 'replicator')
    const { VersionId } = await put(pair.source, near, 'key')
    await untilStatus(pair.source, { bucket: near, key: 'key', status: 'FAILED' })
    await putRules(pair.source, near, { Expiration: { Days: 1 } })
    await eventually(async () => expect((await report(pair.source)).buckets).toMatchObject([{ held: { 'replication failed': 1 } }]))
    expect(await versionsOf(pair.source, near, 'key')).toEqual([VersionId])
  })
})

describe('a preview', () => {
  it('names what goes at the midnight that comes, and what is held back, with nothing written', async () => {
    const { source } = await openPair(undefined, { lifecycle: { daySeconds: 86_400 } })
    const bucket = await versionedBucket(source, 'previewed')
    const { VersionId } = await put(source, bucket, 'a/1', '12345')
    await put(source, bucket, 'a/2')
    await source.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'b' }))
    await putRules(
      source,
      bucket,
      { Filter: { Prefix: 'b' }, Expiration: { ExpiredObjectDeleteMarker: true } },
      { Filter: { And: { Prefix: 'a/', ObjectSizeGreaterThan: 4 } }, Transitions: [{ Days: 0, StorageClass: 'GLACIER_IR' }] },
    )
    const path = `/admin/v1/lifecycle/preview?bucket=${bucket}`
    const common = { heldBack: null, bytes: 0, versionId: expect.any(String) }
    const wanted = [
      { ...common, key: 'a/1', versionId: VersionId, action: 'transition', storageClass: 'GLACIER_IR', ruleId: 'rule-1', bytes: 5 },
      { ...common, key: 'b', action: 'remove', storageClass: null, ruleId: 'rule-0' },
    ]
    const look = async () => (await source.admin<LifecyclePreview>(path)).entries.toSorted((x, y) => (x.key < y.key ? -1 : 1))
    expect(await look()).toEqual(wanted)
    await eventually(async () => expect((await report(source)).buckets).toMatchObject([{ state: 'passed' }]))
    expect((await report(source)).buckets).toMatchObject([{ pass: { expired: 0, removed: 0, transitioned: 0 } }])
    expect(await look()).toEqual(wanted)
  })

  it('is refused without a bucket, for one that is not there, and for one without rules', async () => {
    const { source } = await openPair()
    await versionedBucket(source, 'ruleless')
    const ask = (query: string) => source.admin(`/admin/v1/lifecycle/preview${query}`)
    await expect(ask('')).rejects.toThrow('400')
    await expect(ask('?bucket=nowhere')).rejects.toThrow('404')
    await expect(ask('?bucket=ruleless')).rejects.toThrow('NoSuchLifecycleConfiguration')
    await expect(ask('?bucket=ruleless&after=x')).rejects.toThrow('400')
    await expect(ask('?bucket=a&bucket=b')).rejects.toThrow('400')
  })
})
