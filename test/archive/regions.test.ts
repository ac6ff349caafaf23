/** Two regions with a day of a second: what is replicated ages at the destination, goes to a tier, and comes back the same. */
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  RestoreObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { eventually, head, linkBuckets, openPair, type Pair, type PairRegion, rootKey, untilStatus } from '../support/regions-pair.ts'

const bytesEach = 200_000
const lifecycle = { daySeconds: 1 }
const vault = 'vault-of-the-other'

interface TierCase {
  readonly what: string
  readonly tier: (of: { readonly root: string; readonly nearUrl: string }) => object
  readonly prepare: (pair: Pair) => Promise<void>
  /** How many objects it holds. */
  readonly held: (pair: Pair) => Promise<number>
}

const cases: readonly TierCase[] = [
  {
    what: 'a folder',
    tier: ({ root }) => ({ folder: join(root, 'slow-disk') }),
    prepare: async () => {},
    async held({ destination }) {
      const entries = await readdir(join(destination.folder, '..', 'slow-disk', 'objects'), { recursive: true, withFileTypes: true }).catch(
        () => [],
      )
      return entries.filter((entry) => entry.isFile()).length
    },
  },
  {
    what: 'a bucket of the other region',
    tier({ nearUrl }) {
      const { accessKeyId, secretAccessKey } = rootKey
      return { bucket: { endpoint: nearUrl, region: 'us-east-1', name: vault, prefix: 'far/', accessKeyId, secretAccessKey } }
    },
    prepare: async ({ source }) => void (await source.s3.send(new CreateBucketCommand({ Bucket: vault }))),
    async held({ source }) {
      const { Contents = [] } = await source.s3.send(new ListObjectsV2Command({ Bucket: vault, Prefix: 'far/' }))
      return Contents.filter(({ Key = '' }) => /t[a-z]+\.[0-9a-f]{8}-/.test(Key)).length
    },
  },
]

function openCase({ tier }: TierCase): Promise<Pair> {
  return openPair(['us-east-1', 'eu-west-1'], (name, publicUrls, root) => {
    if (name !== 'eu-west-1') return { lifecycle }
    const nearUrl = publicUrls.get('us-east-1') ?? ''
    return { lifecycle, tiers: [{ name: 'slow', classes: ['GLACIER'], ...tier({ root, nearUrl }) }] }
  })
}

async function bytes({ s3 }: PairRegion, place: { Bucket: string; Key: string; VersionId?: string | undefined }): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand(place))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

async function restored(region: PairRegion, place: { Bucket: string; Key: string; VersionId?: string | undefined }): Promise<Buffer> {
  await expect(bytes(region, place)).rejects.toMatchObject({ name: 'InvalidObjectState' })
  await region.s3.send(new RestoreObjectCommand({ ...place, RestoreRequest: { Days: 1000, GlacierJobParameters: { Tier: 'Standard' } } }))
  return await eventually(() => bytes(region, place))
}

describe.each(cases)('with a tier that is $what', (one) => {
  it('old versions of a replicated bucket move there and are restored the same', { timeout: 90_000 }, async () => {
    const pair = await openCase(one)
    await one.prepare(pair)
    const { near, far } = await linkBuckets(pair)
    await pair.destination.s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: far,
        LifecycleConfiguration: {
          Rules: [
            { ID: 'old', Status: 'Enabled', Filter: {}, NoncurrentVersionTransitions: [{ NoncurrentDays: 1, StorageClass: 'GLACIER' }] },
          ],
        },
      }),
    )
    const contents = new Map<string, Buffer>()
    for (const sealed of [undefined, 'AES256', undefined] as const) {
      const Body = randomBytes(bytesEach)
      const put = { Bucket: near, Key: 'report', Body, ServerSideEncryption: sealed }
      contents.set((await pair.source.s3.send(new PutObjectCommand(put))).VersionId ?? '', Body)
    }
    const [first, second, current] = [...contents.keys()]
    await eventually(async () => {
      const { Versions = [] } = await pair.destination.s3.send(new ListObjectVersionsCommand({ Bucket: far }))
      expect(Versions.map(({ VersionId, StorageClass }) => [VersionId, StorageClass])).toEqual([
        [current, 'STANDARD'],
        [second, 'GLACIER'],
        [first, 'GLACIER'],
      ])
      expect(await one.held(pair)).toBe(2)
    }, 60_000)
    for (const VersionId of [first, second]) {
      const read = await restored(pair.destination, { Bucket: far, Key: 'report', VersionId })
      expect(read.equals(contents.get(VersionId ?? '') ?? Buffer.alloc(0))).toBe(true)
    }
    expect((await bytes(pair.destination, { Bucket: far, Key: 'report' })).equals(contents.get(current ?? '') ?? Buffer.alloc(0))).toBe(
      true,
    )
    // The source keeps its own.
    expect(await bytes(pair.source, { Bucket: near, Key: 'report', VersionId: first })).toHaveLength(bytesEach)
  })
})

describe('a rule whose replicas are of class GLACIER', () => {
  it('sends them to the tier on arrival, replicates later changes of them, and nothing that is archived at the source', {
    timeout: 60_000,
  }, async () => {
    const [folder] = cases as [TierCase]
    const pair = await openCase(folder)
    const { near, far } = await linkBuckets(pair, { Destination: { Bucket: 'arn:aws:s3:::far-shore', StorageClass: 'GLACIER' } })
    const Body = randomBytes(bytesEach)
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'k', Body }))
    await untilStatus(pair.source, { bucket: near, key: 'k', status: 'COMPLETED' })
    expect(await head(pair.destination, far, 'k')).toMatchObject({ StorageClass: 'GLACIER', ReplicationStatus: 'REPLICA' })
    expect((await head(pair.source, near, 'k')).StorageClass).toBeUndefined()
    await eventually(async () => expect(await folder.held(pair)).toBe(1))
    await pair.source.s3.send(new PutObjectTaggingCommand({ Bucket: near, Key: 'k', Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } }))
    await eventually(async () => expect((await head(pair.destination, far, 'k')).TagCount).toBe(1))
    await untilStatus(pair.source, { bucket: near, key: 'k', status: 'COMPLETED' })
    expect((await restored(pair.destination, { Bucket: far, Key: 'k' })).equals(Body)).toBe(true)
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'archived', Body, StorageClass: 'DEEP_ARCHIVE' }))
    expect((await head(pair.source, near, 'archived')).ReplicationStatus).toBeUndefined()
    const { moves, tiers } = await pair.destination.admin<{ moves: { kind: string }[]; tiers: { name: string; state: string }[] }>(
      '/admin/v1/lifecycle/moves',
    )
    expect(moves.map(({ kind }) => kind)).toEqual(['expire'])
    expect(tiers).toContainEqual(expect.objectContaining({ name: 'slow', state: 'ok' }))
  })

  it('is told once more what arrived, when its answer was lost, and proves it without a restore', { timeout: 60_000 }, async () => {
    const [folder] = cases as [TierCase]
    const pair = await openCase(folder)
    const { near, far } = await linkBuckets(pair, { Destination: { Bucket: 'arn:aws:s3:::far-shore', StorageClass: 'GLACIER' } })
    pair.destination.proxy.set({ kind: 'dropAnswer', pattern: /_peer\/v1\/replication/, times: 1 })
    await pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key: 'k', Body: randomBytes(bytesEach) }))
    await untilStatus(pair.source, { bucket: near, key: 'k', status: 'COMPLETED' })
    expect(pair.destination.proxy.struck).toBe(1)
    const { Versions } = await pair.destination.s3.send(new ListObjectVersionsCommand({ Bucket: far }))
    expect(Versions?.map(({ StorageClass }) => StorageClass)).toEqual(['GLACIER'])
  })
})
