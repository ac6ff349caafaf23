/** Writes one answer to the socket, and leaves the connection fit for the next request or closed. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { S3Error } from '../model/errors.ts'
import type { Turn } from './admission.ts'
import type { ResponseIds } from './errors-out.ts'
import type { Reply, ReplyHeaders, StreamBody } from './reply.ts'
import type { RequestBody } from './request-body.ts'
import { writeXml } from './xml/write.ts'

/** What is left of a refused body up to this is read and forgotten, so that the connection can be kept. */
const keepMaxBytes = 64 * 1024
/** Before a connection is closed under a client that still sends, this much is read: a reset would take the answer from it. */
const lingerMaxBytes = 1024 * 1024
const drainTimeoutMs = 1000

export interface ResponderOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: RequestBody
  readonly ids: ResponseIds
  readonly idleTimeoutMs: number
  readonly isClosing: () => boolean
  readonly turn: Turn
}

export class Responder {
  readonly #options: ResponderOptions
  /** Ends the wait of a write whose connection is gone: node forgets the callbacks of what it never sent. */
  #giveUpWrite: ((error: Error) => void) | undefined

  constructor(options: ResponderOptions) {
    this.#options = options
    const { response } = options
    response.on('close', () => this.#giveUpWrite?.(connectionGone()))
    // A write that comes too late fails by its callback; without a listener the same error would end the process.
    response.on('error', () => {})
  }

  get hasBegun(): boolean {
    return this.#options.response.headersSent
  }

  /** Ends the connection at once, as the only sign that an answer which has begun is not whole. */
  destroy(): void {
    this.#options.response.destroy()
  }

  /** @throws S3Error InvalidArgument (a header that HTTP cannot carry), and what a stream throws */
  async send({ status, headers = {}, body }: Reply): Promise<void> {
    if (body === undefined) return this.#sendWhole(status, headers, undefined)
    if (typeof body === 'string') return this.#sendWhole(status, headers, Buffer.from(body))
    if (Buffer.isBuffer(body)) return this.#sendWhole(status, headers, body)
    if (body.kind === 'stream') return this.#sendStream(status, headers, body)
    return this.#sendWhole(status, { 'content-type': 'application/xml', ...headers }, Buffer.from(writeXml(body)))
  }

  /** Begins an answer of unknown length. */
  begin(status: number, headers: ReplyHeaders): void {
    this.#writeHead(status, headers)
    this.#options.response.flushHeaders()
  }

  /** Resolves when the bytes have left this process. @throws S3Error RequestTimeout (the client takes nothing) */
  write(chunk: Uint8Array | string): Promise<void> {
    const { response, idleTimeoutMs, turn } = this.#options
    if (response.destroyed) return Promise.reject(connectionGone())
    turn.waitForClient()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new S3Error('RequestTimeout')), idleTimeoutMs)
      const settle = (error: Error | null | undefined) => {
        clearTimeout(timer)
        turn.goOn()
        this.#giveUpWrite = undefined
        if (error === null || error === undefined) resolve()
        else reject(error)
      }
      this.#giveUpWrite = settle
      response.write(chunk, settle)
    })
  }

  /** Ends the answer, and deals with what the client still sends. */
  async end(): Promise<void> {
    const { response, body, request } = this.#options
    if (!body.isDone && !body.awaitsContinue) {
      const maxBytes = response.shouldKeepAlive ? keepMaxBytes : lingerMaxBytes
      const isDrained = await body.drain({ maxBytes, timeoutMs: drainTimeoutMs })
      // NOTE: the answer is out already, so that a client which waits for it before it sends on is not kept waiting.
      if (!isDrained) response.once('finish', () => request.socket.destroySoon())
    }
    response.end()
  }

  async #sendWhole(status: number, headers: ReplyHeaders, bytes: Buffer | undefined): Promise<void> {
    const { request, response, body } = this.#options
    const mayHaveBody = status !== 204 && status !== 304 && status >= 200
    const length = mayHaveBody && !(request.method === 'HEAD' && bytes === undefined) ? { 'content-length': bytes?.length ?? 0 } : {}
    this.#writeHead(status, { ...length, ...headers })
    const content = mayHaveBody && request.method !== 'HEAD' ? bytes : undefined
    if (body.isDone) {
      response.end(content)
      return
    }
    if (content === undefined || content.length === 0) response.flushHeaders()
    else response.write(content)
    await this.end()
  }

  async #sendStream(status: number, headers: ReplyHeaders, { chunks, lengthBytes }: StreamBody): Promise<void> {
    const iterator = chunks[Symbol.asyncIterator]()
    try {
      // The first chunk comes before the head: what fails at once can still be said with a status.
      let next = this.#options.request.method === 'HEAD' ? undefined : await iterator.next()
      this.#writeHead(status, { 'content-length': lengthBytes, ...headers })
      let sentBytes = 0
      while (next !== undefined && next.done !== true) {
        sentBytes += next.value.length
        if (sentBytes > lengthBytes) throw new Error(`a stream of ${lengthBytes} bytes gave more`)
        await this.write(next.value)
        next = await iterator.next()
      }
      if (next !== undefined && sentBytes !== lengthBytes) throw new Error(`a stream of ${lengthBytes} bytes ended after ${sentBytes}`)
    } finally {
      await iterator.return?.()
    }
    await this.end()
  }

  #writeHead(status: number, headers: ReplyHeaders): void {
    const { response, body, ids, isClosing } = this.#options
    const list: string[] = ['x-amz-request-id', ids.requestId, 'x-amz-id-2', ids.hostId, 'server', 'Farshore']
    for (const name in headers) {
      const value = headers[name]
      if (value !== undefined && name !== 'content-length') list.push(name, String(value))
    }
    // NOTE: behind Content-Disposition: node reads that one anew once it knows a length, and then refuses every byte above 0x7f in it.
    const lengthBytes = headers['content-length']
    if (lengthBytes !== undefined) list.push('content-length', String(lengthBytes))
    if (isClosing() || body.awaitsContinue || body.remainingBytes > keepMaxBytes) {
      response.shouldKeepAlive = false
      list.push('connection', 'close')
    }
    try {
      response.writeHead(status, list)
    } catch (cause) {
      throw headerError(cause)
    }
  }
}

function connectionGone(): S3Error {
  return new S3Error('IncompleteBody', { message: 'The client closed the connection.' })
}

/** Only values that a client gave can hold what HTTP cannot carry: response-* of a GET, metadata of an object. */
function headerError(cause: unknown): unknown {
  const isBadValue = cause instanceof TypeError && 'code' in cause && cause.code === 'ERR_INVALID_CHAR'
  return isBadValue
    ? new S3Error('InvalidArgument', { message: 'A header of the answer would hold characters that HTTP does not allow.', cause })
    : cause
}
