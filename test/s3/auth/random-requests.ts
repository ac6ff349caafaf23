/** Random requests of every shape, signed by the SDK's own signer, and the same with one byte changed. Seeded: a run can be repeated. */
import { createHash, createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { SignatureV4 } from '@smithy/signature-v4'

export type Mode = 'sha256' | 'unsigned' | 'chunked-signed' | 'chunked-signed-trailer' | 'chunked-unsigned-trailer'

export interface Made {
  readonly method: string
  /** Path and query, as they go over the wire. */
  readonly target: string
  /** Without those that the connection itself makes; values are bytes (latin1). */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  readonly mode: Mode
  readonly via: 'header' | 'query'
  /** What is to be stored. */
  readonly content: Buffer
}

export interface Signing {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly host: string
  readonly bucket: string
  readonly date: Date
}

export const modes: readonly Mode[] = ['sha256', 'unsigned', 'chunked-signed', 'chunked-signed-trailer', 'chunked-unsigned-trailer']

const payloadWords = {
  unsigned: 'UNSIGNED-PAYLOAD',
  'chunked-signed': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'chunked-signed-trailer': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'chunked-unsigned-trailer': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
} as const

const plain = 'abcdefghijklmnopqrstuvwxyz0123456789'
const keyText = [...`${plain}ABC-_.~!'()*+%&=?#@:;,$ <>[]{}|^"\\\`/äß€漢🙂\u0301\u00a0\u0001\u007f`]
const headerText = [...`${plain}ABC-_.~!'()*+%&=?#@:;,$<>[]{}|^"\\\`/\t  äß€漢🙂`]

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** 0 to below `limit`, by mulberry32. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * limit)
  }

  of<T>(list: ArrayLike<T>): T {
    return list[this.below(list.length)] as T // the lists are not empty
  }

  text(from: ArrayLike<string>, maxLength: number): string {
    return Array.from({ length: 1 + this.below(maxLength) }, () => this.of(from)).join('')
  }

  bytes(maxLength: number): Buffer {
    return Buffer.from(Array.from({ length: this.below(maxLength) }, () => this.below(256)))
  }
}

export class Sha256 {
  readonly #hash

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secretOf(secret))
  }

  update(data: Uint8Array | string): void {
    this.#hash.update(data)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {}
}

function secretOf(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === 'string') return secret
  return secret instanceof ArrayBuffer ? new Uint8Array(secret) : new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
}

/** What is not left to chance. */
export interface Wanted {
  readonly method?: string
  readonly mode?: Mode
  readonly via?: Made['via']
}

/** These speak of the body, and stay headers of a presigned request. */
const unhoistableHeaders = new Set(['x-amz-decoded-content-length', 'x-amz-trailer'])

export async function madeRequest(random: Random, { host, bucket, date, ...credentials }: Signing, wanted: Wanted = {}): Promise<Made> {
  const { method = 'PUT', mode = random.of(modes), via = random.below(4) === 0 ? 'query' : 'header' } = wanted
  const content = random.bytes(120)
  const signer = new SignatureV4({
    credentials,
    region: 'us-east-1',
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  })
  const query: Record<string, string> = {}
  for (let at = random.below(4); at > 0; at -= 1)
    query[`q${random.text(keyText, 8)}`] = random.below(4) === 0 ? '' : random.text(keyText, 12)
  const path = `/${bucket}/${escaped(`k${random.text(keyText, 30).replaceAll('..', '.')}`).replaceAll('%2F', '/')}`
  // The presigner makes a parameter of it, by the name that it has here.
  const payloadName = via === 'query' ? 'X-Amz-Content-Sha256' : 'x-amz-content-sha256'
  const headers: Record<string, string> = { host, [payloadName]: mode === 'sha256' ? sha256(content) : payloadWords[mode] }
  for (let at = random.below(4); at > 0; at -= 1) headers[`x-amz-meta-${random.text(plain, 6)}`] = ` ${random.text(headerText, 20)}  x\t`
  if (random.below(2) === 0) headers['content-type'] = 'text/plain;   charset="utf-8"'
  const isChunked = mode.startsWith('chunked')
  if (isChunked) headers['x-amz-decoded-content-length'] = String(content.length)
  if (mode.endsWith('trailer')) headers['x-amz-trailer'] = 'x-amz-checksum-crc32'

  const request = { protocol: 'http:', hostname: host, method, path, query, headers }
  const options = { signingDate: date }
  const signed =
    via === 'query'
      ? await signer.presign(request, { ...options, expiresIn: 600, unhoistableHeaders })
      : await signer.sign(request, options)
  const inHeader = /Signature=([0-9a-f]{64})/.exec(signed.headers['authorization'] ?? '')?.[1]
  const signature = inHeader ?? String(signed.query?.['X-Amz-Signature'])
  const body = isChunked ? await chunked({ signer, date, seed: signature, content, mode, random }) : content
  return {
    method,
    target: targetOf(path, signed.query ?? {}, random),
    headers: Object.entries(signed.headers).map(([name, value]) => [name, Buffer.from(value).toString('latin1')] as const),
    body,
    mode,
    via,
    content,
  }
}

/** The parameters in any order: what is signed is sorted. */
function targetOf(path: string, query: Readonly<Record<string, unknown>>, random: Random): string {
  const pairs = Object.entries(query).map(([name, value]) => `${escaped(name)}=${escaped(String(value))}`)
  const shuffled = pairs.map((pair) => [random.below(1000), pair] as const).sort(([a], [b]) => a - b)
  return pairs.length === 0 ? path : `${path}?${shuffled.map(([, pair]) => pair).join('&')}`
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

interface Chunking {
  readonly signer: SignatureV4
  readonly date: Date
  readonly seed: string
  readonly content: Buffer
  readonly mode: Mode
  readonly random: Random
}

async function chunked({ signer, date, seed, content, mode, random }: Chunking): Promise<Buffer> {
  const timestamp = date.toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${timestamp.slice(0, 8)}/us-east-1/s3/aws4_request`
  const isSigned = mode !== 'chunked-unsigned-trailer'
  let previous = seed
  const next = async (algorithm: string, covered: string): Promise<string> => {
    previous = await signer.sign([algorithm, timestamp, scope, previous, covered].join('\n'), { signingDate: date })
    return previous
  }
  const out: Buffer[] = []
  for (let at = 0; ; ) {
    const chunk = content.subarray(at, at + 1 + random.below(64))
    at += chunk.length
    const extension = isSigned ? `;chunk-signature=${await next('AWS4-HMAC-SHA256-PAYLOAD', `${sha256('')}\n${sha256(chunk)}`)}` : ''
    out.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`))
    if (chunk.length === 0) break
    out.push(chunk, Buffer.from('\r\n'))
  }
  if (mode.endsWith('trailer')) {
    const value = Buffer.alloc(4)
    value.writeUInt32BE(crc32(content))
    const trailer = `x-amz-checksum-crc32:${value.toString('base64')}`
    out.push(Buffer.from(`${trailer}\r\n`))
    if (isSigned) out.push(Buffer.from(`x-amz-trailer-signature:${await next('AWS4-HMAC-SHA256-TRAILER', sha256(`${trailer}\n`))}\r\n`))
  }
  out.push(Buffer.from('\r\n'))
  return Buffer.concat(out)
}

export type Place = 'method' | 'path' | 'query' | 'header' | 'content' | 'chunk-signature' | 'trailer'

/** One byte of what is protected, somewhere else than it was. */
export function altered(made: Made, random: Random): { readonly made: Made; readonly place: Place } {
  const place = random.of(placesOf(made))
  const mark = made.target.indexOf('?')
  const [path, query] = mark === -1 ? [made.target, ''] : [made.target.slice(0, mark), made.target.slice(mark)]
  switch (place) {
    case 'method':
      return { place, made: { ...made, method: random.of(['GET', 'POST', 'DELETE', 'HEAD']) } }
    case 'path':
      return { place, made: { ...made, target: otherLetter(path, random) + query } }
    case 'query':
      return { place, made: { ...made, target: path + otherLetter(query, random) } }
    case 'header': {
      const at = random.below(made.headers.length)
      const headers = made.headers.map(([name, value], index) => [name, index === at ? otherLetter(value, random) : value] as const)
      return { place, made: { ...made, headers } }
    }
    case 'content':
      return { place, made: { ...made, body: otherByte(made, random) } }
    case 'chunk-signature':
      return { place, made: { ...made, body: otherDigit(made.body, /chunk-signature=/g, random) } }
    case 'trailer':
      return { place, made: { ...made, body: otherDigit(made.body, /x-amz-(?:checksum-crc32|trailer-signature):/g, random) } }
    default:
      return place satisfies never
  }
}

function placesOf({ mode, content, target }: Made): readonly Place[] {
  return [
    'method',
    'path',
    'header',
    ...(target.includes('?') ? (['query'] as const) : []),
    ...(content.length > 0 && mode !== 'unsigned' ? (['content'] as const) : []),
    ...(mode.startsWith('chunked-signed') ? (['chunk-signature'] as const) : []),
    ...(mode.endsWith('trailer') ? (['trailer'] as const) : []),
  ]
}

function otherLetter(text: string, random: Random): string {
  const places = [...text.matchAll(/[A-Za-z0-9]/g)].map(({ index }) => index)
  const at = random.of(places)
  // No hex digit, so that no escape comes out as the same byte.
  const letter = random.of([...'ghijkmnpqrstuvwxyz'].filter((one) => one !== text[at]?.toLowerCase()))
  return text.slice(0, at) + letter + text.slice(at + 1)
}

function otherByte({ body, mode }: Made, random: Random): Buffer {
  const out = Buffer.from(body)
  // The first chunk's data, behind its line.
  const begin = mode.startsWith('chunked') ? body.indexOf('\r\n') + 2 : 0
  const at = mode.startsWith('chunked') ? begin : random.below(body.length)
  out[at] = ((out[at] ?? 0) + 1 + random.below(255)) & 0xff
  return out
}

function otherDigit(body: Buffer, before: RegExp, random: Random): Buffer {
  const text = body.toString('latin1')
  const { index, 0: found } = random.of([...text.matchAll(before)])
  const at = index + found.length + random.below(5)
  return Buffer.from(`${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`, 'latin1')
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
