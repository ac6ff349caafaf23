/** The load generator's client: undici's dispatch without response streams, and every answer checked. */
import { type Dispatcher, Pool } from 'undici'
import { type Credentials, emptyPayloadHash, Signer } from './sign.ts'

export interface Request {
  readonly method: 'GET' | 'PUT' | 'HEAD' | 'DELETE' | 'POST'
  readonly path: string
  readonly query?: string
  /** Lower-case names, in their order; all of them are signed. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Lower-case hex of the body's SHA-256, or UNSIGNED-PAYLOAD. */
  readonly payloadHash?: string
  readonly status: number
  /** The bytes that must come back, compared one by one. */
  readonly expected?: Buffer
  /** Content-Length that must be announced; for HEAD. */
  readonly length?: number
  /** Keeps the body, for answers that are judged as a whole. */
  readonly collect?: boolean
}

const errorTextMax = 300
const stallMs = 120_000

export class Client {
  readonly #pool: Pool
  readonly #signer: Signer

  constructor(endpoint: string, credentials: Credentials, connections: number) {
    this.#pool = new Pool(endpoint, { connections, pipelining: 1, headersTimeout: stallMs, bodyTimeout: stallMs })
    this.#signer = new Signer(credentials, new URL(endpoint).host)
  }

  /** @returns the body when it was to be collected. @throws Error when the answer is not what was asked for */
  send(request: Request): Promise<Buffer> {
    const { method, path, query = '', body, payloadHash = emptyPayloadHash } = request
    const headers = this.#signer.sign({ method, path, query, payloadHash, headers: request.headers ?? {} })
    return new Promise((resolve, reject) => {
      this.#pool.dispatch(
        // undici would close the connection after each HEAD: https://github.com/nodejs/undici/issues/258
        { method, path: query === '' ? path : `${path}?${query}`, headers, body: body ?? null, reset: false },
        new Answer(request, { resolve, reject }),
      )
    })
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }
}

interface Outcome {
  readonly resolve: (body: Buffer) => void
  readonly reject: (error: Error) => void
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #request: Request
  readonly #outcome: Outcome
  readonly #kept: Buffer[] = []
  #status = 0
  #length = -1
  #received = 0
  #isSame = true

  constructor(request: Request, outcome: Outcome) {
    this.#request = request
    this.#outcome = outcome
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status
    this.#length = Number(headers['content-length'] ?? -1)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { expected, collect, status } = this.#request
    const from = this.#received
    this.#received += chunk.length
    if (status !== this.#status || collect) this.#kept.push(chunk)
    else if (expected !== undefined && this.#isSame) this.#isSame = chunk.equals(expected.subarray(from, from + chunk.length))
  }

  onResponseEnd(): void {
    const wrong = this.#wrong()
    if (wrong === undefined) this.#outcome.resolve(Buffer.concat(this.#kept))
    else this.#outcome.reject(new Error(`${this.#request.method} ${this.#request.path}: ${wrong}`))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#outcome.reject(new Error(`${this.#request.method} ${this.#request.path}: ${error.message}`, { cause: error }))
  }

  #wrong(): string | undefined {
    const { status, expected, length } = this.#request
    if (this.#status !== status)
      return `status ${this.#status}, not ${status}. ${Buffer.concat(this.#kept).toString('utf8', 0, errorTextMax)}`
    if (length !== undefined && this.#length !== length) return `Content-Length ${this.#length}, not ${length}`
    if (expected === undefined) return undefined
    if (this.#received !== expected.length) return `${this.#received} bytes, not ${expected.length}`
    return this.#isSame ? undefined : 'other bytes than were stored'
  }
}
