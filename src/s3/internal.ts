/** What is on the S3 port and is not S3: health checks, and the messages of other regions. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Caller } from '../access/caller.ts'
import { S3Error } from '../model/errors.ts'
import { bodyHeadersOf } from './auth/body.ts'
import type { RequestHead } from './auth/head.ts'
import type { Anonymous, Signed } from './auth/verify.ts'
import type { Exchange } from './exchange.ts'
import type { Gate } from './gate.ts'
import { type Arrival, openRequestBody, verifiedBeforeBody } from './pipeline.ts'
import type { QueryString } from './query-string.ts'
import type { Reply } from './reply.ts'

export interface Health {
  readonly isReady: boolean
  /** In words, for the operator: why not, or what is degraded. */
  readonly reasons: readonly string[]
}

export type PeerBody = AsyncIterable<Buffer> & { readonly lengthBytes?: number }

export interface PeerCall {
  readonly method: string
  /** What stands behind `/_peer/`, still percent-encoded. */
  readonly path: string
  readonly query: QueryString
  readonly headers: IncomingHttpHeaders
  readonly caller: Extract<Caller, { kind: 'peer' }>
  /** NOTE: there is no `lengthBytes` when the peer did not say it; the handler limits what it reads. */
  readonly body: PeerBody
  readonly signal: AbortSignal
  readonly requestId: string
  readonly nowMs: number
}

export type PeerHandler = (call: PeerCall) => Promise<Reply>

export interface InternalParts {
  readonly gate: Gate
  readonly peer: PeerHandler
  readonly health: () => Health | Promise<Health>
}

/** @param internal the path behind `/_` */
export async function answerInternal(exchange: Exchange, arrival: Arrival, parts: InternalParts): Promise<Reply> {
  const internal = arrival.address.internal ?? ''
  if (internal.startsWith('peer/')) return answerPeer(exchange, arrival, { ...parts, path: internal.slice('peer/'.length) })
  if (!['GET', 'HEAD'].includes(arrival.head.method)) throw new S3Error('MethodNotAllowed', { headers: { allow: 'GET, HEAD' } })
  // Alive is whoever answers.
  if (internal === 'health/live') return json(200, { live: true })
  if (internal !== 'health/ready') throw new S3Error('InvalidURI')
  const { isReady, reasons } = await parts.health()
  return json(isReady ? 200 : 503, { ready: isReady, reasons })
}

function json(status: number, value: object): Reply {
  return { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: `${JSON.stringify(value)}\n` }
}

async function answerPeer(exchange: Exchange, { head, query }: Arrival, parts: InternalParts & { readonly path: string }): Promise<Reply> {
  exchange.operation = `peer:${parts.path.slice(0, 64)}`
  const verified = await verifiedBeforeBody(parts.gate, head, exchange.nowMs)
  const { caller } = verified
  if (caller.kind !== 'peer') throw new S3Error('AccessDenied')
  const { request, requestId, nowMs, signal } = exchange
  const body = peerBody(exchange, head, verified)
  return parts.peer({ method: head.method, path: parts.path, query, headers: request.headers, caller, body, signal, requestId, nowMs })
}

/** A peer may send what it does not know the length of; its frames have their own ends and sums. */
function peerBody(exchange: Exchange, head: RequestHead, verified: Anonymous | Signed): PeerBody {
  const isOpenEnded = head.headers['transfer-encoding'] !== undefined && bodyHeadersOf(head).contentLength === undefined
  if (isOpenEnded && verified.payload.mode === 'unsigned') return exchange.body
  return openRequestBody({ exchange, head, verified, maxBytes: Number.POSITIVE_INFINITY })
}
