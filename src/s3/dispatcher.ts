/** Takes each request of the S3 port to those who answer it. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { S3Error } from '../model/errors.ts'
import { type Address, addressOf } from './address.ts'
import { Admission, type AdmissionOptions, type Turn } from './admission.ts'
import type { RequestHead } from './auth/head.ts'
import { Exchange, type ExchangeRules } from './exchange.ts'
import { answerInternal, type InternalParts } from './internal.ts'
import { type Arrival, answerS3, type PipelineParts } from './pipeline.ts'
import { answerQuery, isQueryCall, type QueryHandler } from './query-api.ts'
import { QueryString } from './query-string.ts'
import type { RecentRequests } from './recent.ts'
import type { Reply, SlowReply } from './reply.ts'

export interface DispatcherOptions extends PipelineParts, InternalParts, ExchangeRules, AdmissionOptions {
  readonly query: QueryHandler
  /** Host names of virtual-host addresses, lower case. */
  readonly domains: readonly string[]
  /** Whether each request becomes a line of the log. */
  readonly logsAccess: boolean
  /** Where requests are noted for people; absent: nowhere. */
  readonly recent?: RecentRequests
}

/** S3: "the maximum size of the request headers is 8 KB". */
const headerSectionMaxBytes = 8 * 1024

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #admission: Admission
  /** x-amz-id-2 says which process answered. */
  readonly #hostId = randomBytes(48).toString('base64')

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#admission = new Admission(options)
  }

  get hostId(): string {
    return this.#hostId
  }

  /** Answers one request, whatever it is. Never rejects. */
  async dispatch(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void> {
    const { nowMs, logsAccess, recent, log } = this.#options
    const turn = this.#admission.turn()
    const exchange = new Exchange({
      request,
      response,
      requestId: newRequestId(),
      hostId: this.#hostId,
      nowMs: nowMs(),
      expectsContinue,
      turn,
      rules: this.#options,
    })
    await exchange.answer(() => this.#answer(exchange, turn))
    turn.end()
    const { operation, requestId, address } = exchange
    if (recent !== undefined && address?.internal === undefined) {
      const { method = '' } = request
      const { caller, nowMs: atMs } = exchange
      recent.note({ atMs, method, operation, address, status: response.statusCode, ms: nowMs() - atMs, caller })
    }
    if (!logsAccess) return
    const facts = { requestId, operation, method: request.method, url: withoutQuery(request.url), status: response.statusCode }
    log.info({ ...facts, timeMs: nowMs() - exchange.nowMs }, 'request answered')
  }

  async #answer(exchange: Exchange, turn: Turn): Promise<Reply | SlowReply> {
    const arrival = arrivalOf(exchange.request, this.#options.domains)
    exchange.address = arrival.address
    if (arrival.address.internal !== undefined) return answerInternal(exchange, arrival, this.#options)
    turn.begin()
    checkHeaderSection(arrival.head)
    if (isQueryCall(arrival)) return answerQuery(exchange, arrival, this.#options)
    if (arrival.head.method === 'OPTIONS') throw preflightRefused(arrival)
    return answerS3(exchange, arrival, this.#options)
  }
}

/** AWS's form: 16 upper-case hex digits. Node draws UUIDs from a pool, where 8 random bytes by themselves cost a system call. */
export function newRequestId(): string {
  const uuid = randomUUID()
  // The version and the variant, which are no chance, stand between these two.
  return (uuid.slice(0, 8) + uuid.slice(28)).toUpperCase()
}

function arrivalOf({ url = '', method = '', headers, rawHeaders }: IncomingMessage, domains: readonly string[]): Arrival {
  const mark = url.indexOf('?')
  const rawPath = mark === -1 ? url : url.slice(0, mark)
  const rawQuery = mark === -1 ? '' : url.slice(mark + 1)
  const head: RequestHead = { method, rawPath, rawQuery, headers, rawHeaders }
  const address: Address = addressOf({ rawPath, host: headers.host }, domains)
  return { head, address, query: new QueryString(rawQuery) }
}

function checkHeaderSection({ rawHeaders }: RequestHead): void {
  let bytes = 0
  // Each name and each value is followed by two more characters.
  for (const text of rawHeaders) bytes += text.length + 2
  if (bytes <= headerSectionMaxBytes) return
  throw new S3Error('RequestHeaderSectionTooLarge', { details: { MaxSizeAllowed: headerSectionMaxBytes } })
}

/** What S3 answers for a bucket without a CORS configuration. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html */
function preflightRefused({ head, address }: Arrival): S3Error {
  if (head.headers['origin'] === undefined) {
    return new S3Error('BadRequest', { message: 'Insufficient information. Origin request header needed.' })
  }
  const method = head.headers['access-control-request-method']
  if (typeof method !== 'string') return new S3Error('BadRequest', { message: 'Invalid Access-Control-Request-Method: null' })
  return new S3Error('AccessForbidden', { details: { Method: method, ResourceType: address.shape.toUpperCase() } })
}

/** A query may hold a signature. */
function withoutQuery(url = ''): string {
  return url.split('?', 1)[0] ?? ''
}
