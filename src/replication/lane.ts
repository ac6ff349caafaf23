/**
 * The worker of one lane to one region: takes ready tasks, sends them, writes what became of them. Small versions have a lane and large ones have
 * a lane, so that one huge object never delays the rest; both share what is under way, so that a key's versions keep their order.
 */
import type { Clock } from '../lib/clock.ts'
import { type Engine, type EngineLog, sleep } from '../lib/engine.ts'
import { type Settlement, tasksBehind } from '../metadata/tables/settlements.ts'
import type { Task } from '../metadata/tables/tasks.ts'
import { PeerRefused, PeerUnreachable } from '../peers/errors.ts'
import type { InFlight } from './in-flight.ts'
import { ReadyScan, type ScanParts, takeFailed } from './ready-scan.ts'
import { type SendParts, type Sent, sendBatch, sendLarge } from './send.ts'
import { retryOf, type SettleContext, settlementOf } from './settle.ts'
import { batchMaxVersions, smallContentMaxBytes } from './wire.ts'

export interface LaneParts extends SendParts {
  readonly kind: 'small' | 'large'
  readonly inFlight: InFlight
  /** Raised whenever a role, a bucket or a configuration changes. */
  readonly changes: () => number
  readonly clock: Clock
  readonly log: EngineLog
}

/** Requests under way at one time, and what one of them may carry. */
const limits = {
  small: { deliveries: 3, tasks: batchMaxVersions, bytes: 6 * 1024 * 1024 },
  large: { deliveries: 2, tasks: 1, bytes: Number.POSITIVE_INFINITY },
} as const
/** Versions that may follow the head of a key into its batch. */
const behindMax = 64
/** What no journal entry announces, a due time, is looked for at this pace. */
const lookAgainMs = 500

export class Lane implements Engine {
  readonly name: string
  readonly #parts: LaneParts
  readonly #limits: (typeof limits)[LaneParts['kind']]
  readonly #scanParts: ScanParts
  readonly #scan: ReadyScan
  readonly #running = new Set<Promise<void>>()
  #seenSeq = 0
  #delivered = 0

  constructor(parts: LaneParts) {
    const { kind, client, objects, clock, inFlight } = parts
    this.name = `replication to ${client.region} (${kind})`
    this.#parts = parts
    this.#limits = limits[kind]
    const isOfLane = ({ contentBytes }: Task): boolean => contentBytes <= smallContentMaxBytes === (kind === 'small')
    this.#scanParts = { metadata: objects.metadata, region: client.region, clock, inFlight, isOfLane }
    this.#scan = new ReadyScan(this.#scanParts)
  }

  status(): Readonly<Record<string, unknown>> {
    return {
      region: this.#parts.client.region,
      link: this.#parts.client.status(),
      underWay: this.#running.size,
      delivered: this.#delivered,
    }
  }

  async work(signal: AbortSignal): Promise<'busy' | 'idle'> {
    if (!this.#parts.client.isReachable) return 'idle'
    // Taken before the tasks are read: what is committed from here on wakes the wait.
    this.#seenSeq = this.#parts.objects.metadata.status().durableSeq
    while (this.#running.size < this.#limits.deliveries) {
      const tasks = await this.#take()
      if (tasks.length === 0) return 'idle'
      const delivery = this.#deliver(tasks, signal)
      this.#running.add(delivery)
      void delivery.finally(() => this.#running.delete(delivery))
    }
    await Promise.race(this.#running)
    return 'busy'
  }

  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#parts.client.isReachable) return await this.#parts.client.waitUntilReachable(signal)
    const enough = new AbortController()
    const until = AbortSignal.any([signal, enough.signal])
    const { metadata } = this.#parts.objects
    try {
      await Promise.race([...this.#running, sleep(lookAgainMs, until), metadata.waitBeyond(this.#seenSeq, until)])
      signal.throwIfAborted()
    } finally {
      enough.abort()
    }
  }

  /** Heads of keys; those behind them where there is room; and what failed, when its time has come. */
  async #take(): Promise<readonly Task[]> {
    const { tasks: count, bytes } = this.#limits
    const heads = await this.#scan.take({ count, bytes })
    if (heads.length === 0) return await takeFailed(this.#scanParts, { count, bytes })
    return this.#parts.kind === 'large' || heads.length >= count / 2 ? heads : await this.#withThoseBehind(heads)
  }

  async #withThoseBehind(heads: readonly Task[]): Promise<readonly Task[]> {
    const { inFlight, objects } = this.#parts
    const tasks = [...heads]
    let bytes = heads.reduce((sum, { contentBytes }) => sum + contentBytes, 0)
    for (const head of heads) {
      const room = this.#limits.tasks - tasks.length
      if (room <= 0 || bytes >= this.#limits.bytes) break
      for (const task of await objects.metadata.read(() => tasksBehind(head, Math.min(room, behindMax)))) {
        bytes += task.contentBytes
        // What is not sent now keeps all that is behind it waiting.
        if (bytes > this.#limits.bytes || !this.#scanParts.isOfLane(task) || task.nextAttemptMs > this.#parts.clock.nowMs()) break
        inFlight.add(task)
        tasks.push(task)
      }
    }
    return tasks
  }

  /** Never rejects: what goes wrong is written to the tasks, or, when it cannot be written, they are ready still. */
  async #deliver(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
    const changesBefore = this.#parts.changes()
    const context = (): SettleContext => ({
      nowMs: this.#parts.clock.nowMs(),
      random: Math.random,
      changedMeanwhile: this.#parts.changes() !== changesBefore,
    })
    let left: readonly Task[] = []
    try {
      const sent = await this.#send(tasks, signal).catch((error: unknown) => {
        if (signal.aborted) throw error
        return this.#judge(tasks, error, context())
      })
      if ('sent' in sent) {
        left = sent.sent.flatMap((one) => (one.kind === 'left' && one.task.isReady ? [one.task] : []))
        await this.#settle(sent.sent.flatMap((one) => settlementOf(one, context()) ?? []))
      } else {
        await this.#settle(sent.settlements)
      }
    } catch (error) {
      if (!signal.aborted) this.#parts.log.warn({ err: error, region: this.#parts.client.region }, 'delivery was not settled')
    } finally {
      this.#parts.inFlight.release(tasks)
      this.#scan.putBack(left)
    }
  }

  async #send(tasks: readonly Task[], signal: AbortSignal): Promise<{ readonly sent: readonly Sent[] }> {
    const [only] = tasks
    if (this.#parts.kind === 'large' && only !== undefined) return { sent: [await sendLarge(this.#parts, only, signal)] }
    return { sent: await sendBatch(this.#parts, tasks, signal) }
  }

  /** What a request that came to nothing means for each task in it. */
  #judge(tasks: readonly Task[], error: unknown, context: SettleContext): { readonly settlements: readonly Settlement[] } {
    if (error instanceof PeerUnreachable) {
      if (error.fault === 'waiting') return { settlements: [] }
      const settlements = tasks.map((task) => retryOf(task, { reason: 'DstUnreachable', message: error.message }, context))
      // A region that is away is waited for by its breaker; one that answers with trouble gets time.
      return { settlements: error.fault === 'server' ? settlements : settlements.map((one) => dueAt(one, context.nowMs)) }
    }
    const message = error instanceof Error ? error.message : String(error)
    // A fault of ours, or an answer that no region should give: it gets time, and is told of.
    if (!(error instanceof PeerRefused)) this.#parts.log.warn({ err: error, region: this.#parts.client.region }, 'delivery failed')
    return { settlements: tasks.map((task) => retryOf(task, { reason: 'DstUnreachable', message }, context)) }
  }

  async #settle(settlements: readonly Settlement[]): Promise<void> {
    if (settlements.length === 0) return
    this.#delivered += settlements.filter(({ outcome }) => outcome.kind === 'completed').length
    await this.#parts.objects.metadata.commit({ tx: 'settle', settlements })
  }
}

function dueAt(settlement: Settlement, nextAttemptMs: number): Settlement {
  const { outcome } = settlement
  return outcome.kind === 'completed' ? settlement : { ...settlement, outcome: { ...outcome, nextAttemptMs } }
}
