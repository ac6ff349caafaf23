/** Passes requests on to a region, signed for the person, and its answers back: bytes stream, and nothing is followed or tried again. */
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { Clock } from '../lib/clock.ts'
import { emptySha256, sha256Hex } from '../s3/auth/signature.ts'
import { type Exchange, piecesOf } from './exchange.ts'
import { Refusal } from './refusal.ts'
import type { Target } from './regions.ts'
import { type Credentials, type SignedService, Signer, unsignedPayload } from './sign.ts'

export interface Question {
  readonly target: Target
  readonly service: SignedService
  readonly method: string
  readonly rawPath: string
  readonly rawQuery: string
  readonly headers: Readonly<Record<string, string>>
  /** A stream goes with the length it is said to have. */
  readonly body?: Buffer | { readonly stream: Readable; readonly lengthBytes: number }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
}

/** At one time, of all persons. */
const forwardsMax = 256
/** An error's document is looked at before it goes on. */
const errorMaxBytes = 64 * 1024
/** What a region says of a key that is gone. */
const endings = ['InvalidAccessKeyId', 'InvalidClientTokenId', 'ExpiredToken'] as const

export class Forwarder {
  readonly #signer = new Signer()
  readonly #clock: Clock
  #underWay = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get signer(): Signer {
    return this.#signer
  }

  /**
   * Asks, and hands the answer to `take` as it comes.
   * @throws Refusal RegionUnreachable | SlowDown; what `take` throws
   */
  async ask<T>(question: Question, credentials: Credentials, signal: AbortSignal, take: (answer: Answer) => Promise<T>): Promise<T> {
    if (this.#underWay >= forwardsMax) throw new Refusal(503, 'SlowDown', 'The console has too much to do.', { 'retry-after': '1' })
    this.#underWay += 1
    try {
      const answer = await this.#send(question, credentials, signal)
      try {
        return await take(answer)
      } finally {
        // What nobody wants to read is not fetched.
        if (!answer.body.readableEnded) answer.body.destroy()
      }
    } finally {
      this.#underWay -= 1
    }
  }

  async #send(question: Question, credentials: Credentials, signal: AbortSignal): Promise<Answer> {
    const { target, service, method, rawPath, rawQuery, headers, body } = question
    const request = { service, region: target.region, method, host: target.host, rawPath, rawQuery, headers, payload: payloadOf(body) }
    const signed = this.#signer.headers(request, credentials, this.#clock.nowMs())
    const length = Buffer.isBuffer(body) ? body.length : body?.lengthBytes
    try {
      const answer = await target.pool.request({
        // The type names the usual ones; node has checked that it is a word.
        method: method as 'GET',
        path: rawQuery === '' ? rawPath : `${rawPath}?${rawQuery}`,
        headers: { ...signed, ...(length === undefined ? {} : { 'content-length': String(length) }) },
        body: Buffer.isBuffer(body) ? body : (body?.stream ?? null),
        signal,
      })
      // One that is given up says so, and whoever reads it hears it in another way.
      answer.body.on('error', () => undefined)
      // undici's headers differ from node's only in their type.
      return { status: answer.statusCode, headers: answer.headers as IncomingHttpHeaders, body: answer.body }
    } catch {
      // NOTE: what went wrong may name addresses of the inside; the page is told which region it is.
      throw new Refusal(502, 'RegionUnreachable', `Region ${target.region} does not answer, or the connection to it broke.`)
    }
  }
}

/**
 * @returns the body of a request as it may go on
 * @throws Refusal MissingContentLength
 */
export function streamOf({ request }: Exchange): Exclude<Question['body'], Buffer> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  if (encoding !== undefined) throw new Refusal(411, 'MissingContentLength', 'The length of the body must be said.')
  // Node has refused what is no number, or stands there twice.
  const lengthBytes = Number(length ?? 0)
  if (lengthBytes > 0) return { stream: Readable.from(piecesOf(request), { objectMode: false }), lengthBytes }
  return request.method === 'PUT' || request.method === 'POST' ? { stream: Readable.from([]), lengthBytes } : undefined
}

/** Whether a region has answered that the key is none of its any more; and the document, read. */
export async function readRefusal({ status, body }: Answer): Promise<{ readonly isKeyGone: boolean; readonly bytes: Buffer } | undefined> {
  if (status !== 403 && status !== 400) return undefined
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > errorMaxBytes) throw new Refusal(502, 'RegionUnreachable', 'The region refused with more than an error.')
    pieces.push(piece)
  }
  const bytes = Buffer.concat(pieces)
  const [, code] = /(?:<Code>|"code":\s?")([A-Za-z]+)/.exec(bytes.toString('latin1')) ?? []
  return { isKeyGone: endings.some((ending) => ending === code), bytes }
}

function payloadOf(body: Question['body']): string {
  if (body === undefined) return emptySha256
  return Buffer.isBuffer(body) ? sha256Hex(body) : unsignedPayload
}
