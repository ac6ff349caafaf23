/**
 * Keeps work from a region that is away, and finds out quickly that it is back. Closed: work flows. Open: work is refused at once.
 * While it is open, one probe a second is begun, at most; the first that succeeds closes it. Half-open: a probe is under way.
 */
import type { Clock } from '../lib/clock.ts'
import { type PeerFault, PeerUnreachable } from './errors.ts'
import type { PeerLog } from './log.ts'

export const probeIntervalMs = 1_000
/** Probes may overlap, so that a slow link heals too; a lost one is given up after this. */
const probeTimeoutMs = 5_000
/** Far above the number of engines and of requests that would wait for one region. */
const waitersMax = 10_000

export type BreakerStatus =
  | { readonly state: 'closed' }
  | { readonly state: 'open' | 'half-open'; readonly sinceMs: number; readonly fault: PeerFault; readonly why: string }

export interface BreakerOptions {
  readonly region: string
  /** Resolves when the region is there and believes us. @throws PeerUnreachable and others, when it is not */
  readonly probe: (signal: AbortSignal) => Promise<void>
  readonly clock: Clock
  readonly log: PeerLog
}

interface Outage {
  readonly sinceMs: number
  /** The same moment by the clock that nobody sets. */
  readonly monotonicMs: number
  readonly ended: AbortController
  fault: PeerFault
  why: string
  timer: NodeJS.Timeout | undefined
  probesUnderWay: number
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

export class Breaker {
  readonly #options: BreakerOptions
  readonly #waiters = new Set<Waiter>()
  #outage: Outage | undefined
  /** One higher after each outage: what was begun before one says nothing about the time after it. */
  #era = 0
  /** By the monotonic clock. */
  #lastProbeMs = Number.NEGATIVE_INFINITY
  #isEnded = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  get isClosed(): boolean {
    return this.#outage === undefined
  }

  get awayMs(): number {
    return this.#outage === undefined ? 0 : performance.now() - this.#outage.monotonicMs
  }

  /** To be asked before work. @returns what `trip` wants when the work fails @throws PeerUnreachable `waiting` */
  enter(): number {
    if (this.#outage !== undefined) {
      throw new PeerUnreachable({ region: this.#options.region, fault: 'waiting', why: this.#outage.why })
    }
    return this.#era
  }

  /** Work failed in a way that says that the region is away. */
  trip(entered: number, { fault, why }: PeerUnreachable): void {
    if (this.#isEnded || this.#outage !== undefined || entered !== this.#era) return
    const { region, clock, log } = this.#options
    this.#outage = {
      sinceMs: clock.nowMs(),
      monotonicMs: performance.now(),
      ended: new AbortController(),
      fault,
      why,
      timer: undefined,
      probesUnderWay: 0,
    }
    log.warn({ peer: region, why }, 'region found to be away')
    this.#schedule(this.#outage, Math.max(0, this.#lastProbeMs + probeIntervalMs - performance.now()))
  }

  /** The region has just spoken to us: it is worth looking at once. */
  greeted(): void {
    if (this.#outage !== undefined) this.#schedule(this.#outage, 0)
  }

  /** Resolves when work may flow; rejects when `signal` aborts. */
  waitUntilClosed(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (this.#outage === undefined) return Promise.resolve()
    if (this.#isEnded || this.#waiters.size >= waitersMax) return Promise.reject(this.#ended())
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(waiter)
        signal.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter = {
        resolve() {
          end()
          resolve()
        },
        reject(reason) {
          end()
          reject(reason)
        },
      }
      const onAbort = (): void => waiter.reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  status(): BreakerStatus {
    if (this.#outage === undefined) return { state: 'closed' }
    const { sinceMs, fault, why, probesUnderWay } = this.#outage
    return { state: probesUnderWay > 0 ? 'half-open' : 'open', sinceMs, fault, why }
  }

  close(): void {
    this.#isEnded = true
    clearTimeout(this.#outage?.timer)
    this.#outage?.ended.abort(this.#ended())
    for (const waiter of [...this.#waiters]) waiter.reject(this.#ended())
  }

  #schedule(outage: Outage, delayMs: number): void {
    clearTimeout(outage.timer)
    outage.timer = setTimeout(() => {
      void this.#probe(outage)
      this.#schedule(outage, probeIntervalMs)
    }, delayMs)
  }

  async #probe(outage: Outage): Promise<void> {
    this.#lastProbeMs = performance.now()
    outage.probesUnderWay += 1
    try {
      await this.#options.probe(AbortSignal.any([outage.ended.signal, AbortSignal.timeout(probeTimeoutMs)]))
      this.#heal(outage)
    } catch (error) {
      outage.fault = error instanceof PeerUnreachable ? error.fault : 'stranger'
      outage.why = error instanceof PeerUnreachable ? error.why : String(error)
    } finally {
      outage.probesUnderWay -= 1
    }
  }

  #heal(outage: Outage): void {
    if (this.#isEnded || this.#outage !== outage) return
    const { region, clock, log } = this.#options
    this.#outage = undefined
    this.#era += 1
    clearTimeout(outage.timer)
    outage.ended.abort(new Error('another probe found the region'))
    log.info({ peer: region, awayMs: clock.nowMs() - outage.sinceMs }, 'region is back')
    for (const waiter of [...this.#waiters]) waiter.resolve()
  }

  #ended(): PeerUnreachable {
    return new PeerUnreachable({ region: this.#options.region, fault: 'waiting', why: 'this region is stopping' })
  }
}
