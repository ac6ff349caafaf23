/** Speaks to one other region: signed, bounded in time and size, and not at all while it is known to be away. */
import { Readable } from 'node:stream'
import { Pool } from 'undici'
import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import { WatchedSource } from '../lib/watched-source.ts'
import { type Answered, judged, type PeerAnswer } from './answer.ts'
import { Breaker, type BreakerStatus } from './breaker.ts'
import type { PeerKey } from './credentials.ts'
import { PeerUnreachable } from './errors.ts'
import { exchange } from './exchange.ts'
import type { PeerLog } from './log.ts'
import { isPrivateHost } from './private-address.ts'
import { readyPath } from './protocol.ts'
import { signed } from './sign.ts'

export interface PeerTimeouts {
  readonly connectMs: number
  /** From the last byte sent to the head of the answer. */
  readonly answerMs: number
  /** Between two pieces of the answer. */
  readonly idleMs: number
}

export const peerTimeouts: PeerTimeouts = { connectMs: 2_000, answerMs: 10_000, idleMs: 30_000 }

export interface PeerRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** What stands behind `/_peer/`; its variable segments percent-encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number>>
  /** All of them are signed. */
  readonly headers?: Readonly<Record<string, string>>
  /** A Buffer goes with its SHA-256, and may have 8 MiB; a stream goes unsigned. */
  readonly body?: Buffer | AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
  /** For questions whose answer takes its time. */
  readonly answerTimeoutMs?: number
  readonly answerMaxBytes?: number
}

export interface PeerClientOptions {
  readonly region: string
  readonly endpoint: string
  readonly key: PeerKey
  readonly insecurePeers: boolean
  readonly timeouts: PeerTimeouts
  /** The second half of a probe, after `/_health/ready`: an exchange of names in which both sides prove themselves. */
  readonly hello: () => PeerRequest
  readonly clock: Clock
  readonly log: PeerLog
}

export const signedBodyMaxBytes = 8 * 1024 * 1024
const answerMaxBytes = 8 * 1024 * 1024
const readyMaxBytes = 64 * 1024
/** Messages have connections of their own, so that they never wait behind bodies. */
const connections = { messages: 16, bodies: 16, probes: 8 }
/** Beyond this a body is a body, and no message. */
const messageMaxBytes = 64 * 1024
const keepAliveMs = 30_000

export class PeerClient {
  readonly region: string
  readonly #options: PeerClientOptions
  readonly #breaker: Breaker
  readonly #origin: URL
  readonly #pools: Readonly<Record<keyof typeof connections, Pool>>

  /** @throws Error for an endpoint that would carry messages in clear over the open internet */
  constructor(options: PeerClientOptions) {
    const { region, endpoint, insecurePeers, timeouts } = options
    this.region = region
    this.#options = options
    this.#origin = new URL(endpoint)
    if (this.#origin.protocol === 'http:' && !insecurePeers && !isPrivateHost(this.#origin.hostname)) {
      throw new Error(
        `The endpoint of ${region} is plain http:// to a public address. Use https://, or set insecurePeers on a network you trust.`,
      )
    }
    const pool = (count: number): Pool =>
      new Pool(this.#origin.origin, {
        connections: count,
        pipelining: 1,
        allowH2: false,
        connect: { timeout: timeouts.connectMs },
        headersTimeout: timeouts.answerMs,
        bodyTimeout: timeouts.idleMs,
        keepAliveTimeout: keepAliveMs,
      })
    this.#pools = { messages: pool(connections.messages), bodies: pool(connections.bodies), probes: pool(connections.probes) }
    this.#breaker = new Breaker({ ...options, probe: (signal) => this.#probe(signal) })
  }

  get isReachable(): boolean {
    return this.#breaker.isClosed
  }

  /** For how long it has been known to be away, ms; 0 while it is reachable. */
  get awayMs(): number {
    return this.#breaker.awayMs
  }

  /**
   * @returns only successes
   * @throws PeerUnreachable | PeerRefused; what the body's own source throws; the signal's reason when it aborts
   */
  async request(request: PeerRequest): Promise<PeerAnswer> {
    const entered = this.#breaker.enter()
    try {
      return await this.#send(request, isBody(request.body) ? this.#pools.bodies : this.#pools.messages)
    } catch (error) {
      // Trouble inside a region that answers is for those who asked: the next message may fare better.
      if (error instanceof PeerUnreachable && error.fault !== 'server') this.#breaker.trip(entered, error)
      throw error
    }
  }

  /** Resolves at once when nothing is known against it; rejects when `signal` aborts. */
  waitUntilReachable(signal: AbortSignal): Promise<void> {
    return this.#breaker.waitUntilClosed(signal)
  }

  /** It has just proved to be there. */
  greeted(): void {
    this.#breaker.greeted()
  }

  status(): BreakerStatus {
    return this.#breaker.status()
  }

  async close(): Promise<void> {
    this.#breaker.close()
    const ending = new PeerUnreachable({ region: this.region, fault: 'waiting', why: 'this region is stopping' })
    await Promise.all(Object.values(this.#pools).map((pool) => pool.destroy(ending)))
  }

  async #send(request: PeerRequest, pool: Pool): Promise<PeerAnswer> {
    const { method, body, signal, answerTimeoutMs } = request
    if (Buffer.isBuffer(body) && body.length > signedBodyMaxBytes) {
      throw new RangeError(`a body of ${body.length} bytes must be sent as a stream`)
    }
    const { region } = this
    const { key, clock } = this.#options
    const { path, headers } = signed(request, { region, host: this.#origin.host, key, nowMs: clock.nowMs() })
    const source = body === undefined || Buffer.isBuffer(body) ? undefined : new WatchedSource(body)
    try {
      const sent = source === undefined ? (body as Buffer | undefined) : Readable.from(source.chunks(), { objectMode: false }) // the rest of the union
      const answered = await exchange(pool, {
        region,
        method,
        path,
        headers,
        ...(sent !== undefined && { body: sent }),
        ...(signal !== undefined && { signal }),
        ...(answerTimeoutMs !== undefined && { headersTimeout: answerTimeoutMs }),
        maxBytes: request.answerMaxBytes ?? answerMaxBytes,
      })
      return judged(answered)
    } catch (error) {
      if (source?.failure !== undefined) throw source.failure.error
      throw error
    }
  }

  /** @throws PeerUnreachable */
  async #probe(signal: AbortSignal): Promise<void> {
    const { region } = this
    const pool = this.#pools.probes
    const asked = { region, method: 'GET', path: readyPath, headers: {}, signal, maxBytes: readyMaxBytes } as const
    const ready = await exchange(pool, asked).catch((cause: unknown) => {
      throw signal.aborted ? new PeerUnreachable({ region, fault: 'network', why: 'it does not answer', cause }) : cause
    })
    if (ready.status !== 200) {
      throw new PeerUnreachable({ region, fault: 'network', why: readinessOf(ready) })
    }
    await this.#send({ ...this.#options.hello(), signal }, pool)
  }
}

function isBody(body: PeerRequest['body']): boolean {
  return body !== undefined && (!Buffer.isBuffer(body) || body.length > messageMaxBytes)
}

function readinessOf({ status, bytes }: Answered): string {
  const said = z.object({ reasons: z.array(z.string()) }).safeParse(parsed(bytes))
  const reasons = said.success ? said.data.reasons.join('; ').slice(0, 300) : ''
  return reasons === '' ? `it answers ${status} to ${readyPath}` : `it is not ready: ${reasons}`
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
