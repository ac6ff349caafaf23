/** Requests to one bucket of an S3 server: signed, small enough to be held and sent again, bounded in time. Redirects are not followed. */
import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { Pool } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/engine.ts'
import { networkFault } from '../lib/network-fault.ts'
import { signRequest } from '../lib/sign-request.ts'
import { type BucketAnswer, errorOf } from './bucket-answer.ts'
import { TierUnavailable } from './errors.ts'
import type { BucketSettings } from './settings.ts'

export interface BucketTimeouts {
  readonly connectMs: number
  /** Between two pieces, either way, and from the last that was sent to the head of the answer. */
  readonly idleMs: number
  /** A request that moves, but slower than this, is given up once `idleMs` is over. */
  readonly leastBytesPerSecond: number
  /** Before each further try of what failed in passing; as many tries as there are rests. */
  readonly restsMs: readonly number[]
}

export const bucketTimeouts: BucketTimeouts = { connectMs: 5_000, idleMs: 30_000, leastBytesPerSecond: 32 * 1024, restsMs: [200, 1_000] }

export interface BucketBody {
  readonly pieces: readonly Buffer[]
  readonly lengthBytes: number
  readonly sha256: string
}

export interface BucketRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Behind the tier's prefix; empty: the bucket itself. */
  readonly key: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: BucketBody
  /** Of the answer. Default 1 MiB. */
  readonly maxBytes?: number
  /** Successes; any other answer is an error. Default 200. */
  readonly expect?: readonly number[]
  /** For people: `Could not …`. */
  readonly doing: string
  readonly signal: AbortSignal
}

export interface BucketClientParts {
  readonly tier: string
  readonly settings: BucketSettings
  readonly timeouts: BucketTimeouts
  readonly clock: Clock
}

const connectionsMax = 16
const keepAliveMs = 4_000 // Below what servers and their proxies keep, so that we are the first to close.
const answerMaxBytes = 1024 * 1024
/** What is handed to the socket at once: the time between two is what a stall is measured by. */
const sendBytes = 128 * 1024

export class BucketClient {
  readonly #parts: BucketClientParts
  readonly #pool: Pool
  readonly #host: string

  constructor(parts: BucketClientParts) {
    const { settings, timeouts } = parts
    this.#parts = parts
    this.#host = new URL(settings.endpoint).host
    this.#pool = new Pool(settings.endpoint, {
      connections: connectionsMax,
      pipelining: 1,
      allowH2: false,
      connect: { timeout: timeouts.connectMs },
      headersTimeout: timeouts.idleMs,
      bodyTimeout: timeouts.idleMs,
      keepAliveTimeout: keepAliveMs,
    })
  }

  /** @throws TierUnavailable | TierRefused | TierMissing | TierFull; the signal's reason */
  async request(request: BucketRequest): Promise<BucketAnswer> {
    const { restsMs } = this.#parts.timeouts
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(request)
      } catch (error) {
        const restMs = restsMs[attempt]
        if (!(error instanceof Passing) || restMs === undefined) throw error instanceof Passing ? error.error : error
        await sleep(restMs, request.signal)
      }
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy(new Error('the tier is closing'))
  }

  async #once(request: BucketRequest): Promise<BucketAnswer> {
    const { method, doing, expect = [200], signal } = request
    signal.throwIfAborted()
    const answer = await this.#exchange(request)
    if (expect.includes(answer.status)) return answer
    const error = errorOf(answer, { tier: this.#parts.tier, doing })
    // An answer to HEAD has no body to say what is missing: the caller asked with others before.
    if (error instanceof TierUnavailable && method !== 'HEAD') throw new Passing(error)
    throw error
  }

  async #exchange(request: BucketRequest): Promise<BucketAnswer> {
    const { method, body, maxBytes = answerMaxBytes, signal } = request
    const slow = new AbortController()
    const timer = setTimeout(() => slow.abort(this.#unavailable(request, 'it is too slow')), this.#patienceMs(request))
    try {
      const response = await this.#pool.request({
        method,
        ...this.#signed(request),
        ...(body === undefined ? {} : { body: Readable.from(inSmallPieces(body), { objectMode: false }) }),
        signal: AbortSignal.any([signal, slow.signal]),
      })
      const pieces: Buffer[] = []
      let length = 0
      for await (const piece of response.body as AsyncIterable<Buffer>) {
        length += piece.length
        if (length > maxBytes) throw this.#unavailable(request, `its answer has more than ${maxBytes} bytes`)
        pieces.push(piece)
      }
      // undici's headers differ from node's only in their type.
      return { status: response.statusCode, headers: response.headers as IncomingHttpHeaders, bytes: Buffer.concat(pieces) }
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      if (cause instanceof TierUnavailable) throw cause
      const error = this.#unavailable(request, networkFault(cause), cause)
      // What took its time to fail is not tried again at once.
      throw isTimeout(cause) ? error : new Passing(error)
    } finally {
      clearTimeout(timer)
    }
  }

  #signed({ method, key, query = {}, headers = {}, body }: BucketRequest): {
    readonly path: string
    readonly headers: Record<string, string>
  } {
    const { settings, clock } = this.#parts
    const search = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    const object = key === '' ? '' : `/${settings.prefix}${key}`
    return signRequest(
      {
        method,
        path: `/${settings.name}${object}${search.length === 0 ? '' : `?${search.join('&')}`}`,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(body.lengthBytes) }) },
        contentSha256: body?.sha256 ?? hash('sha256', '', 'hex'),
      },
      { region: settings.region, host: this.#host, key: settings, nowMs: clock.nowMs() },
    )
  }

  #patienceMs({ body, maxBytes = 0 }: BucketRequest): number {
    const { connectMs, idleMs, leastBytesPerSecond } = this.#parts.timeouts
    return connectMs + idleMs + (((body?.lengthBytes ?? 0) + maxBytes) / leastBytesPerSecond) * 1000
  }

  #unavailable({ doing }: BucketRequest, why: string, cause?: unknown): TierUnavailable {
    return new TierUnavailable(`Tier ${this.#parts.tier}: could not ${doing}: ${why}`, cause === undefined ? {} : { cause })
  }
}

export function bodyOf(bytes: Buffer | string): BucketBody {
  const buffer = Buffer.from(bytes)
  return { pieces: [buffer], lengthBytes: buffer.length, sha256: hash('sha256', buffer, 'hex') }
}

/** A failure that a second try may well not meet. */
class Passing extends Error {
  readonly error: TierUnavailable

  constructor(error: TierUnavailable) {
    super(error.message)
    this.error = error
  }
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/.test(String(cause.code))
}

function* inSmallPieces({ pieces }: BucketBody): Generator<Buffer, void, void> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += sendBytes) yield piece.subarray(at, at + sendBytes)
  }
}
