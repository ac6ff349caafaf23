/** One real region over HTTP: SQLite, blobs, the object service and the wire, in a folder of its own; and clients that speak to it. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { sign } from 'aws4'
import { afterAll, beforeAll } from 'vitest'
import type { Principal } from '../../src/access/caller.ts'
import { createKeys, type Keys } from '../../src/access/credentials.ts'
import { createArchive } from '../../src/archive/archive.ts'
import { openBlobStore } from '../../src/blobs/open-blob-store.ts'
import { createKeyring } from '../../src/blobs/seal.ts'
import type { BlobStore } from '../../src/blobs/store.ts'
import type { Control } from '../../src/control/control.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { runEngine } from '../../src/lib/engine.ts'
import { createHashers } from '../../src/lib/hash.ts'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import { createPace } from '../../src/lib/pace.ts'
import type { Metadata } from '../../src/metadata/engine.ts'
import { schema } from '../../src/metadata/schema.ts'
import { openSqlite } from '../../src/metadata/sqlite/open.ts'
import { bucketByName } from '../../src/metadata/tables/buckets.ts'
import { transactions, usesReserve } from '../../src/metadata/transactions.ts'
import type { Bucket, BucketSettings, VersioningState } from '../../src/model/bucket.ts'
import { S3Error } from '../../src/model/errors.ts'
import { createBuckets } from '../../src/objects/buckets.ts'
import { createObjects, type Objects } from '../../src/objects/objects.ts'
import type { ObjectParts } from '../../src/objects/parts.ts'
import { anyVersion } from '../../src/objects/read.ts'
import { ReaderPins } from '../../src/objects/reader-pins.ts'
import { createReclaim } from '../../src/objects/reclaim.ts'
import { operations } from '../../src/operations/index.ts'
import type { Defaults } from '../../src/operations/services.ts'
import { createAccountGate } from '../../src/s3/account-gate.ts'
import type { Authorization, Gate } from '../../src/s3/gate.ts'
import { createS3Server } from '../../src/s3/server.ts'
import type { SlowTiming } from '../../src/s3/slow.ts'
import type { Tiers } from '../../src/tiers/store.ts'
import { MemoryTier, memoryTiers } from './tiers.ts'

export const accountId = '123456789012'
export const canonicalId = 'c0ffee'.padEnd(64, '0')
export const accessKeyId = 'AKIATESTTESTTESTTEST'
export const secretAccessKey = 'not-a-secret-of-anybody'

export interface RegionOptions {
  /** Who may sign beside the root, all with its secret. */
  readonly principals?: readonly Principal[]
  readonly region?: string
  readonly defaults?: Partial<Defaults>
  readonly slowTiming?: SlowTiming
  /** Besides the root's. */
  readonly keys?: Keys
  /** Default: one in memory for the classes of the archive. */
  readonly tiers?: Tiers
  /** Puts something between the operations and the object service. */
  readonly between?: (objects: Objects) => Objects
}

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

export interface BucketOptions {
  readonly versioning?: VersioningState
  readonly settings?: BucketSettings
  /** The region it lives in, when that is another one. */
  readonly region?: string
}

export interface RawRequest {
  readonly method: string
  /** As it goes out: path and query, encoded by the test. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** false: anonymous. */
  readonly signed?: boolean
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  /** The text of the first element of that name, unescaped no further. */
  element(name: string): string | undefined
}

export interface TestRegion {
  readonly name: string
  readonly folder: string
  readonly port: number
  readonly endpoint: string
  readonly client: S3Client
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly objects: Objects
  readonly log: readonly LogLine[]
  /** Asked before each answer of the access check; throws what the check is to throw. Replaced by tests. */
  deny: (question: Authorization) => void
  /** Makes a bucket with a name of its own. */
  makeBucket(options?: BucketOptions): Promise<string>
  setVersioning(bucketName: string, versioning: 'Enabled' | 'Suspended'): Promise<void>
  /** One request, signed by another signer than the SDK's, that says exactly this and nothing more. */
  raw(request: RawRequest): Promise<RawAnswer>
  close(): Promise<void>
}

/** A region for the tests of a file: opened before the first, closed after the last. */
export function useRegion(options: RegionOptions = {}): () => TestRegion {
  let region: TestRegion | undefined
  beforeAll(async () => {
    region = await openRegion(options)
  })
  afterAll(async () => {
    await region?.close()
  })
  return () => {
    if (region === undefined) throw new Error('the region is not open yet')
    return region
  }
}

export async function openRegion(options: RegionOptions = {}): Promise<TestRegion> {
  const name = options.region ?? 'us-east-1'
  const folder = await mkdtemp(join(tmpdir(), 'farshore-region-'))
  const clock = systemClock
  const metadata = await openSqlite({ directory: join(folder, 'metadata'), transactions, usesReserve, schema, clock, reserveBytes: 1 })
  const blobs = await openBlobStore({ directory: join(folder, 'blobs'), boot: metadata.boot })
  const hashing = await createHashers()
  const defaults: Defaults = {
    region: name,
    account: { accountId, canonicalId },
    encryption: 'none',
    ownership: 'BucketOwnerEnforced',
    publicAccessBlock: true,
    lifecycleDayMs: 24 * 3600 * 1000,
    restoreDelayMs: { Standard: 0, Bulk: 0, Expedited: 0 },
    ...options.defaults,
  }
  const readers = new ReaderPins()
  const cold = new MemoryTier('cold')
  const parts: ObjectParts = {
    metadata,
    blobs,
    tiers: options.tiers ?? memoryTiers({ GLACIER: cold, DEEP_ARCHIVE: cold, GLACIER_IR: cold }, metadata.boot),
    hashing,
    keyring: createKeyring(randomBytes(32)),
    ids: new HybridClock({ clock, region: name }),
    clock,
    readers,
    encryptByDefault: defaults.encryption === 'AES256',
  }
  const objects = createObjects(parts)
  const log: LogLine[] = []
  const write = (level: string) => (fields: object, message: string) => void log.push({ level, message, ...fields })
  const stop = new AbortController()
  const reclaiming = runEngine(createReclaim({ metadata, blobs, readers, clock }), { signal: stop.signal, log: { warn: write('warn') } })
  const archive = createArchive({
    ...parts,
    pace: createPace(1e12),
    dayMs: defaults.lifecycleDayMs,
    concurrency: 2,
    log: { warn: write('warn'), error: write('error') },
  })
  const moving = archive.engines.map((engine) => runEngine(engine, { signal: stop.signal, log: { warn: write('warn') } }))
  const access: Pick<TestRegion, 'deny'> = { deny: () => {} }
  const server = createS3Server({
    config: serverSettings,
    operations,
    gate: gateOf({ region: name, metadata, access, principals: options.principals ?? [], more: options.keys }),
    services: {
      objects: options.between?.(objects) ?? objects,
      buckets: createBuckets({ metadata, changed: () => {} }),
      control: controlOf(options.principals ?? []),
      hashing,
      defaults,
    },
    hashing,
    query: () => Promise.reject(new S3Error('InvalidAction')),
    peer: () => Promise.reject(new S3Error('NotImplemented')),
    health: () => ({ isReady: true, reasons: [] }),
    nowMs: () => clock.nowMs(),
    log: { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') },
    ...(options.slowTiming === undefined ? {} : { slowTiming: options.slowTiming }),
  })
  const { port } = await server.listen()
  const endpoint = `http://127.0.0.1:${port}`
  const client = new S3Client({
    endpoint,
    region: name,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  })

  return Object.assign(access, {
    name,
    folder,
    port,
    endpoint,
    client,
    metadata,
    blobs,
    objects,
    log,
    makeBucket: (bucket: BucketOptions = {}) => makeBucket(metadata, { region: name, ...bucket }, name),
    async setVersioning(bucketName: string, versioning: 'Enabled' | 'Suspended') {
      const bucket = await metadata.read(() => bucketByName(bucketName))
      if (bucket === undefined) throw new Error(`there is no bucket ${bucketName}`)
      await metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning })
    },
    raw: (request: RawRequest) => sendRaw({ port, region: name }, request),
    async close() {
      client.destroy()
      await server.close()
      stop.abort(new Error('the test is over'))
      await reclaiming
      await Promise.all(moving)
      await blobs.close()
      await metadata.close()
      await rm(folder, { recursive: true, force: true })
    },
  })
}

const serverSettings = {
  s3: { host: '127.0.0.1', port: 0 },
  domains: ['s3.test'],
  limits: {
    maxConnections: 100,
    maxRequests: 100,
    headersTimeoutMs: 5000,
    idleTimeoutMs: 5000,
    keepAliveTimeoutMs: 5000,
    drainTimeoutMs: 500,
  },
  log: { access: false },
}

/** Operations on objects ask the control plane for nothing but accounts, of which there are no others, and whom policies name. */
const controlOf = (principals: readonly Principal[]) =>
  new Proxy({} as Control, {
    get: (_, property) => {
      if (property === 'accountByCanonicalId') return async () => undefined
      if (property === 'principalIds') {
        return async (arns: readonly string[]) =>
          Object.fromEntries(principals.filter(({ arn }) => arns.includes(arn)).map((one) => [one.arn, one.userId]))
      }
      throw new Error(`this region has no control plane, and ${String(property)} was asked of it`)
    },
  })

const keys = createKeys({ accountId, canonicalId, rootAccessKeyId: accessKeyId, rootSecretAccessKey: secretAccessKey }, () => undefined)

interface GateParts {
  readonly region: string
  readonly metadata: Metadata
  readonly access: Pick<TestRegion, 'deny'>
  readonly principals: readonly Principal[]
  readonly more: Keys | undefined
}

function gateOf({ region, metadata, access, principals, more }: GateParts): Gate {
  const gate = createAccountGate({
    keys: {
      async find(claimed) {
        const caller = principals.find((one) => one.accessKeyId === claimed.accessKeyId)
        return caller === undefined ? ((await more?.find(claimed)) ?? keys.find(claimed)) : { secretAccessKey, caller }
      },
    },
    regions: [region],
    async resolveBucket(name) {
      const bucket = await metadata.read(() => bucketByName(name))
      if (bucket === undefined) throw new S3Error('NoSuchBucket', { details: { BucketName: name } })
      if (bucket.region !== region) throw new S3Error('PermanentRedirect', { headers: { 'x-amz-bucket-region': bucket.region } })
      return bucket
    },
    accountIdOf: (id) => (id === canonicalId ? accountId : principals.find((one) => one.canonicalId === id)?.accountId),
    findVersion: (address) => anyVersion({ metadata }, address),
  })
  return {
    ...gate,
    authorize(question) {
      access.deny(question)
      return gate.authorize(question)
    },
  }
}

async function makeBucket(metadata: Metadata, options: BucketOptions & { readonly region: string }, selfRegion: string): Promise<string> {
  const id = randomBytes(8).toString('hex')
  const bucket: Pick<Bucket, 'id' | 'name' | 'region' | 'ownerId' | 'createdMs'> = {
    id,
    name: `bucket-${id}`,
    region: options.region,
    ownerId: canonicalId,
    createdMs: Date.now(),
  }
  const settings = options.settings ?? { ownership: 'BucketOwnerEnforced' }
  // The row of a bucket elsewhere is here too, so that this region knows where to send its clients.
  const here = options.region === selfRegion ? selfRegion : options.region
  await metadata.commit({ tx: 'appendControl', selfRegion: here, requestId: id, change: { kind: 'createBucket', bucket, settings } })
  const { versioning = 'Unversioned' } = options
  if (versioning !== 'Unversioned') await metadata.commit({ tx: 'setVersioning', bucketId: id, versioning })
  return bucket.name
}

function sendRaw({ port, region }: { port: number; region: string }, raw: RawRequest): Promise<RawAnswer> {
  const { method, path, body = '', signed = true } = raw
  const lengthHeader = body.length === 0 || hasLength(raw.headers) ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
  const plain = { Host: `127.0.0.1:${port}`, ...lengthHeader, ...raw.headers }
  const request = { service: 's3', region, method, path, headers: plain, body }
  const given = signed ? sign(request, { accessKeyId, secretAccessKey }).headers : plain
  // What is signed is UTF-8; node writes one byte a character.
  const headers = Object.fromEntries(
    Object.entries(given ?? {}).map(([name, value]) => [name, Buffer.from(String(value)).toString('latin1')]),
  )
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const text = bytes.toString()
        const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes, text, element })
      })
    })
    outgoing.on('error', reject)
    // As bytes: node would encode the head together with a text.
    outgoing.end(Buffer.from(body))
  })
}

function hasLength(headers: RawRequest['headers'] = {}): boolean {
  return Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/i.test(name))
}

/** For `deny`: refuses one action, wherever it is asked for. */
export function denying(action: string): TestRegion['deny'] {
  return (question) => {
    if (question.action === action) throw new S3Error('AccessDenied')
  }
}

/** The error that an SDK call ends in: its code, status and the answer's headers are what tests look at. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ readonly code: string; readonly status: number; readonly message: string }> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof Error) || !('$metadata' in error)) throw error
    const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number } // every SDK error has it
    return { code: error.name, status: httpStatusCode ?? 0, message: error.message }
  }
  throw new Error('the call was not refused')
}

export async function bytesOf(body: { transformToByteArray(): Promise<Uint8Array> } | undefined): Promise<Buffer> {
  return Buffer.from((await body?.transformToByteArray()) ?? [])
}
