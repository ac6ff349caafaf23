/** A tier of either kind under a test's hands: a folder of its own, or a bucket of a real region behind a fault proxy. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import type { Principal } from '../../src/access/caller.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { BucketTimeouts } from '../../src/tiers/bucket-client.ts'
import { BucketStore } from '../../src/tiers/bucket-store.ts'
import { FolderStore } from '../../src/tiers/folder-store.ts'
import type { BucketSettings } from '../../src/tiers/settings.ts'
import type { TierStore } from '../../src/tiers/store.ts'
import { identityPolicy, user } from '../support/callers.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { bytesOf, openRegion, secretAccessKey, type TestRegion } from '../support/region.ts'

export interface TierBench {
  /** The tier as another start, or another region, would open it. */
  open(options?: OpenOptions): Promise<TierStore>
  /** What lies there, by ref. */
  refs(): Promise<readonly string[]>
  peek(ref: string): Promise<Buffer>
  poke(ref: string, bytes: Buffer): Promise<void>
  close(): Promise<void>
}

export interface OpenOptions {
  readonly boot?: number
  readonly region?: string
  /** Of a bucket tier. */
  readonly settings?: Partial<BucketSettings>
}

export interface BucketBench extends TierBench {
  readonly proxy: FaultProxy
  readonly region: TestRegion
  readonly bucket: string
  readonly principal: Principal
  readonly logged: readonly object[]
}

export const testTier = 'vault'
export const testLog = { warn: () => {}, info: () => {} }
export const prefix = 'archive/of/'
const markName = 'farshore-tier.json'

/** Patience of a test. */
export const hastyTimeouts: BucketTimeouts = { connectMs: 1000, idleMs: 2500, leastBytesPerSecond: 4 * 1024 * 1024, restsMs: [10, 20] }

export async function openFolderBench(
  options: { readonly folder?: string; readonly reserveBytes?: number } = {},
): Promise<TierBench & { readonly folder: string }> {
  const root = await mkdtemp(join(tmpdir(), 'farshore-tier-'))
  const folder = options.folder ?? join(root, 'tier')
  const pathOf = (ref: string): string => join(folder, 'objects', ref.slice(ref.indexOf('-') + 1).slice(0, 2), ref)
  return {
    folder,
    async open({ boot = 1, region = 'us-east-1' } = {}) {
      const claimsFolder = join(root, region)
      const { reserveBytes = 0 } = options
      const store = new FolderStore({ name: testTier, folder, region, claimsFolder, boot, isFirst: true, reserveBytes, log: testLog })
      await store.begin({ mayClaim: true })
      return store
    },
    async refs() {
      const folders = await readdir(join(folder, 'objects'))
      return (await Promise.all(folders.map((name) => readdir(join(folder, 'objects', name))))).flat()
    },
    peek: (ref) => readFile(pathOf(ref)),
    async poke(ref, bytes) {
      await mkdir(join(pathOf(ref), '..'), { recursive: true })
      await writeFile(pathOf(ref), bytes)
    },
    close: () => rm(root, { recursive: true, force: true }),
  }
}

export async function openBucketBench(timeouts: BucketTimeouts = hastyTimeouts): Promise<BucketBench> {
  const principals: Principal[] = []
  const region = await openRegion({ region: 'eu-west-1', principals })
  const bucket = await region.makeBucket()
  const principal = withPolicy(bucket)
  principals.push(principal)
  const proxy = await FaultProxy.open(region.port)
  const claims = await mkdtemp(join(tmpdir(), 'farshore-claims-'))
  const stores: TierStore[] = []
  const logged: object[] = []
  const log = { warn: (fields: object) => void logged.push(fields), info: () => {} }
  const keyOf = (ref: string): { Bucket: string; Key: string } => ({ Bucket: bucket, Key: prefix + ref })
  return {
    proxy,
    region,
    bucket,
    principal,
    logged,
    async open({ boot = 1, region: self = 'us-east-1', settings: given = {} } = {}) {
      const settings = {
        endpoint: `http://127.0.0.1:${proxy.port}`,
        region: region.name,
        name: bucket,
        prefix,
        accessKeyId: principal.accessKeyId,
        secretAccessKey,
        ...given,
      }
      const of = { name: testTier, bucket: settings, region: self, claimsFolder: join(claims, self), boot, isFirst: true }
      const store = new BucketStore({ ...of, timeouts, clock: systemClock, log })
      stores.push(store)
      return store
    },
    async refs() {
      const { Versions = [] } = await region.client.send(new ListObjectVersionsCommand({ Bucket: bucket }))
      return Versions.map(({ Key = '' }) => Key.slice(prefix.length)).filter((name) => name !== markName)
    },
    peek: async (ref) => bytesOf((await region.client.send(new GetObjectCommand(keyOf(ref)))).Body),
    poke: async (ref, bytes) => void (await region.client.send(new PutObjectCommand({ ...keyOf(ref), Body: bytes }))),
    async close() {
      await Promise.all(stores.map((store) => store.close()))
      await proxy.close()
      await region.close()
      await rm(claims, { recursive: true, force: true })
    },
  }
}

/** As docs/tiers.md says: one bucket, one prefix, and no more than a tier needs. */
function withPolicy(bucket: string): Principal {
  const objects = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload']
  const buckets = ['s3:ListBucket', 's3:ListBucketMultipartUploads']
  const statements = [
    { Effect: 'Allow', Action: objects, Resource: `arn:aws:s3:::${bucket}/${prefix}*` },
    { Effect: 'Allow', Action: buckets, Resource: `arn:aws:s3:::${bucket}` },
  ]
  return { ...user('vault'), permissions: { identity: [identityPolicy(...statements)] } }
}
