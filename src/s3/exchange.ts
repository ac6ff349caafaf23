/** One request and its answer: the ids, the body, the signal, and the one place that writes to the socket. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../access/caller.ts'
import { S3Error } from '../model/errors.ts'
import type { Address } from './address.ts'
import type { Turn } from './admission.ts'
import { errorReply, logFailure, type ResponseIds, toS3Error } from './errors-out.ts'
import type { Log } from './log.ts'
import { isSlow, type Reply, type SlowReply } from './reply.ts'
import { RequestBody } from './request-body.ts'
import { Responder } from './responder.ts'
import { type SlowSending, type SlowTiming, sendSlow } from './slow.ts'

/** What all exchanges of a server have in common. */
export interface ExchangeRules {
  /** How long a client may neither send nor take a byte while it is waited for. */
  readonly idleTimeoutMs: number
  /** Asked when the answer begins: whether the connection is to end with it. */
  readonly isClosing: () => boolean
  readonly slowTiming: SlowTiming
  readonly log: Log
}

export interface ExchangeOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly requestId: string
  readonly hostId: string
  readonly nowMs: number
  readonly expectsContinue: boolean
  readonly turn: Turn
  /** NOTE: not spread into these: that takes a microsecond a request. */
  readonly rules: ExchangeRules
}

export class Exchange implements ResponseIds {
  readonly request: IncomingMessage
  readonly requestId: string
  readonly hostId: string
  readonly nowMs: number
  readonly body: RequestBody
  /** For the log; set by the router. */
  operation: string | undefined
  /** For whoever looks at the last requests. */
  address: Address | undefined
  caller: Caller | undefined
  /** What the client sees instead of S3's error document. */
  errorForm: (error: S3Error) => Reply = (error) => errorReply(error, this)
  readonly #responder: Responder
  readonly #log: Log
  readonly #response: ServerResponse
  readonly #slowSending: SlowSending
  #abort: AbortController | undefined

  constructor({ request, response, requestId, hostId, nowMs, expectsContinue, turn, rules }: ExchangeOptions) {
    const { idleTimeoutMs, isClosing, slowTiming, log } = rules
    this.request = request
    this.#response = response
    this.requestId = requestId
    this.hostId = hostId
    this.nowMs = nowMs
    this.#log = log
    this.body = new RequestBody(request, response, { expectsContinue, idleTimeoutMs, turn })
    this.#responder = new Responder({ request, response, body: this.body, ids: this, idleTimeoutMs, isClosing, turn })
    this.#slowSending = {
      responder: this.#responder,
      ids: this,
      errorOf: (thrown) => this.#errorOf(thrown),
      timing: slowTiming,
    }
    response.on('close', () => this.#onClose())
  }

  /** Aborted when the connection ends before the answer does. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#hasLostClient()) this.#abort.abort(clientGone())
    }
    return this.#abort.signal
  }

  /** Answers with what `work` returns or throws. Never rejects. */
  async answer(work: () => Promise<Reply | SlowReply>): Promise<void> {
    try {
      const reply = await work()
      if (isSlow(reply)) await sendSlow(reply, this.#slowSending)
      else await this.#responder.send(reply)
    } catch (error) {
      await this.#fail(error)
    }
  }

  async #fail(thrown: unknown): Promise<void> {
    const error = this.#errorOf(thrown)
    if (this.#responder.hasBegun) {
      // The status is out: only an end without the promised bytes can still say that something went wrong.
      this.#responder.destroy()
      return
    }
    try {
      await this.#responder.send(this.errorForm(error))
    } catch (cause) {
      if (!this.#hasLostClient()) this.#log.error({ requestId: this.requestId, err: cause }, 'error not delivered')
      this.#responder.destroy()
    }
  }

  /** What the client is told; the log gets what it must not know, once. */
  #errorOf(thrown: unknown): S3Error {
    const error = toS3Error(thrown)
    const { requestId, operation } = this
    // Whatever fails because the client went away is no failure of ours.
    if (!this.#hasLostClient()) logFailure(this.#log, error, { requestId, operation })
    return error
  }

  #hasLostClient(): boolean {
    return this.#response.destroyed && !this.#response.writableFinished
  }

  #onClose(): void {
    if (!this.#response.writableFinished) this.#abort?.abort(clientGone())
  }
}

function clientGone(): S3Error {
  return new S3Error('IncompleteBody', { message: 'The client closed the connection.' })
}
