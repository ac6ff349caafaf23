import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  PutBucketReplicationCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import {
  eventually,
  head,
  linkBuckets,
  makeRole,
  openPair,
  type PairRegion,
  putRule,
  untilStatus,
  versionedBucket,
} from '../support/regions-pair.ts'

const carried = [
  'VersionId',
  'ETag',
  'ContentLength',
  'ContentType',
  'CacheControl',
  'LastModified',
  'StorageClass',
  'ServerSideEncryption',
  'Metadata',
  'ChecksumCRC32',
  'ChecksumSHA256',
  'ChecksumCRC64NVME',
  'ChecksumType',
  'PartsCount',
] as const

async function bytes(region: PairRegion, bucket: string, key: string, more: object = {}): Promise<Buffer> {
  const { Body } = await region.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...more }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

async function versions(region: PairRegion, bucket: string): Promise<readonly unknown[]> {
  const { Versions = [], DeleteMarkers = [] } = await region.s3.send(new ListObjectVersionsCommand({ Bucket: bucket }))
  return [
    ...Versions.map(({ Key, VersionId, IsLatest, ETag, Size, LastModified }) => [
      Key,
      VersionId,
      IsLatest,
      ETag,
      Size,
      LastModified?.getTime(),
    ]),
    ...DeleteMarkers.map(({ Key, VersionId, IsLatest, LastModified }) => [Key, VersionId, IsLatest, 'marker', LastModified?.getTime()]),
  ]
}

describe('replication carries', () => {
  it('metadata, tags, class, encryption, checksum, version id, time and bytes', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    const body = Buffer.from('plain words that must not stand on the disk of the other region')
    const { VersionId } = await pair.source.s3.send(
      new PutObjectCommand({
        Bucket: near,
        Key: 'dir/ключ +%',
        Body: body,
        ContentType: 'text/x-words',
        CacheControl: 'max-age=5',
        Metadata: { author: 'somebody', __proto__x: 'odd' },
        Tagging: 'a=1&b=two%20words',
        StorageClass: 'REDUCED_REDUNDANCY',
        ServerSideEncryption: 'AES256',
        ChecksumAlgorithm: 'SHA256',
      }),
    )
    const source = await untilStatus(pair.source, { bucket: near, key: 'dir/ключ +%', status: 'COMPLETED' })
    const replica = await head(pair.destination, far, 'dir/ключ +%')
    expect(replica.ReplicationStatus).toBe('REPLICA')
    for (const name of carried) expect(replica[name], name).toEqual(source[name])
    expect(source.VersionId).toBe(VersionId)
    expect(source.ChecksumSHA256).toBeDefined()
    const tagging = { Key: 'dir/ключ +%' }
    expect((await pair.destination.s3.send(new GetObjectTaggingCommand({ Bucket: far, ...tagging }))).TagSet).toEqual(
      (await pair.source.s3.send(new GetObjectTaggingCommand({ Bucket: near, ...tagging }))).TagSet,
    )
    expect(await bytes(pair.destination, far, 'dir/ключ +%')).toEqual(body)
    await pair.destination.stop()
    for (const name of await readdir(join(pair.destination.folder, 'blobs'), { recursive: true, withFileTypes: true })) {
      if (name.isFile()) expect((await readFile(join(name.parentPath, name.name))).includes(body), name.name).toBe(false)
    }
  })

  it('empty objects, large ones, and the parts of a multipart upload as they are', { timeout: 60_000 }, async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'empty', Body: '' }))
    const large = Buffer.alloc(3 * 1024 * 1024 + 17, 'large ')
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'large', Body: large, ServerSideEncryption: 'AES256' }))
    const upload = { Bucket: near, Key: 'parts' }
    const { UploadId } = await pair.source.s3.send(
      new CreateMultipartUploadCommand({
        ...upload,
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'COMPOSITE',
        ServerSideEncryption: 'AES256',
      }),
    )
    const Parts = []
    for (const [PartNumber, size] of [
      [2, 5 * 1024 * 1024 + 1],
      [7, 5 * 1024 * 1024],
      [9, 99],
    ] as const) {
      const part = await pair.source.s3.send(
        new UploadPartCommand({ ...upload, UploadId, PartNumber, Body: Buffer.alloc(size, PartNumber), ChecksumAlgorithm: 'CRC32' }),
      )
      Parts.push({ PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 })
    }
    await pair.source.s3.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }))
    for (const key of ['empty', 'large', 'parts']) {
      const source = await untilStatus(pair.source, { bucket: near, key, status: 'COMPLETED', deadlineMs: 40_000 })
      const replica = await head(pair.destination, far, key)
      for (const name of carried) expect(replica[name], `${key} ${name}`).toEqual(source[name])
    }
    expect((await bytes(pair.destination, far, 'large')).equals(large)).toBe(true)
    expect((await head(pair.destination, far, 'parts')).ChecksumType).toBe('COMPOSITE')
    for (const PartNumber of [1, 2, 3]) {
      const there = await bytes(pair.destination, far, 'parts', { PartNumber })
      expect(there.equals(await bytes(pair.source, near, 'parts', { PartNumber })), `part ${PartNumber}`).toBe(true)
    }
  })

  it('later tags without the bytes, PENDING again and then COMPLETED', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'tagged', Body: Buffer.alloc(900_000, 'x') }))
    await untilStatus(pair.source, { bucket: near, key: 'tagged', status: 'COMPLETED' })
    pair.destination.proxy.set({ kind: 'hang' })
    const before = pair.destination.proxy.sentBytes
    await pair.source.s3.send(new PutObjectTaggingCommand({ Bucket: near, Key: 'tagged', Tagging: { TagSet: [{ Key: 'k', Value: 'v' }] } }))
    expect((await head(pair.source, near, 'tagged')).ReplicationStatus).toBe('PENDING')
    pair.destination.proxy.set({ kind: 'up' })
    await untilStatus(pair.source, { bucket: near, key: 'tagged', status: 'COMPLETED' })
    expect((await pair.destination.s3.send(new GetObjectTaggingCommand({ Bucket: far, Key: 'tagged' }))).TagSet).toEqual([
      { Key: 'k', Value: 'v' },
    ])
    expect(pair.destination.proxy.sentBytes - before).toBeLessThan(200_000)
  })

  it('every version of a key in its order, and delete markers as the rule says', { timeout: 60_000 }, async () => {
    const pair = await openPair()
    const { near, far, role } = await linkBuckets(pair)
    for (let n = 0; n < 200; n++) await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'hot', Body: `version ${n}` }))
    await pair.source.s3.send(new DeleteObjectCommand({ Bucket: near, Key: 'hot' }))
    await eventually(async () => expect(await versions(pair.destination, far)).toEqual(await versions(pair.source, near)), 40_000)
    // V2 with the switch off: the marker stays at home.
    await putRule(pair.source, { bucket: near, role, to: far, rule: { DeleteMarkerReplication: { Status: 'Disabled' } } })
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'kept', Body: 'x' }))
    await pair.source.s3.send(new DeleteObjectCommand({ Bucket: near, Key: 'kept' }))
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'after', Body: 'x' }))
    await untilStatus(pair.source, { bucket: near, key: 'after', status: 'COMPLETED' })
    await eventually(async () => expect((await head(pair.destination, far, 'kept')).ReplicationStatus).toBe('REPLICA'))
    // A V1 rule takes the markers that a user made.
    const Rules = [{ ID: 'v1', Status: 'Enabled' as const, Prefix: '', Destination: { Bucket: `arn:aws:s3:::${far}` } }]
    await pair.source.s3.send(new PutBucketReplicationCommand({ Bucket: near, ReplicationConfiguration: { Role: role, Rules } }))
    await pair.source.s3.send(new DeleteObjectCommand({ Bucket: near, Key: 'after' }))
    await eventually(() => expect(head(pair.destination, far, 'after')).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } }))
  })

  it('no deletion of a version by its id', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    const { VersionId } = await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'purged', Body: 'x' }))
    await untilStatus(pair.source, { bucket: near, key: 'purged', status: 'COMPLETED' })
    await pair.source.s3.send(new DeleteObjectCommand({ Bucket: near, Key: 'purged', VersionId }))
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'later', Body: 'x' }))
    await untilStatus(pair.source, { bucket: near, key: 'later', status: 'COMPLETED' })
    expect((await head(pair.destination, far, 'purged', VersionId)).ReplicationStatus).toBe('REPLICA')
  })

  it('only what the rule chooses, under the class that it names, and nothing that was there before', async () => {
    const pair = await openPair()
    const near = await versionedBucket(pair.source, 'near-shore')
    const far = await versionedBucket(pair.destination, 'far-shore')
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'pictures/old', Body: 'old' }))
    const Destination = { Bucket: `arn:aws:s3:::${far}`, StorageClass: 'STANDARD_IA' as const }
    await putRule(pair.source, {
      bucket: near,
      role: await makeRole(pair),
      to: far,
      rule: { Filter: { Prefix: 'pictures/' }, Destination },
    })
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'words/new', Body: 'x' }))
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'pictures/new', Body: 'x' }))
    await untilStatus(pair.source, { bucket: near, key: 'pictures/new', status: 'COMPLETED' })
    expect((await head(pair.destination, far, 'pictures/new')).StorageClass).toBe('STANDARD_IA')
    expect((await head(pair.source, near, 'words/new')).ReplicationStatus).toBeUndefined()
    expect((await head(pair.source, near, 'pictures/old')).ReplicationStatus).toBeUndefined()
    await expect(head(pair.destination, far, 'pictures/old')).rejects.toThrow()
    const copy = { Bucket: near, Key: 'pictures/old', CopySource: `${near}/pictures/old` }
    await pair.source.s3.send(new CopyObjectCommand({ ...copy, MetadataDirective: 'REPLACE', Metadata: { touched: 'yes' } }))
    await untilStatus(pair.source, { bucket: near, key: 'pictures/old', status: 'COMPLETED' })
    expect((await head(pair.destination, far, 'pictures/old')).Metadata).toEqual({ touched: 'yes' })
  })

  it('replicas neither onward nor back', async () => {
    const pair = await openPair(['us-east-1', 'eu-west-1', 'ap-south-1'])
    const { near, far, role } = await linkBuckets(pair)
    const third = await versionedBucket(pair.region('ap-south-1'), 'third-shore')
    await putRule(pair.destination, { bucket: far, role, to: third })
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'from-a', Body: 'a' }))
    await untilStatus(pair.source, { bucket: near, key: 'from-a', status: 'COMPLETED' })
    await pair.destination.s3.send(new PutObjectCommand({ Bucket: far, Key: 'from-b', Body: 'b' }))
    await untilStatus(pair.destination, { bucket: far, key: 'from-b', status: 'COMPLETED' })
    const onward = await versions(pair.region('ap-south-1'), third)
    expect(onward.map((version) => (version as string[])[0])).toEqual(['from-b'])
    await putRule(pair.destination, { bucket: far, role, to: near })
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'again', Body: 'a' }))
    await untilStatus(pair.source, { bucket: near, key: 'again', status: 'COMPLETED' })
    expect(await versions(pair.source, near)).toHaveLength(2)
    expect((await head(pair.destination, far, 'again')).ReplicationStatus).toBe('REPLICA')
  })
})
