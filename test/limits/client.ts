/** A quick S3 client: one signed request, one answer, no retries and no opinions. */
import { type Dispatcher, Pool } from 'undici'
import { encodePath, type Pairs, sha256, signRequest } from './signer.ts'

export interface Call {
  readonly method: string
  readonly bucket?: string
  readonly key?: string | Buffer
  readonly query?: Pairs
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Whether the signature covers the body. */
  readonly isBodySigned?: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export class Client {
  readonly #pool: Pool

  constructor(port: number, { connections = 24 }: { readonly connections?: number } = {}) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1, bodyTimeout: 60_000, headersTimeout: 60_000 })
  }

  /** @throws what the connection throws; an answer of any status is an answer */
  async send(call: Call): Promise<Answer> {
    const { statusCode, headers, body } = await this.request(call)
    return { status: statusCode, headers: headers as Answer['headers'], body: Buffer.from(await body.arrayBuffer()) } // S3 repeats no header
  }

  /** The answer with its body unread. */
  request(call: Call): Promise<Dispatcher.ResponseData> {
    const { method, bucket, key, query, body, isBodySigned = false } = call
    const path = bucket === undefined ? '/' : encodePath(bucket, key)
    const payload = isBodySigned ? sha256(body ?? '') : 'UNSIGNED-PAYLOAD'
    const signed = signRequest({
      method,
      path,
      payload,
      headers: Object.entries(call.headers ?? {}),
      ...(query === undefined ? {} : { query }),
    })
    return this.#pool.request({
      // S3 has no method that undici does not know.
      method: method as Dispatcher.HttpMethod,
      path: signed.target,
      headers: signed.headers.flat(),
      body: body ?? null,
    })
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

/** @throws Error with the whole answer when the status is another */
export function expectStatus(answer: Answer, ...statuses: readonly number[]): Answer {
  if (statuses.includes(answer.status)) return answer
  throw new Error(`expected ${statuses.join(' or ')}, got ${answer.status}: ${answer.body.toString().slice(0, 2000)}`)
}

export async function createBucket(client: Client, bucket: string, { isVersioned = false } = {}): Promise<void> {
  expectStatus(await client.send({ method: 'PUT', bucket }), 200)
  if (!isVersioned) return
  const body = Buffer.from('<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>')
  expectStatus(await client.send({ method: 'PUT', bucket, query: [['versioning', '']], body }), 200)
}

/** All keys of a bucket, by LIST. */
export async function listKeys(client: Client, bucket: string): Promise<readonly string[]> {
  const keys: string[] = []
  let token: string | undefined
  do {
    const query: Pairs = [['list-type', '2'], ...(token === undefined ? [] : [['continuation-token', token] as const])]
    const xml = expectStatus(await client.send({ method: 'GET', bucket, query }), 200).body.toString()
    keys.push(...elements(xml, 'Key'))
    token = elements(xml, 'NextContinuationToken')[0]
  } while (token !== undefined)
  return keys
}

/** The texts of all elements of this name. */
export function elements(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) => unescapeXml(text))
}

/** The contents of all elements of this name, which hold others. */
export function blocks(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map(([, text = '']) => text)
}

function unescapeXml(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&apos;', "'").replaceAll('&amp;', '&')
}
