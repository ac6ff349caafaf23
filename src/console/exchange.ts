/** One request and its answer: what is read of it has a limit, and what is answered says what this origin always says. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { isSecure } from './cookie.ts'
import { answerHeaders } from './headers.ts'
import { Refusal } from './refusal.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Aborted when the browser is gone before the answer is. */
  readonly signal: AbortSignal
}

/** How long a small body may take. */
const bodyMaxMs = 30_000
/** How long a browser may go on with a body that is not wanted, so that it comes to read the answer. */
const lingerMs = 5_000

export function sendJson({ response }: Pick<Exchange, 'response'>, status: number, body: object, more: Record<string, string> = {}): void {
  const text = `${JSON.stringify(body)}\n`
  const headers = {
    ...answerHeaders(),
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...more,
  }
  response.writeHead(status, headers).end(response.req.method === 'HEAD' ? undefined : text)
}

export function sendNothing({ response }: Exchange, more: Record<string, string>): void {
  response.writeHead(204, { ...answerHeaders(), ...more }).end()
}

export function sendRefusal({ response }: Pick<Exchange, 'response'>, { status, code, message, headers }: Refusal): void {
  // The status is out: only an end without the promised bytes can still say that something went wrong.
  if (response.headersSent) response.destroy()
  else sendJson({ response }, status, { code, message }, headers)
}

/** Lets what is left of a body run off behind the answer, for a while. */
export function leaveBody({ request }: Pick<Exchange, 'request'>): void {
  if (request.complete || request.destroyed) return
  const timer = setTimeout(() => request.destroy(), lingerMs)
  request.once('close', () => clearTimeout(timer))
  request.resume()
}

/** @throws Refusal RequestTooLarge | RequestTimeout */
export async function readBody({ request }: Pick<Exchange, 'request'>, maxBytes: number): Promise<Buffer> {
  const tooLarge = new Refusal(413, 'RequestTooLarge', `The body has more than ${maxBytes} bytes.`)
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge
  const pieces: Buffer[] = []
  let length = 0
  const timer = setTimeout(() => request.destroy(), bodyMaxMs)
  try {
    for await (const piece of piecesOf(request)) {
      length += piece.length
      if (length > maxBytes) throw tooLarge
      pieces.push(piece)
    }
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(pieces)
}

/** NOTE: whoever stops reading must not end the connection, on which the answer goes back. */
export function piecesOf(request: IncomingMessage): AsyncIterableIterator<Buffer> {
  return request.iterator({ destroyOnReturn: false })
}

/** @throws Refusal InvalidArgument unless it is said to be JSON, which no form of another page can say, and is */
export async function readJson(exchange: Exchange, maxBytes: number): Promise<unknown> {
  const type = exchange.request.headers['content-type'] ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new Refusal(415, 'UnsupportedMediaType', 'The body must be application/json.')
  const bytes = await readBody(exchange, maxBytes)
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new Refusal(400, 'InvalidArgument', 'The body is no JSON.')
  }
}

/** Backpressure both ways; whichever side ends early ends the other. */
export async function sendStream(
  { request, response }: Exchange,
  of: { readonly status: number; readonly headers: Record<string, string | string[]>; readonly body: NodeJS.ReadableStream },
): Promise<void> {
  response.writeHead(of.status, of.headers)
  if (request.method === 'HEAD') {
    of.body.resume()
    response.end()
    return
  }
  await pipeline(of.body, response)
}

export function isSecureExchange({ request }: Exchange): { readonly isSecure: boolean } {
  return { isSecure: isSecure(request) }
}
