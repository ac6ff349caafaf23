/** A region, composed: every part is made here, given what it needs, started in order and ended in the reverse. */
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { createAccounts } from './admin/accounts.ts'
import { activityRoute } from './admin/activity.ts'
import { createDamageList } from './admin/damage.ts'
import { enginesRoute } from './admin/engines.ts'
import { createLifecycleView } from './admin/lifecycle.ts'
import { createMovesView } from './admin/moves.ts'
import { regionStanding } from './admin/region.ts'
import { replicationPreflightRoute } from './admin/replication-preflight.ts'
import { replicationQueueRoutes } from './admin/replication-queue.ts'
import { createAdminServer } from './admin/server.ts'
import { createArchive } from './archive/archive.ts'
import { missingTiers } from './archive/missing-tiers.ts'
import type { openBlobStore } from './blobs/open-blob-store.ts'
import type { Config } from './config/schema.ts'
import { type Console, createConsole } from './console/console.ts'
import { createControl } from './control/control.ts'
import { beginAccounts } from './control/first-account.ts'
import { systemClock } from './lib/clock.ts'
import { type Engine, runEngine } from './lib/engine.ts'
import { createPace } from './lib/pace.ts'
import { createLifecycle } from './lifecycle/lifecycle.ts'
import { ReaderPins, sharedPins } from './objects/reader-pins.ts'
import { createPeers } from './peers/peers.ts'
import { createDiskEngines } from './region/disk-engines.ts'
import { createFront, createGate, healthOf, openKeyUses } from './region/front.ts'
import { type Closing, openStores } from './region/stores.ts'
import { startThreads, type Threads } from './region/threads.ts'
import { createReplication } from './replication/replication.ts'
import { RecentRequests } from './s3/recent.ts'
import type { openTiers } from './tiers/open-tiers.ts'

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
  /** Where bytes go that leave the region's disk: others may stand in for them. */
  readonly openTiers?: typeof openTiers
  /** Where the web application of the console lies, built. */
  readonly consoleFolder?: string
}

/** In the clone what `npm run build` makes, in the package beside this file. */
const builtConsole = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../build/console' : './console/web', import.meta.url))

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
  { log, openBlobs, openTiers, consoleFolder }: RegionParts,
  closing: Closing,
): Promise<{ s3Port: number; adminPort: number }> {
  const clock = systemClock
  const startedMs = clock.nowMs()
  const { credentials, regions, region: self, workers } = config
  const pins = sharedPins(workers === 1 ? 1 : 1 + workers)
  const { metadata, parts } = await openStores(config, { log, openBlobs, openTiers, pins: new ReaderPins(pins) }, closing)

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
  const control = await createControl({ metadata, self, regions, peers, clock, log })
  closing(() => control.close())
  await beginAccounts(control, credentials, { self, nowMs: clock.nowMs() })
  const replication = createReplication({ parts, control, peers, self, clock, log })
  closing(() => replication.close())
  let threads: Threads | undefined
  const disk = createDiskEngines(config, { parts, threads: () => threads, clock, log })
  const archive = createArchive({
    ...parts,
    pace: createPace(config.archive.bytesPerSecond),
    dayMs: config.lifecycle.daySeconds * 1000,
    concurrency: config.archive.concurrency,
    log,
  })
  const missing = await missingTiers(parts)
  if (missing.length > 0) log.warn({ tiers: missing }, 'tiers that hold objects are not in the configuration: these objects cannot be read')
  const lifecycle = createLifecycle({ metadata, ids: parts.ids, clock, dayMs: config.lifecycle.daySeconds * 1000, log })
  const engines: readonly Engine[] = [...disk.engines, ...archive.engines, ...lifecycle.engines, ...control.engines, ...replication.engines]

  const uses = openKeyUses(metadata, closing)
  let console: Console | undefined
  const recent = new RecentRequests()
  const gate = createGate(config, { parts, control, peerKeyOf: peers.peerKeyOf, uses })
  const admin = createAdminServer({
    config,
    gate,
    replication,
    damage: createDamageList(metadata),
    lifecycle: createLifecycleView({ lifecycle, region: self }),
    moves: createMovesView({ metadata, tiers: parts.tiers, region: self }),
    accounts: createAccounts({
      control,
      secret: credentials.peeringSecret,
      firstAccountId: credentials.accountId,
      nowMs: () => clock.nowMs(),
    }),
    standing: () => regionStanding({ control, peers }),
    promote: (how) => control.promote(how),
    rejoin: (how) => control.rejoin(how),
    console: () => console,
    routes: [
      ...replicationQueueRoutes({ metadata, clock }),
      replicationPreflightRoute({ metadata, control, peers, clock }),
      activityRoute({ metadata, recent: async () => (await threads?.recent()) ?? recent.list() }),
      enginesRoute({ ...config, engines, metadata, startedMs, nowMs: () => clock.nowMs() }),
    ],
    health: () => healthOf(metadata, control.standing().stopped),
    nowMs: () => clock.nowMs(),
    log,
  })
  let s3Port: number
  if (workers === 1) {
    const front = createFront({ config, parts, control, gate, uses, peer: (call) => peers.routes.handle(call), recent, log })
    s3Port = (await front.listen()).port
    closing(() => front.close())
  } else {
    threads = await startThreads({ config, metadata, control, routes: peers.routes, pins, log, onDeath: () => disk.sweepAgain() })
    s3Port = threads.port
    closing(threads.close)
  }
  // Other regions wait here for rows of the control log: they are sent away first, or the end would wait for them.
  closing(() => control.close())
  const { port: adminPort } = await admin.listen()
  closing(() => admin.close())
  console = createConsole({
    ...consoleOf(config, { s3Port, adminPort }),
    folder: consoleFolder ?? builtConsole,
    home: () => control.standing().home,
    clock,
    log,
  })
  closing(() => console?.close() ?? Promise.resolve())
  closing(startEngines(engines, log))
  await peers.greet()
  return { s3Port, adminPort }
}

/** Itself it reaches on its own ports, the others where the configuration says. */
function consoleOf(
  { region: self, regions, s3, admin, credentials }: Config,
  { s3Port, adminPort }: { readonly s3Port: number; readonly adminPort: number },
): Pick<Parameters<typeof createConsole>[0], 'self' | 'regions' | 'operator'> {
  const { accountId, rootAccessKeyId: accessKeyId, rootSecretAccessKey: secretAccessKey } = credentials
  const own = { endpoint: ownAddress(s3.host, s3Port), admin: ownAddress(admin.host, adminPort) }
  return {
    self,
    regions: regions.map((region) => (region.name === self ? { ...region, ...own } : region)),
    operator: { accountId, credentials: { accessKeyId, secretAccessKey } },
  }
}

function ownAddress(host: string, port: number): string {
  const reached = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}

function startEngines(engines: readonly Engine[], log: Logger): () => Promise<void> {
  const stop = new AbortController()
  const running = engines.map((engine) => runEngine(engine, { signal: stop.signal, log }))
  return async () => {
    stop.abort(new Error('the region stops'))
    await Promise.all(running)
  }
}
