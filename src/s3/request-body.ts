/** The bytes of one request, pulled when they are wanted: no data before the handler asks, and no wait without an end. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { S3Error } from '../model/errors.ts'
import type { Turn } from './admission.ts'

/** Fewer bytes than these are waited with for the next: a client that sends them one by one costs no more than a timer's start for each. */
const worthwhileBytes = 32

export interface RequestBodyOptions {
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
  /** How long the client may send nothing while it is waited for. */
  readonly idleTimeoutMs: number
  readonly turn: Turn
}

export class RequestBody implements AsyncIterable<Buffer> {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #idleTimeoutMs: number
  readonly #turn: Turn
  #awaitsContinue: boolean
  #receivedBytes = 0
  #isDone: boolean
  #isListening = false
  /** What comes is forgotten, until a time that trickling does not put off. */
  #isDraining = false
  /** Ends the wait that is going on, if any. */
  #wake: () => void = () => {}

  constructor(request: IncomingMessage, response: ServerResponse, { expectsContinue, idleTimeoutMs, turn }: RequestBodyOptions) {
    this.#request = request
    this.#response = response
    this.#idleTimeoutMs = idleTimeoutMs
    this.#turn = turn
    this.#isDone = !announcesBody(request)
    this.#awaitsContinue = expectsContinue && !this.#isDone
  }

  /** Whether every byte has been read. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Whether the client still holds its body back. */
  get awaitsContinue(): boolean {
    return this.#awaitsContinue
  }

  /** What is still to come, if the client said how much there is. */
  get remainingBytes(): number {
    if (this.#isDone) return 0
    const announced = this.#request.headers['content-length']
    return announced === undefined ? Number.POSITIVE_INFINITY : Number(announced) - this.#receivedBytes
  }

  /** @throws S3Error IncompleteBody (the connection ended) | RequestTimeout */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    this.#continue()
    for (;;) {
      const chunk = await this.#next(this.#idleTimeoutMs)
      if (chunk === undefined) return
      yield chunk
    }
  }

  /** Reads and forgets what is left, within these limits. @returns whether the body came to its end */
  async drain(limits: { readonly maxBytes: number; readonly timeoutMs: number }): Promise<boolean> {
    if (this.#awaitsContinue) return false
    this.#isDraining = true
    const until = Date.now() + limits.timeoutMs
    try {
      for (let bytes = 0; bytes <= limits.maxBytes; ) {
        const chunk = await this.#next(Math.max(1, until - Date.now()))
        if (chunk === undefined) return true
        bytes += chunk.length
      }
    } catch {
      // A client that is gone or silent leaves nothing to drain.
    }
    return false
  }

  #continue(): void {
    if (!this.#awaitsContinue) return
    this.#awaitsContinue = false
    this.#response.writeContinue()
  }

  async #next(timeoutMs: number): Promise<Buffer | undefined> {
    while (!this.#isDone) {
      // Without a decoder set, node reads Buffers.
      const chunk = this.#request.read() as Buffer | null
      if (chunk !== null) {
        this.#receivedBytes += chunk.length
        return chunk
      }
      if (this.#request.readableEnded) this.#isDone = true
      else if (this.#request.destroyed) throw new S3Error('IncompleteBody', { cause: this.#request.errored })
      else await this.#untilReadable(timeoutMs)
    }
    return undefined
  }

  /** Resolves when looking again makes sense. */
  #untilReadable(timeoutMs: number): Promise<void> {
    this.#turn.waitForClient()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#turn.goOn()
        reject(new S3Error('RequestTimeout'))
      }, timeoutMs)
      this.#wake = () => {
        if (this.#isTrickling()) {
          timer.refresh()
          return
        }
        clearTimeout(timer)
        this.#wake = () => {}
        this.#turn.goOn()
        resolve()
      }
      this.#listen()
    })
  }

  /** Whether something has come that is not worth reading, and more is to come. */
  #isTrickling(): boolean {
    if (this.#isDraining) return false
    const { readableLength, readableEnded, destroyed, complete } = this.#request
    return readableLength > 0 && readableLength < worthwhileBytes && !readableEnded && !destroyed && !complete
  }

  #listen(): void {
    if (this.#isListening) return
    this.#isListening = true
    for (const event of ['readable', 'end', 'error', 'close']) this.#request.on(event, () => this.#wake())
  }
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
