/** A real S3 server with a few operations of its own, and a socket that says exactly what a test wants to say. */
import { connect, type Socket } from 'node:net'
import type { Caller } from '../../src/access/caller.ts'
import { createHashers } from '../../src/lib/hash.ts'
import type { Bucket } from '../../src/model/bucket.ts'
import { S3Error } from '../../src/model/errors.ts'
import { SigningKeys } from '../../src/s3/auth/signing-keys.ts'
import { claimedKey, readClaim, verifySignature } from '../../src/s3/auth/verify.ts'
import type { Operation } from '../../src/s3/define.ts'
import type { Gate } from '../../src/s3/gate.ts'
import { createS3Server, type S3ServerOptions, type S3Settings } from '../../src/s3/server.ts'
import type { Services } from '../../src/s3/services.ts'

export const accessKeyId = 'AKIDEXAMPLE'
export const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
export const peerKeyId = 'peer:eu-west-1'

const root: Caller = {
  kind: 'root',
  accountId: '123456789012',
  canonicalId: 'c'.repeat(64),
  accessKeyId,
  arn: 'arn:aws:iam::123456789012:root',
  userId: '123456789012',
  permissions: { identity: [] },
}

const bucket: Bucket = {
  id: 'b1',
  name: 'pictures',
  region: 'us-east-1',
  ownerId: 'c'.repeat(64),
  createdMs: 0,
  state: 'active',
  versioning: 'Enabled',
  settings: {},
}

/** Checks signatures for real; knows one bucket; denies what touches a key that begins with `denied`. */
export function testGate(): Gate {
  const keys = new SigningKeys()
  return {
    async verify(head, nowMs) {
      const claimed = readClaim(head)
      const id = claimedKey(claimed)?.accessKeyId
      const caller: Caller = id === peerKeyId ? { kind: 'peer', region: 'eu-west-1' } : root
      return verifySignature(claimed, {
        nowMs,
        regions: ['us-east-1'],
        services: ['s3', 'iam', 'sts', 'farshore'],
        credential: id === accessKeyId || id === peerKeyId ? { secretAccessKey, caller } : undefined,
        keys,
      })
    },
    verifyForm: () => Promise.reject(new S3Error('NotImplemented')),
    resolveBucket: (name) => {
      if (name !== bucket.name) throw new S3Error('NoSuchBucket', { details: { BucketName: name } })
      return bucket
    },
    authorize: ({ target }) => {
      if (target.key?.startsWith('denied')) throw new S3Error('AccessDenied')
      return undefined
    },
  }
}

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

export interface TestServer {
  readonly port: number
  readonly lines: readonly LogLine[]
  close(): Promise<void>
}

export async function startServer(
  operations: readonly Operation[],
  options: Partial<Omit<S3ServerOptions, 'config' | 'operations'>> & {
    readonly settings?: Partial<S3Settings>
    readonly idleTimeoutMs?: number
  } = {},
): Promise<TestServer> {
  const lines: LogLine[] = []
  const write = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields })
  const limits = {
    maxConnections: 100,
    maxRequests: 100,
    headersTimeoutMs: 400,
    idleTimeoutMs: options.idleTimeoutMs ?? 5000,
    keepAliveTimeoutMs: 5000,
    drainTimeoutMs: 2000,
  }
  const server = createS3Server({
    config: { s3: { host: '127.0.0.1', port: 0 }, domains: ['s3.test'], limits, log: { access: false }, ...options.settings },
    operations,
    gate: testGate(),
    // The sample operations use none of them.
    services: {} as Services,
    hashing: await createHashers(),
    query: () => Promise.reject(new S3Error('InvalidAction')),
    peer: () => Promise.reject(new S3Error('NotImplemented')),
    health: () => ({ isReady: true, reasons: [] }),
    nowMs: () => Date.now(),
    log: { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') },
    ...options,
  })
  const { port } = await server.listen()
  return { port, lines, close: () => server.close() }
}

export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** Everything that came, also what is before the last status line. */
  readonly text: string
}

/** A bare TCP connection. */
export class RawClient {
  readonly #socket: Socket
  #received = ''
  #isEnded = false

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (chunk: string) => {
      this.#received += chunk
    })
    this.#socket.on('close', () => {
      this.#isEnded = true
    })
    this.#socket.on('error', () => {
      this.#isEnded = true
    })
  }

  get received(): string {
    return this.#received
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  send(text: string | Buffer): void {
    this.#socket.write(text, 'latin1')
  }

  /** Stops reading, as a client that is busy elsewhere. */
  pause(): void {
    this.#socket.pause()
  }

  halfClose(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  async until(isThere: (received: string) => boolean, what: string): Promise<string> {
    await eventually(() => isThere(this.#received) || this.#isEnded, what)
    return this.#received
  }

  /** Resolves when the server has closed the connection. */
  async ended(): Promise<RawAnswer> {
    await eventually(() => this.#isEnded, 'the connection to be closed')
    return parseAnswer(this.#received)
  }

  /** The next whole answer; it is taken off what was received. */
  async answer(): Promise<RawAnswer> {
    await this.until((text) => isWhole(text), 'a whole answer')
    const answer = parseAnswer(this.#received)
    this.#received = ''
    return answer
  }
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1 || text.startsWith('HTTP/1.1 100')) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
  if (length !== undefined) return text.length >= end + 4 + Number(length)
  return text.endsWith('0\r\n\r\n') || /^HTTP\/1.1 (204|304)/.test(text)
}

function parseAnswer(text: string): RawAnswer {
  const start = text.lastIndexOf('HTTP/1.1 ')
  const end = text.indexOf('\r\n\r\n', start)
  const [statusLine = '', ...lines] = text.slice(start, end).split('\r\n')
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
  return { status: Number(statusLine.split(' ')[1]), headers, body: text.slice(end + 4), text }
}

/** Sends one request and returns the answer; the connection is closed by the server. */
export async function exchange(port: number, request: string): Promise<RawAnswer> {
  const client = new RawClient(port)
  client.send(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
  return client.ended()
}

/** `GET /path` without a body, and the usual headers. */
export function head(line: string, headers: Readonly<Record<string, string | number>> = {}): string {
  const lines = Object.entries({ Host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return [`${line} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}

export async function eventually(isTrue: () => boolean, what: string, deadlineMs = 5000): Promise<void> {
  const until = Date.now() + deadlineMs
  while (!isTrue()) {
    if (Date.now() > until) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export function elementOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
}
