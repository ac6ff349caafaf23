import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  PutBucketReplicationCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import {
  account,
  eventually,
  head,
  linkBuckets,
  makeRole,
  openPair,
  type PairRegion,
  putRule,
  untilDrained,
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

async function tagsOf(region: PairRegion, Bucket: string, Key: string) {
  return (await region.s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet
}

async function isOnDisk({ folder }: PairRegion, words: Buffer): Promise<boolean> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && (await readFile(join(entry.parentPath, entry.name))).includes(words)) return true
  }
  return false
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
    expect(await tagsOf(pair.destination, far, 'dir/ключ +%')).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: 'two words' },
    ])
    expect(await bytes(pair.destination, far, 'dir/ключ +%')).toEqual(body)
    // What came in clear is found there, so that the search is known to find.
    const clear = Buffer.from('other words that came in clear')
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'clear', Body: clear }))
    await untilStatus(pair.source, { bucket: near, key: 'clear', status: 'COMPLETED' })
    await pair.destination.stop()
    expect(await isOnDisk(pair.destination, clear)).toBe(true)
    expect(await isOnDisk(pair.destination, body)).toBe(false)
  })

  it('a copy of another object, with what it was given', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    const from = await versionedBucket(pair.source, 'inland')
    await pair.source.s3.send(
      new PutObjectCommand({ Bucket: from, Key: 'original', Body: 'words', Metadata: { author: 'somebody' }, Tagging: 'a=1' }),
    )
    await pair.source.s3.send(new CopyObjectCommand({ Bucket: near, Key: 'copy', CopySource: `${from}/original` }))
    const source = await untilStatus(pair.source, { bucket: near, key: 'copy', status: 'COMPLETED' })
    const replica = await head(pair.destination, far, 'copy')
    for (const name of carried) expect(replica[name], name).toEqual(source[name])
    expect(replica.Metadata).toEqual({ author: 'somebody' })
    expect(await tagsOf(pair.destination, far, 'copy')).toEqual([{ Key: 'a', Value: '1' }])
    expect(`${await bytes(pair.destination, far, 'copy')}`).toBe('words')
  })

  it('the ACL, and a later one without the bytes', async () => {
    const pair = await openPair()
    const more = { ObjectOwnership: 'ObjectWriter' } as const
    const near = await versionedBucket(pair.source, 'near-shore', more)
    const far = await versionedBucket(pair.destination, 'far-shore', more)
    await putRule(pair.source, { bucket: near, role: await makeRole(pair), to: far })
    const grantee = `id="${account.canonicalId}"`
    const aclOf = async (region: PairRegion, Bucket: string) =>
      (await region.s3.send(new GetObjectAclCommand({ Bucket, Key: 'granted' }))).Grants
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'granted', Body: randomBytes(900_000), GrantRead: grantee }))
    await untilStatus(pair.source, { bucket: near, key: 'granted', status: 'COMPLETED' })
    expect(await aclOf(pair.destination, far)).toMatchObject([{ Permission: 'READ', Grantee: { ID: account.canonicalId } }])
    const before = pair.destination.proxy.sentBytes
    await pair.source.s3.send(new PutObjectAclCommand({ Bucket: near, Key: 'granted', GrantReadACP: grantee }))
    await untilStatus(pair.source, { bucket: near, key: 'granted', status: 'COMPLETED' })
    expect(await aclOf(pair.destination, far)).toMatchObject([{ Permission: 'READ_ACP', Grantee: { ID: account.canonicalId } }])
    expect(pair.destination.proxy.sentBytes - before).toBeLessThan(100_000)
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
    // Random, so that the content does not shrink on the way: were it sent again, it would be seen.
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'tagged', Body: randomBytes(900_000) }))
    await untilStatus(pair.source, { bucket: near, key: 'tagged', status: 'COMPLETED' })
    const before = pair.destination.proxy.sentBytes
    expect(before).toBeGreaterThan(900_000)
    pair.destination.proxy.set({ kind: 'hang' })
    await pair.source.s3.send(new PutObjectTaggingCommand({ Bucket: near, Key: 'tagged', Tagging: { TagSet: [{ Key: 'k', Value: 'v' }] } }))
    expect((await head(pair.source, near, 'tagged')).ReplicationStatus).toBe('PENDING')
    pair.destination.proxy.set({ kind: 'up' })
    await untilStatus(pair.source, { bucket: near, key: 'tagged', status: 'COMPLETED' })
    expect(await tagsOf(pair.destination, far, 'tagged')).toEqual([{ Key: 'k', Value: 'v' }])
    expect(pair.destination.proxy.sentBytes - before).toBeLessThan(100_000)
  })

  it('every version of a key in its order, and its delete marker behind them, through a network that breaks', {
    timeout: 60_000,
  }, async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    const written: (string | undefined)[] = []
    const write = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        const { VersionId } = await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'hot', Body: `version ${n}` }))
        written.push(VersionId)
      }
    }
    // Version ids sort by themselves, so that the end alone would not tell in which order they came: whoever looks finds the first so many.
    const looks: { readonly there: readonly (string | undefined)[]; readonly markers: number }[] = []
    let isOver = false
    const watch = async (): Promise<void> => {
      while (!isOver) {
        const { Versions = [], DeleteMarkers = [] } = await pair.destination.s3.send(new ListObjectVersionsCommand({ Bucket: far }))
        looks.push({ there: Versions.map(({ VersionId }) => VersionId).reverse(), markers: DeleteMarkers.length })
      }
    }
    const watching = watch()
    try {
      await write(100)
      pair.destination.proxy.set({ kind: 'cut', pattern: /replication\/batch/, bytes: -1, times: 2 })
      await write(100)
      await pair.source.s3.send(new DeleteObjectCommand({ Bucket: near, Key: 'hot' }))
      await eventually(async () => expect(await versions(pair.destination, far)).toEqual(await versions(pair.source, near)), 40_000)
    } finally {
      isOver = true
      await watching
    }
    expect(pair.destination.proxy.struck).toBe(2)
    for (const { there, markers } of looks) {
      expect(there).toEqual(written.slice(0, there.length))
      if (markers > 0) expect(there).toHaveLength(200)
    }
    expect(new Set(looks.map(({ there }) => there.length)).size).toBeGreaterThan(2)
  })

  it('no delete marker where the rule says so, and those that users made under a rule of the first kind', async () => {
    const pair = await openPair()
    const { near, far, role } = await linkBuckets(pair, { DeleteMarkerReplication: { Status: 'Disabled' } })
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'kept', Body: 'x' }))
    await pair.source.s3.send(new DeleteObjectCommand({ Bucket: near, Key: 'kept' }))
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'after', Body: 'x' }))
    await untilDrained(pair.source)
    expect((await head(pair.destination, far, 'kept')).ReplicationStatus).toBe('REPLICA')
    expect((await head(pair.destination, far, 'after')).ReplicationStatus).toBe('REPLICA')
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
    await untilDrained(pair.source)
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

  it('what has all the tags of the rule when it is written, and not what gets them later', async () => {
    const pair = await openPair()
    const Tags = [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '2' },
    ]
    const { near, far } = await linkBuckets(pair, {
      Filter: { And: { Prefix: 'in/', Tags } },
      DeleteMarkerReplication: { Status: 'Disabled' },
    })
    const chosen = { 'in/both': 'a=1&b=2', 'in/more': 'a=1&b=2&c=3' }
    const others = { 'in/one': 'a=1', 'in/other': 'a=1&b=3', 'in/none': undefined, 'out/both': 'a=1&b=2' }
    for (const [Key, Tagging] of Object.entries({ ...others, ...chosen })) {
      await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key, Body: 'x', Tagging }))
    }
    await pair.source.s3.send(new PutObjectTaggingCommand({ Bucket: near, Key: 'in/none', Tagging: { TagSet: Tags } }))
    for (const Key of Object.keys(others)) expect((await head(pair.source, near, Key)).ReplicationStatus, Key).toBeUndefined()
    for (const key of Object.keys(chosen)) await untilStatus(pair.source, { bucket: near, key, status: 'COMPLETED' })
    await untilDrained(pair.source)
    expect((await versions(pair.destination, far)).map((version) => (version as string[])[0])).toEqual(['in/both', 'in/more'])
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
    expect((await head(pair.destination, far, 'again')).ReplicationStatus).toBe('REPLICA')
    // The way back is open, and takes only what was written there.
    await pair.destination.s3.send(new PutObjectCommand({ Bucket: far, Key: 'back', Body: 'b' }))
    await untilStatus(pair.destination, { bucket: far, key: 'back', status: 'COMPLETED' })
    await untilDrained(pair.source)
    await untilDrained(pair.destination)
    const keys = (await versions(pair.source, near)).map((version) => (version as string[])[0])
    expect(keys).toEqual(['again', 'back', 'from-a'])
    expect((await head(pair.source, near, 'back')).ReplicationStatus).toBe('REPLICA')
    expect((await head(pair.source, near, 'from-a')).ReplicationStatus).toBe('COMPLETED')
  })
})
