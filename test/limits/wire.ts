/** HTTP by hand: bytes as a test wants them, on a socket that it may leave at any moment. */
import { connect, type Socket } from 'node:net'
import { encodePath, type Pairs, type Signed, signRequest, type ToSign } from './signer.ts'

export interface WireAnswer {
  /** 0: the connection ended without an answer. */
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** `<Code>` of an error document. */
  readonly code: string | undefined
}

export class Wire {
  readonly #socket: Socket
  readonly #chunks: Buffer[] = []
  #onChange: () => void = () => {}

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#onChange()
    })
    // A server may close while we write: the answer, or its absence, tells.
    this.#socket.on('error', () => this.#onChange())
    this.#socket.on('close', () => this.#onChange())
  }

  /** Resolves when the system has the bytes. */
  send(bytes: Buffer | string): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()))
  }

  /** Says that nothing more will come. */
  end(): void {
    this.#socket.end()
  }

  /** Goes away without a word: the other side meets a reset. */
  vanish(): void {
    this.#socket.resetAndDestroy()
  }

  pause(): void {
    this.#socket.pause()
  }

  get receivedBytes(): number {
    return this.#chunks.reduce((sum, { length }) => sum + length, 0)
  }

  /** @throws Error when it has not come within `deadlineMs`, or when the connection ends before */
  async received(text: string, deadlineMs = 5000): Promise<void> {
    await this.#until(() => this.#text().includes(text), deadlineMs)
    if (!this.#text().includes(text)) throw new Error(`the connection ended without ${text}: ${this.#text()}`)
  }

  /** What came until the connection was closed. @throws Error when that takes longer: the server hangs */
  async answer(deadlineMs = 5000): Promise<WireAnswer> {
    await this.#until(() => false, deadlineMs)
    return parseAnswer(Buffer.concat(this.#chunks))
  }

  #text(): string {
    return Buffer.concat(this.#chunks).toString('latin1')
  }

  #until(isTrue: () => boolean, deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new Error(`nothing for ${deadlineMs} ms; so far: ${this.#text().slice(0, 500)}`)), deadlineMs)
      const settle = (error?: Error): void => {
        clearTimeout(timer)
        this.#onChange = () => {}
        if (error === undefined) {
          resolve()
          return
        }
        this.#socket.destroy()
        reject(error)
      }
      this.#onChange = () => {
        if (this.#socket.closed || this.#socket.destroyed || isTrue()) settle()
      }
      this.#onChange()
    })
  }
}

/** Sends bytes, and nothing after them; the request should say `connection: close`. @throws Error when no end comes within 5 s */
export async function exchange(port: number, bytes: Buffer | string): Promise<WireAnswer> {
  const wire = new Wire(port)
  await wire.send(bytes)
  return wire.answer()
}

export interface WireRequest extends Omit<ToSign, 'path'> {
  readonly bucket?: string
  readonly key?: string | Buffer
  /** Instead of bucket and key, as it is sent. */
  readonly path?: string
  readonly body?: Buffer
  /** Sent and not signed, after all others. `content-length` replaces the true one. */
  readonly unsignedHeaders?: Pairs
}

/** A signed request as it goes over the wire, its body behind it. */
export function requestBytes(request: WireRequest): { readonly bytes: Buffer; readonly signed: Signed } {
  const { bucket, key, path = bucket === undefined ? '/' : encodePath(bucket, key), body, unsignedHeaders = [] } = request
  const signed = signRequest({ ...request, path })
  const saysLength = unsignedHeaders.some(([name]) => ['content-length', 'transfer-encoding'].includes(name))
  const length = body === undefined || saysLength ? [] : [['content-length', String(body.length)] as const]
  const head = headBytes(request.method, signed, [...length, ['connection', 'close'], ...unsignedHeaders])
  return { bytes: body === undefined ? head : Buffer.concat([head, body]), signed }
}

export function headBytes(method: string, signed: Signed, more: Pairs): Buffer {
  const lines = [...signed.headers, ...more].map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${signed.target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
}

/** Sends one signed request and returns the answer. */
export function ask(port: number, request: WireRequest): Promise<WireAnswer> {
  return exchange(port, requestBytes(request).bytes)
}

export function parseAnswer(bytes: Buffer): WireAnswer {
  let start = 0
  while (bytes.subarray(start, start + 12).toString() === 'HTTP/1.1 100') start = bytes.indexOf('\r\n\r\n', start) + 4
  const end = bytes.indexOf('\r\n\r\n', start)
  if (end === -1) return { status: 0, headers: {}, body: bytes, code: undefined }
  const [statusLine = '', ...lines] = bytes.subarray(start, end).toString('latin1').split('\r\n')
  const pairs = lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
  const body = bytes.subarray(end + 4)
  const [, code] = /<Code>([^<]*)<\/Code>/.exec(body.toString()) ?? []
  return { status: Number(statusLine.split(' ')[1]), headers: Object.fromEntries(pairs) as Record<string, string>, body, code }
}
