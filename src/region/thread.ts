/**
 * A thread that serves: an S3 port of its own beside those of its siblings, its own reads and its own segments. What it commits, and what concerns
 * the control plane or other regions, it asks of the thread that holds the region together.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { destination, pino } from 'pino'
import type { BlobStore } from '../blobs/store.ts'
import type { Config } from '../config/schema.ts'
import { type ControlDoor, controlReads } from '../control/door.ts'
import { systemClock } from '../lib/clock.ts'
import { Link } from '../lib/link.ts'
import type { Metadata } from '../metadata/engine.ts'
import { ThreadMetadata } from '../metadata/sqlite/thread-metadata.ts'
import { lastControlRow } from '../metadata/tables/control.ts'
import type { Command, Outcome, TransactionName } from '../metadata/transactions.ts'
import { S3Error } from '../model/errors.ts'
import type { ObjectParts } from '../objects/parts.ts'
import { ReaderPins } from '../objects/reader-pins.ts'
import { createPeerKeys } from '../peers/credentials.ts'
import { jsonMaxBytes } from '../peers/protocol.ts'
import { type IncomingBody, type IncomingCall, type OutgoingReply, PeerRoutes } from '../peers/routes.ts'
import { replicationRoutes } from '../replication/routes.ts'
import { RecentRequests } from '../s3/recent.ts'
import { threadErrors } from './errors.ts'
import { createFront, createGate, openKeyUses } from './front.ts'
import type { RegionAsks, ThreadAsks, ThreadData } from './messages.ts'
import { metadataFolder, openParts } from './stores.ts'

type ToRegion = Link<ThreadAsks, RegionAsks>

if (parentPort === null) throw new Error('this is the script of a thread')
await serve(workerData as ThreadData, parentPort) // as threads.ts gives it

async function serve({ config, boot, journal, pins, place, port }: ThreadData, toParent: NonNullable<typeof parentPort>): Promise<void> {
  const log = pino({ level: config.log.level, base: { region: config.region, thread: place } }, destination({ fd: 2, sync: false }))
  const closers: (() => Promise<void>)[] = []
  const recent = new RecentRequests()
  let blobs: BlobStore | undefined
  const link = new Link<ThreadAsks, RegionAsks>({
    port: toParent,
    errors: threadErrors,
    handlers: {
      async recent() {
        return recent.list()
      },
      async close() {
        for (const close of closers.splice(0).reverse()) await close()
        return undefined
      },
      async seal(segment) {
        await blobs?.seal(segment)
        return undefined
      },
    },
  })
  const metadata = new ThreadMetadata({
    directory: metadataFolder(config),
    memory: journal,
    boot,
    reserveBytes: config.reserveBytes,
    clock: systemClock,
    // The outcome is that of the transaction which the command names.
    commit: <Name extends TransactionName>(command: Command<Name>) => link.call('commit', command) as Promise<Outcome<Name>>,
  })
  closers.push(() => metadata.close())
  const parts = await openParts(config, { metadata, log, pins: new ReaderPins(pins, place), isFirst: false }, (close) =>
    closers.push(close),
  )
  blobs = parts.blobs
  const control = remoteControl(config, { metadata, link, onError: (err) => log.warn({ err }, 'a change of a bucket was not told') })
  const { peerKeyOf } = createPeerKeys({
    self: config.region,
    peers: config.regions.map(({ name }) => name).filter((name) => name !== config.region),
    peeringSecret: config.credentials.peeringSecret,
  })
  const uses = openKeyUses(metadata, (close) => closers.push(close))
  const gate = createGate(config, { parts, control, peerKeyOf, uses })
  const front = createFront({
    config: { ...config, s3: { ...config.s3, port } },
    parts,
    control,
    gate,
    uses,
    peer: peerHandler(config, { parts, link, log }),
    recent,
    log,
  })
  const listening = await front.listen({ reusePort: true })
  closers.push(() => front.close())
  await link.call('listening', listening)
}

function remoteControl(
  config: Config,
  { metadata, link, onError }: { readonly metadata: Metadata; readonly link: ToRegion; readonly onError: (error: unknown) => void },
): ControlDoor {
  return {
    ...controlReads({ metadata, self: config.region, regions: config.regions }),
    createBucket: (input) => link.call('createBucket', input),
    deleteBucket: (bucket) => link.call('deleteBucket', bucket),
    bucketFacts: (name) => link.call('bucketFacts', name),
    changeIdentities: (change) => link.call('changeIdentities', change),
    changed: ({ id }) => void link.call('changed', { id }).catch(onError),
  }
}

/** Versions that other regions send are taken here, bytes and all; everything else they say is for the thread that holds the region together. */
function peerHandler(
  { region: self }: Config,
  {
    parts,
    link,
    log,
  }: { readonly parts: ObjectParts; readonly link: ToRegion; readonly log: ConstructorParameters<typeof PeerRoutes>[0]['log'] },
): (call: IncomingCall) => Promise<OutgoingReply> {
  const routes = new PeerRoutes({ self, log })
  const controlPosition = async (): Promise<number> => (await parts.metadata.read(() => lastControlRow()))?.position ?? 0
  routes.add(...replicationRoutes({ objects: parts, self, controlPosition, clock: systemClock }))
  return async (call) => {
    if (routes.knows(call)) return await routes.handle(call)
    const { method, path, headers, caller, requestId, nowMs, query, signal } = call
    const bytes = await gather(call.body)
    return await link.call('peer', { method, path, headers, caller, requestId, nowMs, query: [...query.entries()], bytes }, signal)
  }
}

/** @throws S3Error EntityTooLarge */
async function gather(body: IncomingBody): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body) {
    length += piece.length
    if (length > jsonMaxBytes) throw new S3Error('EntityTooLarge', { details: { MaxSizeAllowed: jsonMaxBytes } })
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
