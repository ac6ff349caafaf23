/** Several real regions in this process, with the control plane between them, each in a folder of its own; and clients that speak to them. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { sign } from 'aws4'
import { afterAll, beforeAll } from 'vitest'
import { createKeySealing, type KeySealing } from '../../src/access/access-keys.ts'
import { createKeys } from '../../src/access/credentials.ts'
import { KeyUses } from '../../src/access/key-uses.ts'
import { createSessions } from '../../src/access/session-tokens.ts'
import { openBlobStore } from '../../src/blobs/open-blob-store.ts'
import { createKeyring } from '../../src/blobs/seal.ts'
import { type Control, createControl } from '../../src/control/control.ts'
import { beginAccounts } from '../../src/control/first-account.ts'
import { createQueryHandler } from '../../src/iam/query.ts'
import type { VerifyWebToken } from '../../src/iam/web-token.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { runEngine } from '../../src/lib/engine.ts'
import { createHashers } from '../../src/lib/hash.ts'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import { schema } from '../../src/metadata/schema.ts'
import { openSqlite } from '../../src/metadata/sqlite/open.ts'
import { transactions, usesReserve } from '../../src/metadata/transactions.ts'
import { createBuckets } from '../../src/objects/buckets.ts'
import { createObjects } from '../../src/objects/objects.ts'
import { anyVersion } from '../../src/objects/read.ts'
import { ReaderPins } from '../../src/objects/reader-pins.ts'
import { operations } from '../../src/operations/index.ts'
import type { Defaults } from '../../src/operations/services.ts'
import { createPeers } from '../../src/peers/peers.ts'
import { createAccountGate } from '../../src/s3/account-gate.ts'
import { createS3Server } from '../../src/s3/server.ts'
import { memoryTiers } from './tiers.ts'
import { freePorts } from './up.ts'

export { refusal } from './region.ts'

export const account = {
  accountId: '123456789012',
  canonicalId: 'c0ffee'.padEnd(64, '0'),
  rootAccessKeyId: 'AKIATESTTESTTESTTEST',
  rootSecretAccessKey: 'not-a-secret-of-anybody',
}
export const credentials = { accessKeyId: account.rootAccessKeyId, secretAccessKey: account.rootSecretAccessKey }
export const rootArn = `arn:aws:iam::${account.accountId}:root`

export interface DeploymentOptions {
  /** The first keeps the control log. */
  readonly regions?: readonly [string, ...string[]]
  readonly defaults?: Partial<Defaults>
  readonly verifyWebToken?: VerifyWebToken
}

export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** false: anonymous. */
  readonly signed?: boolean
  readonly service?: 's3' | 'iam' | 'sts'
  /** The region in the signature's scope. Left out: the one that is asked. */
  readonly scope?: string
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The text of the first element of that name. */
  element(name: string): string | undefined
}

export interface TestNode {
  readonly region: string
  readonly endpoint: string
  readonly s3: S3Client
  readonly control: Control
  /** Makes keys that this deployment knows as its own, once they are in the control log. */
  readonly accessKeys: KeySealing
  readonly peeringSecret: string
  /** One request that says exactly this, signed by another signer than the SDK's. */
  raw(request: RawRequest): Promise<RawAnswer>
  /** Resolves when every other region can be reached. */
  linked(): Promise<void>
  /** The region is gone, as if its machine were. */
  stop(): Promise<void>
}

export interface Deployment {
  node(region: string): TestNode
  close(): Promise<void>
}

/** A deployment for the tests of a file: opened before the first, closed after the last. */
export function useDeployment(options: DeploymentOptions = {}): (region?: string) => TestNode {
  let deployment: Deployment | undefined
  beforeAll(async () => {
    deployment = await openDeployment(options)
  })
  afterAll(async () => {
    await deployment?.close()
  })
  return (region = options.regions?.[0] ?? 'us-east-1') => {
    if (deployment === undefined) throw new Error('the deployment is not open yet')
    return deployment.node(region)
  }
}

export async function openDeployment({
  regions: names = ['us-east-1'],
  defaults = {},
  verifyWebToken,
}: DeploymentOptions = {}): Promise<Deployment> {
  const ports = await Promise.all(names.map(freePorts))
  const regions = names.map((name, i) => ({ name, endpoint: `http://127.0.0.1:${ports[i]}`, publicUrl: `http://127.0.0.1:${ports[i]}` }))
  const peeringSecret = randomBytes(32).toString('hex')
  const nodes = await Promise.all(
    names.map((name, i) =>
      openNode({ name, port: ports[i] ?? 0, regions, peeringSecret, defaults, ...(verifyWebToken && { verifyWebToken }) }),
    ),
  )
  await Promise.all(nodes.map((node) => node.linked()))
  return {
    node(region) {
      const node = nodes.find((one) => one.region === region)
      if (node === undefined) throw new Error(`there is no region ${region}`)
      return node
    },
    async close() {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}

interface NodeOptions {
  readonly name: string
  readonly port: number
  readonly regions: readonly { readonly name: string; readonly endpoint: string; readonly publicUrl: string }[]
  readonly peeringSecret: string
  readonly defaults: Partial<Defaults>
  readonly verifyWebToken?: VerifyWebToken
}

async function openNode({ name, port, regions, peeringSecret, defaults: given, verifyWebToken }: NodeOptions): Promise<TestNode> {
  const folder = await mkdtemp(join(tmpdir(), 'farshore-node-'))
  const clock = systemClock
  const metadata = await openSqlite({ directory: join(folder, 'metadata'), transactions, usesReserve, schema, clock, reserveBytes: 1 })
  const blobs = await openBlobStore({ directory: join(folder, 'blobs'), boot: metadata.boot })
  const hashing = await createHashers()
  const peers = createPeers({ self: name, regions, peeringSecret, insecurePeers: false, boot: metadata.boot, clock, log: silent })
  const control = await createControl({ metadata, self: name, regions, peers, clock, log: silent })
  await beginAccounts(control, account, { self: name, nowMs: clock.nowMs() })
  const defaults: Defaults = {
    region: name,
    account,
    encryption: 'none',
    ownership: 'BucketOwnerEnforced',
    publicAccessBlock: true,
    lifecycleDayMs: 24 * 3600 * 1000,
    restoreDelayMs: { Standard: 0, Bulk: 0, Expedited: 0 },
    ...given,
  }
  const ids = new HybridClock({ clock, region: name })
  const objects = createObjects({
    metadata,
    blobs,
    hashing,
    keyring: createKeyring(randomBytes(32)),
    ids,
    clock,
    tiers: memoryTiers(),
    readers: new ReaderPins(),
    encryptByDefault: defaults.encryption === 'AES256',
  })
  const uses = new KeyUses({ metadata, clock })
  const others = regions.map((region) => region.name).filter((other) => other !== name)
  const server = createS3Server({
    config: { s3: { host: '127.0.0.1', port }, domains: [], limits, log: { access: false } },
    operations,
    gate: createAccountGate({
      keys: createKeys(account, peers.peerKeyOf, {
        metadata,
        sealing: createKeySealing({ secret: peeringSecret }),
        sessions: createSessions({ secret: peeringSecret }),
      }),
      uses,
      regions: [name, ...others],
      resolveBucket: (bucket) => control.resolveBucket(bucket),
      accountIdOf: async (canonicalId) => (await control.accountByCanonicalId(canonicalId))?.accountId,
      findVersion: (address) => anyVersion({ metadata }, address),
    }),
    services: { objects, buckets: createBuckets({ metadata, changed: () => {} }), control, hashing, defaults },
    hashing,
    query: createQueryHandler({
      identities: control,
      accessKeys: createKeySealing({ secret: peeringSecret }),
      sessions: createSessions({ secret: peeringSecret }),
      ...(verifyWebToken && { verifyWebToken }),
      keyUses: uses,
    }),
    peer: peers.routes.handle,
    health: () => ({ isReady: true, reasons: [] }),
    nowMs: () => clock.nowMs(),
    log: silent,
  })
  await server.listen()
  const stopEngines = new AbortController()
  const running = control.engines.map((engine) => runEngine(engine, { signal: stopEngines.signal, log: silent }))
  const endpoint = `http://127.0.0.1:${port}`
  const s3 = new S3Client({ endpoint, region: name, forcePathStyle: true, credentials, maxAttempts: 1 })

  async function linked(): Promise<void> {
    await peers.greet()
    const until = Date.now() + 10_000
    while (peers.status().some(({ link }) => link.state !== 'closed')) {
      if (Date.now() > until) throw new Error(`${name} does not reach the other regions`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  let stopping: Promise<void> | undefined
  async function stop(): Promise<void> {
    s3.destroy()
    stopEngines.abort(new Error('the region stops'))
    await Promise.all(running)
    await control.close()
    await server.close()
    await uses.close()
    await peers.close()
    await blobs.close()
    await metadata.close()
    await rm(folder, { recursive: true, force: true })
  }
  return {
    region: name,
    endpoint,
    s3,
    control,
    accessKeys: createKeySealing({ secret: peeringSecret }),
    peeringSecret,
    raw: (request) => sendRaw(endpoint, { scope: name, ...request }),
    linked,
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

const limits = {
  maxConnections: 100,
  maxRequests: 100,
  headersTimeoutMs: 5000,
  idleTimeoutMs: 5000,
  keepAliveTimeoutMs: 5000,
  drainTimeoutMs: 200,
}
const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }

async function sendRaw(endpoint: string, request: RawRequest & { readonly scope: string }): Promise<RawAnswer> {
  const { method, path, body, signed = true, service = 's3', scope } = request
  const { host } = new URL(endpoint)
  const options = { host, service, region: scope, method, path, headers: { ...request.headers }, ...(body !== undefined && { body }) }
  const sent = signed ? sign(options, credentials) : options
  const headers = Object.entries(sent.headers ?? {})
    .filter(([name]) => name !== 'Host')
    .map(([name, value]) => [name, String(value)] as const)
  const answer = await fetch(endpoint + path, {
    method,
    headers: Object.fromEntries(headers),
    redirect: 'manual',
    ...(body !== undefined && { body }),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    element: (name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1],
  }
}

/** A name that no other test has. */
export function newName(prefix = 'bucket'): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`
}
