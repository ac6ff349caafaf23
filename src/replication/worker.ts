/** The engine that sends to one region: takes what is ready, keeps both lanes filled, and writes down what became of each version. */
import type { Clock } from '../lib/clock.ts'
import { type Engine, sleep } from '../lib/engine.ts'
import type { Settlement } from '../metadata/tables/settlements.ts'
import type { Task } from '../metadata/tables/tasks.ts'
import type { FailureReason } from '../model/replication-reasons.ts'
import type { ObjectParts } from '../objects/parts.ts'
import type { PeerClient } from '../peers/client.ts'
import { PeerRefused, PeerUnreachable } from '../peers/errors.ts'
import { InFlight } from './in-flight.ts'
import { createLargeLane, createSmallLane, type Lane } from './lane.ts'
import { type SendParts, type Sent, sendBatch, sendLarge } from './send.ts'
import { backoffMs, retryOf, type SettleContext, settlementOf } from './settle.ts'
import type { LinkFault } from './status.ts'
import { batchMaxVersions } from './wire.ts'

export interface WorkerLog {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface WorkerParts {
  readonly objects: ObjectParts
  readonly client: PeerClient
  readonly controlPosition: () => number
  /** One higher after each change of a role, bucket or configuration. */
  readonly changes: () => number
  /** The region is back: what failed may have been mended while nobody could tell us. */
  readonly onReturn: () => void
  readonly clock: Clock
  readonly random: () => number
  readonly log: WorkerLog
}

export interface WorkerStatus {
  readonly region: string
  readonly link: ReturnType<PeerClient['status']>
  /** What keeps all work from the region now: it is away, or has trouble that meets every version. */
  readonly fault: LinkFault | undefined
  readonly inFlight: number
  readonly sentVersions: number
  readonly sentBytes: number
  /** The last fault that concerned a batch as a whole. */
  readonly lastFault: { readonly code: FailureReason; readonly message: string; readonly atMs: number } | null
}

export interface Worker extends Engine {
  status(): WorkerStatus & Readonly<Record<string, unknown>>
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>
}

/** Settlements of one command: the event loop is not held for longer than it takes to commit these. */
const commandMaxSettlements = 128
/** Without a nudge there is a look at the queue this often. */
const pollMs = 1_000
/** What stands in the way of a whole batch is waited out, longer each time, up to this: nobody will tell when it is gone. */
const pauseFirstMs = 100
const pauseMaxMs = 5_000
/** From so many batches in a row that failed whole, their tasks are put off one by one, so that one of them cannot hold up the others. */
const putOffAfterFailures = 3

export function createWorker(parts: WorkerParts): Worker {
  return new RegionWorker(parts)
}

class RegionWorker implements Worker {
  readonly name: string
  readonly #parts: WorkerParts
  readonly #send: SendParts
  readonly #inFlight = new InFlight()
  readonly #lanes: readonly { readonly lane: Lane; readonly running: Set<Promise<void>> }[]
  #ended = Promise.withResolvers<void>()
  #seenSeq = 0
  /** Of all time, and since the last batch that did not fail. */
  #failures = 0
  #failuresInRow = 0
  #pausedUntilMs = 0
  #wasReachable = true
  #sentVersions = 0
  #sentBytes = 0
  #lastFault: WorkerStatus['lastFault'] = null

  constructor(parts: WorkerParts) {
    const { objects, client, clock, controlPosition } = parts
    this.name = `replication to ${client.region}`
    this.#parts = parts
    this.#send = { objects, client, controlPosition, clock }
    const laneParts = { metadata: objects.metadata, region: client.region, clock, inFlight: this.#inFlight }
    this.#lanes = [createSmallLane(laneParts), createLargeLane(laneParts)].map((lane) => ({ lane, running: new Set() }))
  }

  status(): WorkerStatus & Readonly<Record<string, unknown>> {
    return {
      region: this.#parts.client.region,
      link: this.#parts.client.status(),
      fault: this.#faultNow(),
      inFlight: this.#inFlight.count,
      sentVersions: this.#sentVersions,
      sentBytes: this.#sentBytes,
      lastFault: this.#lastFault,
    }
  }

  async work(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const { objects, client } = this.#parts
    if (!this.#mayWork()) return 'idle'
    // What is committed or ends from here on wakes the wait, even while the queue is read.
    this.#seenSeq = objects.metadata.status().durableSeq
    this.#ended = Promise.withResolvers()
    if (!this.#wasReachable) {
      this.#wasReachable = true
      this.#parts.onReturn()
    }
    let hasStarted = false
    for (const { lane, running } of this.#lanes) {
      if (running.size >= lane.slots) continue
      const tasks = await lane.next(Math.max(1, Math.floor(batchMaxVersions / 4 ** this.#failuresInRow)))
      if (tasks.length === 0) continue
      hasStarted = true
      const batch = this.#carry(lane, tasks, signal).finally(() => {
        running.delete(batch)
        this.#ended.resolve()
      })
      running.add(batch)
    }
    return hasStarted && client.isReachable ? 'busy' : 'idle'
  }

  async wait(signal: AbortSignal): Promise<void> {
    const { client, objects } = this.#parts
    const done = new AbortController()
    const until = AbortSignal.any([signal, done.signal])
    try {
      if (!client.isReachable) {
        this.#wasReachable = false
        await client.waitUntilReachable(until)
        return
      }
      const pauseMs = this.#pauseLeftMs()
      if (pauseMs > 0) {
        await sleep(Math.min(pauseMs, pollMs), until)
        return
      }
      const waits: Promise<unknown>[] = [this.#ended.promise, sleep(pollMs, until)]
      if (this.#lanes.some(({ lane, running }) => running.size < lane.slots)) waits.push(objects.metadata.waitBeyond(this.#seenSeq, until))
      await Promise.race(waits)
    } finally {
      done.abort()
    }
  }

  async idle(): Promise<void> {
    await Promise.all(this.#lanes.flatMap(({ running }) => [...running]))
  }

  #faultNow(): LinkFault | undefined {
    const link = this.#parts.client.status()
    if (link.state !== 'closed') return { code: 'DstUnreachable', message: link.why, atMs: link.sinceMs }
    return this.#failuresInRow > 0 ? (this.#lastFault ?? undefined) : undefined
  }

  #mayWork(): boolean {
    return this.#parts.client.isReachable && this.#pauseLeftMs() === 0
  }

  /** NOTE: a pause longer than any that is made was measured by a clock that has been put back since. */
  #pauseLeftMs(): number {
    const leftMs = this.#pausedUntilMs - this.#parts.clock.nowMs()
    return leftMs > 0 && leftMs <= pauseMaxMs ? leftMs : 0
  }

  /** Never rejects. */
  async #carry(lane: Lane, tasks: readonly Task[], signal: AbortSignal): Promise<void> {
    const begun = { changes: this.#parts.changes(), failures: this.#failures }
    try {
      const sent = await this.#sendOn(lane, tasks, signal)
      this.#count(sent)
      const context = this.#context(begun.changes)
      await this.#settle(sent.flatMap((one) => settlementOf(one, context) ?? []))
      this.#judgeLink(sent, begun.failures)
      lane.putBack(sent.flatMap((one) => (one.kind === 'left' && one.task.isReady ? [one.task] : [])))
    } catch (error) {
      if (!signal.aborted) await this.#batchFailed(tasks, error, begun)
    } finally {
      this.#inFlight.release(tasks)
    }
  }

  async #sendOn(lane: Lane, tasks: readonly Task[], signal: AbortSignal): Promise<readonly Sent[]> {
    if (lane.name === 'small') return await sendBatch(this.#send, tasks, signal)
    return await Promise.all(tasks.map((task) => sendLarge(this.#send, task, signal)))
  }

  #context(changesBefore: number): SettleContext {
    const { clock, random, changes } = this.#parts
    return { nowMs: clock.nowMs(), random, changedMeanwhile: changes() !== changesBefore }
  }

  async #settle(settlements: readonly Settlement[]): Promise<void> {
    const commands: Promise<void>[] = []
    for (let at = 0; at < settlements.length; at += commandMaxSettlements) {
      const some = settlements.slice(at, at + commandMaxSettlements)
      commands.push(this.#parts.objects.metadata.commit({ tx: 'settle', settlements: some }))
    }
    const settled = await Promise.allSettled(commands)
    for (const one of settled) if (one.status === 'rejected') throw one.reason
  }

  /** Faults that will meet every version alike are waited out by the link; all others are their version's own. */
  #judgeLink(sent: readonly Sent[], failuresBefore: number): void {
    const fault = sent.find(isLinkFault)
    if (fault?.kind === 'answered' && fault.acknowledgement.kind === 'failed') {
      this.#failed({ reason: fault.acknowledgement.reason, message: fault.acknowledgement.message }, failuresBefore)
      return
    }
    this.#failuresInRow = 0
    this.#pausedUntilMs = 0
  }

  async #batchFailed(
    tasks: readonly Task[],
    error: unknown,
    begun: { readonly changes: number; readonly failures: number },
  ): Promise<void> {
    // It was found to be away before anything was sent.
    if (error instanceof PeerUnreachable && error.fault === 'waiting') return
    const { client, log } = this.#parts
    const fault = faultOf(error)
    if (fault === undefined) log.error({ peer: client.region, err: error }, 'replication batch failed')
    const why: Fault = fault ?? { reason: 'DstUnreachable', message: 'The source could not send it; its log says why.' }
    this.#failed(why, begun.failures)
    if (this.#failuresInRow < putOffAfterFailures) return
    const context = this.#context(begun.changes)
    await this.#settle(tasks.map((task) => retryOf(task, why, context))).catch((err: unknown) => {
      log.error({ peer: client.region, err }, 'replication outcome not written')
    })
  }

  /** @param failuresBefore  when the batch began: batches that were under way together and failed together count as one */
  #failed({ reason, message }: Fault, failuresBefore: number): void {
    const { client, clock, random } = this.#parts
    const nowMs = clock.nowMs()
    this.#lastFault = { code: reason, message, atMs: nowMs }
    if (failuresBefore !== this.#failures) return
    this.#failures += 1
    // Whoever is away is looked for by others, who will say when it is back.
    if (client.isReachable) {
      const delayMs = backoffMs({ firstMs: pauseFirstMs, maxMs: pauseMaxMs, attempts: this.#failuresInRow, random: random() })
      this.#pausedUntilMs = nowMs + delayMs
    }
    this.#failuresInRow += 1
  }

  #count(sent: readonly Sent[]): void {
    for (const one of sent) {
      if (one.kind !== 'answered' || one.acknowledgement.kind !== 'stands') continue
      this.#sentVersions += 1
      this.#sentBytes += one.task.contentBytes
    }
  }
}

interface Fault {
  readonly reason: FailureReason
  readonly message: string
}

/** Faults of the other region as a whole. */
const linkFaults: ReadonlySet<FailureReason> = new Set(['DstUnreachable', 'DstBehind', 'DstOutOfCapacity'])

function isLinkFault(sent: Sent): boolean {
  if (sent.kind !== 'answered' || sent.acknowledgement.kind !== 'failed') return false
  return linkFaults.has(sent.acknowledgement.reason)
}

/** @returns undefined for what is no fault of the other region */
function faultOf(error: unknown): Fault | undefined {
  if (error instanceof PeerUnreachable) return { reason: 'DstUnreachable', message: error.message }
  if (error instanceof PeerRefused)
    return { reason: 'DstUnreachable', message: `Region ${error.region} refused: ${error.code}: ${error.message}` }
  return undefined
}
