/** A region, composed: every part is made here, given what it needs, started in order and ended in the reverse. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { createKeys } from './access/credentials.ts'
import { createAdminServer } from './admin/server.ts'
import { openBlobStore } from './blobs/open-blob-store.ts'
import { createKeyring } from './blobs/seal.ts'
import { readMasterKey } from './config/master-key.ts'
import type { Config } from './config/schema.ts'
import { createControl } from './control/control.ts'
import { createQueryHandler } from './iam/query.ts'
import { systemClock } from './lib/clock.ts'
import { type Engine, runEngine } from './lib/engine.ts'
import { createHashers } from './lib/hash.ts'
import { HybridClock } from './lib/hybrid-clock.ts'
import type { Metadata } from './metadata/engine.ts'
import { schema } from './metadata/schema.ts'
import { openSqlite } from './metadata/sqlite/open.ts'
import { transactions, usesReserve } from './metadata/transactions.ts'
import { createBuckets } from './objects/buckets.ts'
import { createObjects } from './objects/objects.ts'
import type { ObjectParts } from './objects/parts.ts'
import { ReaderPins } from './objects/reader-pins.ts'
import { createReclaim } from './objects/reclaim.ts'
import { operations } from './operations/index.ts'
import { createPeers } from './peers/peers.ts'
import { createReplication } from './replication/replication.ts'
import { createAccountGate } from './s3/account-gate.ts'
import type { Health } from './s3/internal.ts'
import { createS3Server } from './s3/server.ts'

export interface RunningRegion {
  readonly s3Port: number
  readonly adminPort: number
  /** Lets requests in flight end, stops the engines, closes the files. */
  close(): Promise<void>
  /** Rejects when the region cannot go on. */
  readonly failed: Promise<never>
}

export interface RegionParts {
  readonly log: Logger
  /** How bytes are stored: another store may stand in for the folder of files. */
  readonly openBlobs?: typeof openBlobStore
}

/** @throws Error in words for an operator when the folder belongs to another region or key, or a port cannot be had */
export async function startRegion(config: Config, given: RegionParts): Promise<RunningRegion> {
  const closers: (() => Promise<void>)[] = []
  const closing = (close: () => Promise<void>): void => void closers.unshift(close)
  const close = async (): Promise<void> => {
    for (const closeOne of closers.splice(0)) await closeOne()
  }
  try {
    return { ...(await compose(config, given, closing)), close, failed: new Promise(() => undefined) }
  } catch (error) {
    await close()
    throw error
  }
}

async function compose(
  config: Config,
  given: RegionParts,
  closing: (close: () => Promise<void>) => void,
): Promise<{ s3Port: number; adminPort: number }> {
  const clock = systemClock
  const { log } = given
  const { metadata, parts } = await openStores(config, given, closing)
  const { credentials, regions, region: self } = config

  const peers = createPeers({
    self,
    regions,
    peeringSecret: credentials.peeringSecret,
    insecurePeers: config.insecurePeers,
    boot: metadata.boot,
    clock,
    log,
  })
  closing(() => peers.close())
  const control = await createControl({ metadata, self, regions, peers, clock, log, accountId: credentials.accountId })
  closing(() => control.close())
  const replication = createReplication({ parts, control, peers, self, clock, log })
  closing(() => replication.close())
  const engines: readonly Engine[] = [createReclaim(parts), ...control.engines, ...replication.engines]

  const keys = createKeys(credentials, peers.peerKeyOf)
  const others = regions.map(({ name }) => name).filter((name) => name !== self)
  const health = (): Health => healthOf(metadata)
  const services = {
    objects: createObjects(parts),
    buckets: createBuckets({ metadata, changed: (bucket) => control.changed(bucket) }),
    control,
    hashing: parts.hashing,
    defaults: {
      region: self,
      account: credentials,
      encryption: config.encryption.default,
      ownership: config.buckets.ownership,
      publicAccessBlock: config.buckets.publicAccessBlock,
    },
  }
  const gate = createAccountGate({
    keys,
    regions: [self, ...others],
    resolveBucket: (name) => control.resolveBucket(name),
    accountIdOf: (canonicalId) => (canonicalId === credentials.canonicalId ? credentials.accountId : undefined),
  })
  const s3 = createS3Server({
    config,
    operations,
    gate,
    services,
    hashing: parts.hashing,
    query: createQueryHandler(services),
    peer: (call) => peers.routes.handle(call),
    health,
    nowMs: () => clock.nowMs(),
    log,
  })
  const admin = createAdminServer({ config, gate, replication, health, nowMs: () => clock.nowMs(), log })
  const { port: s3Port } = await s3.listen()
  closing(() => s3.close())
  // Other regions wait here for rows of the control log: they are sent away first, or the end would wait for them.
  closing(() => control.close())
  const { port: adminPort } = await admin.listen()
  closing(() => admin.close())
  closing(startEngines(engines, log))
  await peers.greet()
  return { s3Port, adminPort }
}

async function openStores(
  config: Config,
  { log, openBlobs = openBlobStore }: RegionParts,
  closing: (close: () => Promise<void>) => void,
): Promise<{ metadata: Metadata; parts: ObjectParts }> {
  const { dataDirectory, reserveBytes } = config
  const keyring = createKeyring(await readMasterKey(config))
  const metadata = await openSqlite({
    directory: join(dataDirectory, 'metadata'),
    transactions,
    usesReserve,
    schema,
    clock: systemClock,
    reserveBytes,
    log,
  })
  closing(() => metadata.close())
  await checkFolder(metadata, { region: config.region, 'master key': keyring.keyId })
  const blobs = await openBlobs({ directory: join(dataDirectory, 'blobs'), boot: metadata.boot, reserveBytes, log })
  closing(() => blobs.close())
  const hashing = await createHashers()
  closing(() => hashing.close())
  const parts: ObjectParts = {
    metadata,
    blobs,
    hashing,
    keyring,
    ids: new HybridClock({ clock: systemClock, region: config.region }),
    readers: new ReaderPins(),
    encryptByDefault: config.encryption.default === 'AES256',
  }
  return { metadata, parts }
}

/** A folder belongs to one region and one master key, from its first start on. */
async function checkFolder(metadata: Metadata, facts: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(facts)) {
    const { standing } = await metadata.commit({ tx: 'rememberFact', name, value })
    if (standing !== value) throw new Error(`The data folder belongs to the ${name} ${standing}, and not to ${value}.`)
  }
}

/** A full disk still reads, deletes and settles, and is ready; a fenced store is not. */
function healthOf(metadata: Metadata): Health {
  const { state, reason } = metadata.status()
  const reasons = state === 'open' ? [] : [reason ?? `the metadata store is ${state}`]
  return { isReady: state === 'open' || state === 'full', reasons }
}

function startEngines(engines: readonly Engine[], log: Logger): () => Promise<void> {
  const stop = new AbortController()
  const running = engines.map((engine) => runEngine(engine, { signal: stop.signal, log }))
  return async () => {
    stop.abort(new Error('the region stops'))
    await Promise.all(running)
  }
}
