/** A small SigV4 signer that shares no code with what is tested, and signs exactly what is sent, however odd it is. */
import { createHash, createHmac } from 'node:crypto'

export const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
export const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
export const regionName = 'us-east-1'

export type Pairs = readonly (readonly [name: string, value: string])[]

export interface ToSign {
  readonly method: string
  /** As it is sent: percent-encoded, as `encodePath` does. */
  readonly path: string
  /** Decoded. A name without a value is sent as `name=`. */
  readonly query?: Pairs
  /** Values in latin1, without spaces at their ends. */
  readonly headers?: Pairs
  /** What x-amz-content-sha256 says. Default UNSIGNED-PAYLOAD. */
  readonly payload?: string
  readonly service?: string
  readonly secret?: string
  readonly atMs?: number
}

export interface Signed {
  /** Path and query. */
  readonly target: string
  /** All of them, in the order of sending. */
  readonly headers: Pairs
  /** What the first chunk of a chunked body continues from. */
  readonly seed: ChunkSeed
}

export interface ChunkSeed {
  readonly key: Buffer
  readonly timestamp: string
  readonly scope: string
  readonly signature: string
}

const unreserved = /[A-Za-z0-9\-._~]/

/** @param text or bytes, for keys that no text has */
export function encode(text: string | Buffer): string {
  let out = ''
  for (const byte of typeof text === 'string' ? Buffer.from(text) : text) {
    const letter = String.fromCharCode(byte)
    out += unreserved.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

/** `/bucket/key`, slashes of the key kept. */
export function encodePath(bucket: string, key?: string | Buffer): string {
  return key === undefined ? `/${encode(bucket)}` : `/${encode(bucket)}/${encode(key).replaceAll('%2F', '/')}`
}

export function signRequest(request: ToSign): Signed {
  const { method, path, query = [], payload = 'UNSIGNED-PAYLOAD', service = 's3', secret = secretAccessKey, atMs = Date.now() } = request
  const timestamp = new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${timestamp.slice(0, 8)}/${regionName}/${service}/aws4_request`
  const pairs: Pairs = [['host', '127.0.0.1'], ['x-amz-date', timestamp], ['x-amz-content-sha256', payload], ...(request.headers ?? [])]
  const encoded = query.map(([name, value]) => `${encode(name)}=${encode(value)}`)
  const names = [...new Set(pairs.map(([name]) => name.toLowerCase()))].filter((name) => !unsigned.has(name)).sort(byCodeUnit)
  const canonical = [
    method,
    path,
    [...encoded].sort(byCodeUnit).join('&'),
    ...names.map((name) => `${name}:${valuesOf(pairs, name)}`),
    '',
    names.join(';'),
    payload,
  ].join('\n')
  const key = signingKey(secret, scope)
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256(Buffer.from(canonical, 'latin1'))}`).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return {
    target: encoded.length === 0 ? path : `${path}?${encoded.join('&')}`,
    headers: [...pairs, ['authorization', authorization]],
    seed: { key, timestamp, scope, signature },
  }
}

/** What proxies change, and what says how a body travels rather than what it is. */
const unsigned: ReadonlySet<string> = new Set(['connection', 'expect', 'content-length', 'transfer-encoding'])

export interface ChunkedBody {
  readonly seed: ChunkSeed
  readonly isSigned: boolean
  readonly trailers?: Pairs
  /** Index of the chunk whose signature is made wrong; the last, empty one counts. */
  readonly wrongChunk?: number
}

/** An aws-chunked body, with its last empty chunk and trailers. */
export function chunkedBody(chunks: readonly Buffer[], { seed, isSigned, trailers, wrongChunk }: ChunkedBody): Buffer {
  let previous = seed.signature
  const next = (algorithm: string, covered: string): string => {
    previous = hmac(seed.key, [algorithm, seed.timestamp, seed.scope, previous, covered].join('\n')).toString('hex')
    return previous
  }
  const pieces: (Buffer | string)[] = []
  for (const [index, chunk] of [...chunks, Buffer.alloc(0)].entries()) {
    const isLast = index === chunks.length
    const right = next('AWS4-HMAC-SHA256-PAYLOAD', `${sha256('')}\n${sha256(chunk)}`)
    const signature = isSigned ? `;chunk-signature=${index === wrongChunk ? '0'.repeat(64) : right}` : ''
    pieces.push(`${chunk.length.toString(16)}${signature}\r\n`, ...(isLast ? [] : [chunk, '\r\n']))
  }
  for (const [name, value] of trailers ?? []) pieces.push(`${name}:${value}\r\n`)
  if (isSigned && trailers !== undefined) {
    const covered = sha256(trailers.map(([name, value]) => `${name}:${value}\n`).join(''))
    pieces.push(`x-amz-trailer-signature:${next('AWS4-HMAC-SHA256-TRAILER', covered)}\r\n`)
  }
  pieces.push('\r\n')
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function signingKey(secret: string, scope: string): Buffer {
  return scope.split('/').reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`))
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function valuesOf(pairs: Pairs, name: string): string {
  return pairs.flatMap(([other, value]) => (other.toLowerCase() === name ? [value.replace(/ +/g, ' ').trim()] : [])).join(',')
}

function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
