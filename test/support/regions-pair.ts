/** Real regions in this process, as `startRegion` composes them, that speak to each other through fault proxies; and short words for replication. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateRoleCommand, DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  type CreateBucketCommandInput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  type ReplicationRule,
  S3Client,
} from '@aws-sdk/client-s3'
import aws4 from 'aws4'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { stringify } from 'yaml'
import { type RegionParts, type RunningRegion, startRegion } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { FaultProxy } from './fault-proxy.ts'
import { freePorts } from './up.ts'

export const rootKey = { accessKeyId: 'AKIAREPLICATIONTESTS', secretAccessKey: 'a-secret-for-tests-of-replication' }
export const peeringSecret = 'between the regions of a test'
export const account = { accountId: '123456789012', canonicalId: 'beef'.padEnd(64, '0') }

export interface PairRegion {
  readonly name: string
  readonly s3: S3Client
  /** What stands between the other regions and this one. */
  readonly proxy: FaultProxy
  readonly folder: string
  stop(): Promise<void>
  start(parts?: Partial<RegionParts>): Promise<void>
  readonly adminUrl: string
  /** A question to the admin API. */
  admin<T>(path: string): Promise<T>
}

export interface Pair {
  readonly source: PairRegion
  readonly destination: PairRegion
  readonly iam: IAMClient
  region(name: string): PairRegion
}

/** Ends with the test that opened it. @param settings  of each region's file, besides those that it needs */
export async function openPair(
  names: readonly [string, string, ...string[]] = ['us-east-1', 'eu-west-1'],
  settings: object | ((region: string, publicUrls: ReadonlyMap<string, string>, root: string) => object) = {},
  parts: Partial<RegionParts> = {},
): Promise<Pair> {
  const root = await mkdtemp(join(tmpdir(), 'farshore-pair-'))
  const ports = await Promise.all(names.map(() => freePorts()))
  const proxies = await Promise.all(ports.map((port) => FaultProxy.open(port)))
  const regions = names.map((name, i) => ({
    name,
    endpoint: `http://127.0.0.1:${proxies[i]?.port}`,
    publicUrl: `http://127.0.0.1:${ports[i]}`,
    admin: `http://127.0.0.1:${(ports[i] ?? 0) + 1}`,
  }))
  const publicUrls = new Map(regions.map(({ name, publicUrl }) => [name, publicUrl]))
  const settingsOf = (name: string): object => (typeof settings === 'function' ? settings(name, publicUrls, root) : settings)
  const list = await Promise.all(
    names.map(
      (name, i) => openRegion({ name, root, regions, port: ports[i] ?? 0, proxy: proxies[i] as FaultProxy, settings: settingsOf(name) }), // one a name
    ),
  )
  onTestFinished(async () => {
    await Promise.all(list.map((region) => region.stop()))
    await Promise.all(proxies.map((proxy) => proxy.close()))
    await rm(root, { recursive: true, force: true })
  })
  await Promise.all(list.map((region) => region.start(parts)))
  const region = (name: string): PairRegion => {
    const found = list.find((one) => one.name === name)
    if (found === undefined) throw new Error(`there is no region ${name}`)
    return found
  }
  const [first, second] = names
  return {
    source: region(first),
    destination: region(second),
    region,
    iam: new IAMClient({ endpoint: `http://127.0.0.1:${ports[0]}`, region: first, credentials: rootKey }),
  }
}

async function openRegion(of: {
  readonly name: string
  readonly root: string
  readonly regions: readonly { readonly name: string; readonly endpoint: string }[]
  readonly port: number
  readonly proxy: FaultProxy
  readonly settings: object
}): Promise<PairRegion> {
  const { name, root, port, proxy } = of
  const folder = join(root, name)
  const file = join(root, `${name}.yaml`)
  await writeFile(
    file,
    stringify({
      region: name,
      dataDirectory: folder,
      s3: { port },
      admin: { port: port + 1 },
      regions: of.regions,
      workers: 1,
      limits: { drainTimeoutMs: 500 },
      ...of.settings,
      credentials: {
        ...account,
        rootAccessKeyId: rootKey.accessKeyId,
        rootSecretAccessKey: rootKey.secretAccessKey,
        peeringSecret,
      },
    }),
  )
  const s3 = new S3Client({ endpoint: `http://127.0.0.1:${port}`, region: name, credentials: rootKey, forcePathStyle: true })
  let running: RunningRegion | undefined
  return {
    name,
    s3,
    proxy,
    folder,
    adminUrl: `http://127.0.0.1:${port + 1}`,
    async start(parts = {}) {
      const { config } = await loadConfig({ file, environment: {} })
      running = await startRegion(config, { log: pino({ level: 'silent' }), ...parts })
    },
    async stop() {
      await running?.close()
      running = undefined
    },
    async admin<T>(path: string): Promise<T> {
      const host = `127.0.0.1:${port + 1}`
      const { headers } = aws4.sign({ service: 'farshore', region: name, method: 'GET', host, path, headers: {} }, rootKey)
      const answer = await fetch(`http://${host}${path}`, { headers: headers as Record<string, string> }) // aws4 writes text
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
      return (await answer.json()) as T // the caller knows the route
    },
  }
}

/** @param more  of the CreateBucket request */
export async function versionedBucket(region: PairRegion, name: string, more: Partial<CreateBucketCommandInput> = {}): Promise<string> {
  const location = region.name === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region.name as 'eu-west-1' } } // any region's name
  await region.s3.send(new CreateBucketCommand({ Bucket: name, ...location, ...more }))
  await region.s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }))
  return name
}

/** The actions that replication needs on the objects of the two buckets. */
export const objectActions = [
  's3:GetObjectVersionForReplication',
  's3:GetObjectVersionAcl',
  's3:GetObjectVersionTagging',
  's3:GetObjectRetention',
  's3:GetObjectLegalHold',
  's3:ReplicateObject',
  's3:ReplicateDelete',
  's3:ReplicateTags',
] as const

export async function makeRole(pair: Pair, name = 'replicator'): Promise<string> {
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  }
  const { Role } = await pair.iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) }))
  await allow(pair, name, ['s3:GetReplicationConfiguration', 's3:ListBucket', ...objectActions])
  return Role?.Arn ?? ''
}

export async function allow(pair: Pair, role: string, actions: readonly string[], denied: readonly string[] = []): Promise<void> {
  await putPolicy(pair, role, [
    { Effect: 'Allow', Action: actions, Resource: '*' },
    ...(denied.length === 0 ? [] : [{ Effect: 'Deny', Action: denied, Resource: '*' }]),
  ])
}

export async function putPolicy(pair: Pair, role: string, statements: readonly object[]): Promise<void> {
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements })
  await pair.iam.send(new PutRolePolicyCommand({ RoleName: role, PolicyName: 'replicate', PolicyDocument }))
}

export async function forbid(pair: Pair, role: string): Promise<void> {
  await pair.iam.send(new DeleteRolePolicyCommand({ RoleName: role, PolicyName: 'replicate' }))
}

export async function putRule(
  region: PairRegion,
  of: { readonly bucket: string; readonly role: string; readonly to: string; readonly rule?: Partial<ReplicationRule> },
): Promise<void> {
  const { bucket, role, to, rule = {} } = of
  const base: ReplicationRule = {
    ID: 'rule',
    Priority: 1,
    Status: 'Enabled',
    Filter: { Prefix: '' },
    DeleteMarkerReplication: { Status: 'Enabled' },
    Destination: { Bucket: `arn:aws:s3:::${to}` },
  }
  const Rules = [{ ...base, ...rule }]
  await region.s3.send(new PutBucketReplicationCommand({ Bucket: bucket, ReplicationConfiguration: { Role: role, Rules } }))
}

/** Two buckets, a role and a rule between them. */
export async function linkBuckets(
  pair: Pair,
  rule: Partial<ReplicationRule> = {},
): Promise<{ readonly near: string; readonly far: string; readonly role: string }> {
  const near = await versionedBucket(pair.source, 'near-shore')
  const far = await versionedBucket(pair.destination, 'far-shore')
  const role = await makeRole(pair)
  await putRule(pair.source, { bucket: near, role, to: far, rule })
  return { near, far, role }
}

export function head(region: PairRegion, bucket: string, key: string, versionId?: string): Promise<HeadObjectCommandOutput> {
  return region.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId, ChecksumMode: 'ENABLED' }))
}

/** Asks again and again, until it holds. @throws the last failure when it never does */
export async function eventually<T>(look: () => Promise<T>, deadlineMs = 20_000): Promise<T> {
  const endMs = Date.now() + deadlineMs
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (Date.now() > endMs) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** Waits for what HEAD on the source says. */
export function untilStatus(
  region: PairRegion,
  of: {
    readonly bucket: string
    readonly key: string
    readonly versionId?: string | undefined
    readonly status: string
    readonly deadlineMs?: number
  },
): Promise<HeadObjectCommandOutput> {
  return eventually(async () => {
    const found = await head(region, of.bucket, of.key, of.versionId)
    if (found.ReplicationStatus !== of.status) throw new Error(`${of.key} is ${found.ReplicationStatus}, not ${of.status}`)
    return found
  }, of.deadlineMs)
}

/** Waits until nothing of the region's is pending, so that what should not come can be known not to be on its way. */
export async function untilDrained(region: PairRegion, deadlineMs?: number): Promise<void> {
  await eventually(async () => {
    const { rules } = await region.admin<Rules>('/admin/v1/replication')
    const pending = rules.reduce((sum, { pendingOperations }) => sum + pendingOperations, 0)
    if (pending > 0) throw new Error(`${pending} versions are pending in ${region.name}`)
  }, deadlineMs)
}

export interface Failed {
  readonly objects: readonly {
    readonly key: string
    readonly versionId: string
    readonly reason: string
    readonly message: string
    readonly attempts: number
  }[]
}

export interface Rules {
  readonly rules: readonly {
    readonly ruleId: string
    readonly pendingOperations: number
    readonly pendingBytes: number
    readonly failed: number
    readonly lastError: { readonly code: string; readonly message: string } | null
  }[]
}
