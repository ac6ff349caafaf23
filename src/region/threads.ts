/** The threads that serve a region's S3 port, as the thread that commits sees them: started, answered, replaced when one dies, ended. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { SegmentId } from '../blobs/store.ts'
import type { Config } from '../config/schema.ts'
import type { Control } from '../control/control.ts'
import { sleep } from '../lib/engine.ts'
import { Link, type LinkHandlers } from '../lib/link.ts'
import { threadScript } from '../lib/thread-script.ts'
import type { SharedMetadata } from '../metadata/sqlite/open.ts'
import { S3Error } from '../model/errors.ts'
import { dropPins } from '../objects/reader-pins.ts'
import type { IncomingBody, PeerRoutes } from '../peers/routes.ts'
import type { RecentRequest } from '../s3/recent.ts'
import { threadErrors } from './errors.ts'
import type { ForwardedCall, RegionAsks, ThreadAsks, ThreadData } from './messages.ts'

/** A fourth of it makes listings twice as dear; twice as much saves nothing and takes 40 MiB (`npm run bench`). */
const maxYoungGenerationSizeMb = 48
const restartFirstMs = 100
const restartMaxMs = 10_000
/** Who served this long is not failing over and over. */
const soundAfterMs = 60_000

export interface ThreadsParts {
  readonly config: Config
  readonly metadata: SharedMetadata
  readonly control: Control
  readonly routes: PeerRoutes
  /** One share a thread; the first is this thread's own. */
  readonly pins: readonly SharedArrayBuffer[]
  readonly log: Logger
  /** A thread is gone, and nobody will commit what it had written. */
  readonly onDeath: () => void
}

export interface Threads {
  readonly port: number
  /** Whether the thread that wrote blobs under this number has ended. */
  isBootDead(boot: number): boolean
  /** Lets the thread that writes it begin another segment. */
  seal(segment: SegmentId): Promise<void>
  /** The last requests that each of them answered. */
  recent(): Promise<readonly RecentRequest[]>
  /** Lets requests in flight end, in all of them. */
  close(): Promise<void>
}

/** Resolves when all listen. @throws the system's error when the port cannot be had */
export async function startThreads(parts: ThreadsParts): Promise<Threads> {
  await checkPort(parts.config.s3)
  const address = { port: parts.config.s3.port }
  const stopping = new AbortController()
  const living = new Set<number>()
  const places = parts.pins.map((_, place) => place).slice(1)
  const slots = places.map((place) => new Slot({ ...parts, address, place, living, stopping: stopping.signal }))
  const close = async (): Promise<void> => {
    stopping.abort(new Error('the region stops'))
    await Promise.all(slots.map((slot) => slot.close()))
  }
  try {
    // Where any port will do, the first finds one, and the others share it.
    const first = address.port === 0 ? slots.slice(0, 1) : slots
    for (const group of [first, slots.slice(first.length)]) await Promise.all(group.map((slot) => slot.start()))
  } catch (error) {
    await close()
    throw error
  }
  const seal = async (segment: SegmentId): Promise<void> => {
    await Promise.all(slots.map((slot) => slot.seal(segment)))
  }
  const recent = async (): Promise<readonly RecentRequest[]> => (await Promise.all(slots.map((slot) => slot.recent()))).flat()
  return { port: address.port, isBootDead: (boot) => !living.has(boot), seal, recent, close }
}

interface SlotParts extends ThreadsParts {
  /** Where they listen; 0 until the first one has found a port. */
  readonly address: { port: number }
  readonly place: number
  /** Boots of threads that live. */
  readonly living: Set<number>
  readonly stopping: AbortSignal
}

/** One place among the threads, and whichever thread has it. */
class Slot {
  readonly #parts: SlotParts
  #thread: RunningThread | undefined
  #failures = 0

  constructor(parts: SlotParts) {
    this.#parts = parts
  }

  /** @throws Error when it ends before it listens */
  async start(): Promise<void> {
    const { metadata, living } = this.#parts
    const { boot } = await metadata.commit({ tx: 'countBoot' })
    this.#parts.stopping.throwIfAborted()
    living.add(boot)
    const thread = new RunningThread(this.#parts, boot)
    this.#thread = thread
    void thread.ended.then((why) => this.#ended(thread, why))
    this.#parts.address.port = await thread.listening
  }

  async seal(segment: SegmentId): Promise<void> {
    if (this.#thread?.boot === segment.boot) await this.#thread.seal(segment)
  }

  /** Of one that is being replaced nothing is known. */
  async recent(): Promise<readonly RecentRequest[]> {
    return (await this.#thread?.recent().catch(() => [])) ?? []
  }

  async close(): Promise<void> {
    await this.#thread?.close()
  }

  async #ended({ boot, startedMs, settled }: RunningThread, why: Error): Promise<void> {
    const { living, pins, place, log, onDeath, stopping } = this.#parts
    // NOTE: its last commands may still be on their way into rows, which then refer to what it wrote.
    await settled()
    const share = pins[place]
    if (share !== undefined) dropPins(share)
    living.delete(boot)
    if (stopping.aborted) return
    onDeath()
    this.#failures = performance.now() - startedMs > soundAfterMs ? 0 : this.#failures + 1
    log.error({ err: why, thread: place }, 'a serving thread ended and is replaced')
    await this.#replace()
  }

  async #replace(): Promise<void> {
    const { log, place, stopping } = this.#parts
    const before = this.#thread
    try {
      await sleep(Math.min(restartMaxMs, restartFirstMs * 2 ** this.#failures), stopping)
      await this.start()
    } catch (err) {
      // One that began and ended before it listened is replaced by its own end.
      if (stopping.aborted || this.#thread !== before) return
      log.error({ err, thread: place }, 'a serving thread could not be started')
      this.#failures += 1
      await this.#replace()
    }
  }
}

class RunningThread {
  readonly boot: number
  readonly startedMs = performance.now()
  /** With its port; rejects when it ends before. */
  readonly listening: Promise<number>
  /** Why, once it has ended. */
  readonly ended: Promise<Error>
  /** Resolves when all that it asked for is done. */
  readonly settled: () => Promise<void>
  readonly #worker: Worker
  readonly #link: Link<RegionAsks, ThreadAsks>

  constructor(parts: SlotParts, boot: number) {
    const { config, metadata, pins, place, address } = parts
    this.boot = boot
    const data: ThreadData = {
      config: sharedLimits(config, pins.length - 1),
      boot,
      journal: metadata.journal.memory,
      pins,
      place,
      port: address.port,
    }
    this.#worker = startWorker(data)
    const listening = Promise.withResolvers<number>()
    this.listening = listening.promise
    this.#link = new Link({ port: this.#worker, errors: threadErrors, handlers: handlersOf(parts, listening.resolve) })
    this.settled = () => this.#link.settled()
    this.ended = this.#whenEnded()
    void this.ended.then((why) => {
      listening.reject(why)
      this.#link.end(new S3Error('ServiceUnavailable', { message: 'The thread that served this has ended.' }))
    })
  }

  async seal(segment: SegmentId): Promise<void> {
    await this.#link.call('seal', segment)
  }

  recent(): Promise<readonly RecentRequest[]> {
    return this.#link.call('recent', undefined)
  }

  async close(): Promise<void> {
    await Promise.race([this.#link.call('close', undefined).catch(() => undefined), this.ended])
    await this.#worker.terminate()
    await this.ended
  }

  async #whenEnded(): Promise<Error> {
    let why = new Error('it ended by itself')
    this.#worker.on('error', (error) => {
      why = error instanceof Error ? error : new Error(String(error))
    })
    // NOTE: a thread without memory ends in the same turn as it tells of its error; what rejects at that error would miss the end.
    await new Promise((resolve) => this.#worker.once('exit', resolve))
    return why
  }
}

function startWorker(data: ThreadData): Worker {
  return new Worker(threadScript('thread', import.meta.url), { workerData: data, resourceLimits: { maxYoungGenerationSizeMb } })
}

/** Each thread takes its part of the connections and requests. */
function sharedLimits(config: Config, threads: number): Config {
  const maxConnections = Math.ceil(config.limits.maxConnections / threads)
  const maxRequests = Math.ceil(config.limits.maxRequests / threads)
  return { ...config, limits: { ...config.limits, maxConnections, maxRequests } }
}

function handlersOf({ metadata, control, routes }: SlotParts, onListening: (port: number) => void): LinkHandlers<ThreadAsks> {
  return {
    commit: (command) => metadata.commit(command),
    peer: (call, signal) => routes.handle({ ...call, query: new Map(call.query), body: bodyOf(call), signal }),
    createBucket: (input) => control.createBucket(input),
    deleteBucket: (bucket) => control.deleteBucket(bucket),
    bucketFacts: (name) => control.bucketFacts(name),
    changeIdentities: (change) => control.changeIdentities(change),
    async changed(bucket) {
      control.changed(bucket)
    },
    async listening({ port }) {
      onListening(port)
      return undefined
    },
  }
}

function bodyOf({ bytes }: ForwardedCall): IncomingBody {
  return {
    lengthBytes: bytes.length,
    async *[Symbol.asyncIterator]() {
      if (bytes.length > 0) yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    },
  }
}

/**
 * Threads share their port, so that they would not notice another server on it: whether it is free is found out before.
 * @throws the system's error when it cannot be had
 */
async function checkPort({ host, port }: Config['s3']): Promise<void> {
  if (port === 0) return
  const probe = createServer().listen({ host, port, exclusive: true })
  await once(probe, 'listening')
  await new Promise((resolve) => probe.close(resolve))
}
