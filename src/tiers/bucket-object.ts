/** One object of a bucket, read in pieces: all of them of the object that the first answer was about. */
import type { BucketAnswer } from './bucket-answer.ts'
import type { BucketClient } from './bucket-client.ts'
import { TierRefused, TierUnavailable } from './errors.ts'
import type { StoredBytes } from './unpack.ts'

export interface BucketObjectParts {
  readonly client: BucketClient
  readonly tier: string
  readonly key: string
  readonly signal: AbortSignal
}

interface Slice {
  readonly offset: number
  readonly sizeBytes: number
  readonly bytes: Buffer
}

export class BucketObject implements StoredBytes {
  readonly #parts: BucketObjectParts
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  #etag: string | undefined

  constructor(parts: BucketObjectParts) {
    this.#parts = parts
    this.#signal = AbortSignal.any([parts.signal, this.#stop.signal])
  }

  async tail(lengthBytes: number): ReturnType<StoredBytes['tail']> {
    const answer = await this.#get(`bytes=-${lengthBytes}`, lengthBytes, [200, 206, 416])
    const { etag } = answer.headers
    if (typeof etag === 'string') this.#etag = etag
    // No range of an empty object can be had.
    if (answer.status === 416) return { sizeBytes: 0, bytes: Buffer.alloc(0) }
    if (answer.status === 200) return { sizeBytes: answer.bytes.length, bytes: answer.bytes }
    const { offset, sizeBytes, bytes } = this.#slice(answer)
    if (offset + bytes.length !== sizeBytes) throw this.#strange('bytes that are not the last ones')
    return { sizeBytes, bytes }
  }

  async at({ offset, lengthBytes }: { readonly offset: number; readonly lengthBytes: number }): Promise<Buffer> {
    const answer = await this.#get(`bytes=${offset}-${offset + lengthBytes - 1}`, lengthBytes, [206, 412])
    const { tier, key } = this.#parts
    if (answer.status === 412) throw new TierUnavailable(`Tier ${tier}: ${key} was written anew while it was read`)
    const slice = this.#slice(answer)
    if (slice.offset !== offset || slice.bytes.length !== lengthBytes) throw this.#strange('other bytes than those it was asked for')
    return slice.bytes
  }

  giveUp(): void {
    this.#stop.abort(new Error('nobody reads on'))
  }

  #get(range: string, lengthBytes: number, expect: readonly number[]): Promise<BucketAnswer> {
    const { client, key } = this.#parts
    return client.request({
      method: 'GET',
      key,
      headers: { range, ...(this.#etag === undefined ? {} : { 'if-match': this.#etag }) },
      // An error's words may need more room than a small range.
      maxBytes: Math.max(lengthBytes, errorMaxBytes),
      expect,
      doing: `read ${key}`,
      signal: this.#signal,
    })
  }

  #slice({ headers, bytes }: BucketAnswer): Slice {
    const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(String(headers['content-range']))
    const [offset, end, sizeBytes] = (match ?? []).slice(1).map(Number)
    if (offset === undefined || end === undefined || sizeBytes === undefined || bytes.length !== end + 1 - offset) {
      throw this.#strange('a range that is none')
    }
    return { offset, sizeBytes, bytes }
  }

  #strange(what: string): TierRefused {
    return new TierRefused(
      `Tier ${this.#parts.tier}: the server answers ${what} for ${this.#parts.key}: it does not serve ranges as S3 does`,
    )
  }
}

const errorMaxBytes = 64 * 1024
