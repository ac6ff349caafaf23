/** The table of what a region answers to other regions, and the one function that the S3 port hands their messages to. */
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { S3Error } from '../model/errors.ts'
import type { PeerLog } from './log.ts'
import { jsonMaxBytes, protocolHeader, protocolVersion, regionHeader } from './protocol.ts'

/** A message as it comes from the wire, its signature checked. */
export interface IncomingCall {
  readonly method: string
  /** What stands behind `/_peer/`, still percent-encoded. */
  readonly path: string
  readonly query: { entries(): Iterable<readonly [string, string]> }
  readonly headers: IncomingHttpHeaders
  readonly caller: { readonly kind: 'peer'; readonly region: string }
  readonly body: IncomingBody
  readonly signal: AbortSignal
  readonly requestId: string
  readonly nowMs: number
}

/** To be believed only when its iteration ends without an error. `lengthBytes` is absent when the sender did not say it. */
export interface IncomingBody extends AsyncIterable<Buffer> {
  readonly lengthBytes?: number
}

export interface OutgoingReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface PeerContext {
  /** The region that speaks: its signature has been checked. */
  readonly from: string
  /** Aborted when it hangs up. */
  readonly signal: AbortSignal
  readonly requestId: string
  readonly nowMs: number
}

/** The variable segments of a path, by their names, decoded. */
export type PathParameters = Readonly<Record<string, string>>

export interface StreamInput {
  readonly params: PathParameters
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  /** The handler limits what it reads. */
  readonly body: IncomingBody
}

/** Whatever `answer` resolves with is sent as JSON. */
export interface PeerRoute {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** @example 'v1/buckets/{id}' */
  readonly path: string
  answer(context: PeerContext, input: StreamInput): Promise<unknown>
}

interface JsonRoute<Query, Body> {
  readonly method: PeerRoute['method']
  readonly path: string
  readonly query?: z.ZodType<Query>
  readonly body?: z.ZodType<Body>
  readonly bodyMaxBytes?: number
  handle(
    context: PeerContext,
    input: { readonly params: PathParameters; readonly query: Query; readonly headers: IncomingHttpHeaders; readonly body: Body },
  ): Promise<unknown>
}

/** A route that takes and gives JSON. A body has to be signed, and is read whole before `handle` sees it. */
export function peerRoute<Query = undefined, Body = undefined>(route: JsonRoute<Query, Body>): PeerRoute {
  return {
    method: route.method,
    path: route.path,
    async answer(context, { params, query, headers, body }) {
      const bytes = route.body === undefined ? undefined : await readSigned(body, { headers, maxBytes: route.bodyMaxBytes ?? jsonMaxBytes })
      return route.handle(context, {
        params,
        query: checked(route.query, query, 'query'),
        headers,
        body: checked(route.body, bytes === undefined ? undefined : jsonOf(bytes), 'body'),
      })
    },
  }
}

/** A route that reads its body by itself. */
export function peerStreamRoute(route: {
  readonly method: PeerRoute['method']
  readonly path: string
  handle(context: PeerContext, input: StreamInput): Promise<unknown>
}): PeerRoute {
  return { method: route.method, path: route.path, answer: (context, input) => route.handle(context, input) }
}

export class PeerRoutes {
  readonly #self: string
  readonly #log: PeerLog
  readonly #routes: { readonly route: PeerRoute; readonly segments: readonly string[] }[] = []

  constructor({ self, log }: { readonly self: string; readonly log: PeerLog }) {
    this.#self = self
    this.#log = log
  }

  /** @throws Error when a route of that method and path is there already */
  add(...routes: readonly PeerRoute[]): void {
    for (const route of routes) {
      if (this.#routes.some(({ route: known }) => known.method === route.method && known.path === route.path)) {
        throw new Error(`two peer routes for ${route.method} ${route.path}`)
      }
      this.#routes.push({ route, segments: route.path.split('/') })
    }
  }

  /** Whether there is a route for it here. */
  knows({ method, path }: Pick<IncomingCall, 'method' | 'path'>): boolean {
    return this.#find(method, path) !== undefined
  }

  /** What the S3 server is given as its handler for `/_peer/`. Never rejects. */
  readonly handle = async (call: IncomingCall): Promise<OutgoingReply> => {
    try {
      return this.#reply(200, (await this.#answer(call)) ?? {})
    } catch (thrown) {
      return this.#refusal(thrown, call)
    }
  }

  async #answer({ method, path, query, headers, caller, body, signal, requestId, nowMs }: IncomingCall): Promise<unknown> {
    const version = headers[protocolHeader]
    if (version !== protocolVersion) {
      const message = `it speaks version ${protocolVersion} of the protocol between regions, and this region version ${String(version)}`
      throw new RouteError(400, 'ProtocolMismatch', message)
    }
    const found = this.#find(method, path)
    if (found === undefined) throw new RouteError(404, 'NotFound', `There is no ${method} ${path.slice(0, 128)} between regions.`)
    const input = { params: found.params, query: Object.fromEntries(query.entries()), headers, body }
    return found.route.answer({ from: caller.region, signal, requestId, nowMs }, input)
  }

  #find(method: string, path: string): { readonly route: PeerRoute; readonly params: PathParameters } | undefined {
    const given = path.split('/')
    for (const { route, segments } of this.#routes) {
      if (route.method !== method) continue
      const params = matched(segments, given)
      if (params !== undefined) return { route, params }
    }
    return undefined
  }

  #refusal(thrown: unknown, { caller, path, requestId }: IncomingCall): OutgoingReply {
    if (thrown instanceof RouteError) return this.#reply(thrown.status, { code: thrown.code, message: thrown.message, details: {} })
    const error = thrown instanceof S3Error ? thrown : new S3Error('InternalError', { cause: thrown })
    if (error.code === 'InternalError')
      this.#log.error({ peer: caller.region, path, requestId, err: error.cause ?? error }, 'message of a region failed')
    return this.#reply(error.status, { code: error.code, message: error.message, details: error.details })
  }

  #reply(status: number, value: unknown): OutgoingReply {
    const headers = { 'content-type': 'application/json', [protocolHeader]: protocolVersion, [regionHeader]: this.#self }
    return { status, headers, body: JSON.stringify(value) }
  }
}

/** A refusal that no client of S3 ever sees. */
class RouteError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'RouteError'
    this.status = status
    this.code = code
  }
}

function matched(segments: readonly string[], given: readonly string[]): PathParameters | undefined {
  if (segments.length !== given.length) return undefined
  const params: [string, string][] = []
  for (const [i, segment] of segments.entries()) {
    const text = given[i] ?? ''
    if (!segment.startsWith('{')) {
      if (segment !== text) return undefined
      continue
    }
    const value = decoded(text)
    if (value === undefined || value === '') return undefined
    params.push([segment.slice(1, -1), value])
  }
  return Object.fromEntries(params)
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

interface Signed {
  readonly headers: IncomingHttpHeaders
  readonly maxBytes: number
}

async function readSigned(body: IncomingBody, { headers, maxBytes }: Signed): Promise<Buffer> {
  const digest = headers['x-amz-content-sha256']
  if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/i.test(digest)) {
    throw new S3Error('AccessDenied', { message: 'The body of a message between regions must be signed.' })
  }
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body) {
    length += piece.length
    if (length > maxBytes) throw new S3Error('EntityTooLarge', { details: { MaxSizeAllowed: maxBytes } })
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new S3Error('InvalidRequest', { message: 'The body of the message is not JSON.', cause })
  }
}

function checked<T>(schema: z.ZodType<T> | undefined, value: unknown, what: string): T {
  // Without a schema nothing is taken, and T is undefined.
  if (schema === undefined) return undefined as T
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new S3Error('InvalidRequest', {
    message: `The ${what} of the message is not understood: ${z.prettifyError(parsed.error).slice(0, 500)}`,
  })
}
