/** Brings a stream of bytes into a bucket: by one PUT when it is small, otherwise in parts, of which one is sent while the next is gathered. */
import { createHash } from 'node:crypto'
import { elementOf, errorOf, escaped } from './bucket-answer.ts'
import { type BucketBody, type BucketClient, bodyOf } from './bucket-client.ts'
import { TierRefused, TierUnavailable } from './errors.ts'

const mib = 1024 * 1024
const partMinBytes = 8 * mib
/** What we hold of a stream at once, twice. 10,000 such parts are 625 GiB; no single blob of S3 is larger than 5 GiB. */
const partMaxBytes = 64 * mib
/** S3: parts of an upload. */
const partsMax = 10_000
/** An upload that failed is taken back, also when whoever began it has given up. */
const abortMs = 10_000

export interface Upload {
  readonly client: BucketClient
  readonly tier: string
  readonly key: string
  /** No less than what comes. */
  readonly atMostBytes: number
  readonly signal: AbortSignal
}

/** @returns how many bytes were stored @throws what the pieces throw; as the client */
export async function upload(pieces: AsyncIterable<Buffer>, of: Upload): Promise<number> {
  const { tier, key, client, signal, atMostBytes } = of
  const partBytes = partBytesFor(atMostBytes)
  if (partBytes > partMaxBytes)
    throw new TierRefused(`Tier ${tier}: ${atMostBytes} bytes are more than an upload of ${partsMax} parts can have`)
  const doing = `store ${key}`
  let parts: Parts | undefined
  try {
    for await (const { body, isLast } of bodiesOf(pieces, partBytes)) {
      if (parts === undefined && isLast) await client.request({ method: 'PUT', key, body, doing, signal })
      else {
        parts ??= await Parts.begin(of)
        await parts.add(body)
      }
    }
    await parts?.complete()
  } catch (error) {
    await parts?.abort()
    throw error
  }
  const { status, headers } = await client.request({ method: 'HEAD', key, expect: [200, 404], doing: `look at ${key}`, signal })
  return status === 404 ? 0 : Number(headers['content-length'])
}

/** Equal for all parts but the last, as some servers ask for. */
function partBytesFor(bytes: number): number {
  return Math.max(partMinBytes, Math.ceil(bytes / partsMax / mib) * mib)
}

/** One upload in parts. */
class Parts {
  readonly #of: Upload
  readonly #uploadId: string
  readonly #etags: string[] = []
  #sending: Promise<void> = Promise.resolve()

  private constructor(of: Upload, uploadId: string) {
    this.#of = of
    this.#uploadId = uploadId
  }

  static async begin(of: Upload): Promise<Parts> {
    const { client, tier, key, signal } = of
    const doing = `begin the upload of ${key}`
    const answer = await client.request({ method: 'POST', key, query: { uploads: '' }, doing, signal })
    const uploadId = elementOf(answer.bytes.toString('utf8'), 'UploadId')
    if (uploadId === undefined || uploadId === '') throw errorOf(answer, { tier, doing })
    return new Parts(of, uploadId)
  }

  /** Resolves when the part before is there. */
  async add(body: BucketBody): Promise<void> {
    await this.#sending
    this.#sending = this.#send(body)
    // Its failure is met at the next turn; until then nobody listens.
    this.#sending.catch(() => undefined)
  }

  async complete(): Promise<void> {
    await this.#sending
    const { client, tier, key, signal } = this.#of
    const parts = this.#etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`)
    const body = bodyOf(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
    const doing = `complete the upload of ${key}`
    const answer = await client.request({
      method: 'POST',
      key,
      query: { uploadId: this.#uploadId },
      body,
      expect: [200, 404],
      doing,
      signal,
    })
    // An answer that was lost may have been a success: whether the object is there is asked next.
    if (answer.status === 404 && answer.bytes.includes('<Code>NoSuchUpload</Code>')) return
    // NOTE: S3 sends 200 before it knows, to keep the connection alive: only the body says how it went.
    if (!answer.bytes.includes('<CompleteMultipartUploadResult')) throw errorOf(answer, { tier, doing })
  }

  async abort(): Promise<void> {
    await this.#sending.catch(() => undefined)
    const { client, key } = this.#of
    const signal = AbortSignal.timeout(abortMs)
    const query = { uploadId: this.#uploadId }
    // What is left is taken away by the next start.
    await client.request({ method: 'DELETE', key, query, expect: [204, 200, 404], doing: 'abort', signal }).catch(() => undefined)
  }

  async #send(body: BucketBody): Promise<void> {
    const { client, tier, key, signal } = this.#of
    const number = this.#etags.length + 1
    const query = { partNumber: String(number), uploadId: this.#uploadId }
    const { headers } = await client.request({ method: 'PUT', key, query, body, doing: `store part ${number} of ${key}`, signal })
    const etag = headers['etag']
    if (typeof etag !== 'string') throw new TierUnavailable(`Tier ${tier}: part ${number} of ${key} was answered without an ETag`)
    this.#etags.push(etag)
  }
}

/** The pieces in bodies of `partBytes`, the last one shorter. */
async function* bodiesOf(
  pieces: AsyncIterable<Buffer>,
  partBytes: number,
): AsyncGenerator<{ readonly body: BucketBody; readonly isLast: boolean }, void, void> {
  let gathering = new Gathering()
  for await (const piece of pieces) {
    let rest = piece
    while (rest.length > 0) {
      if (gathering.lengthBytes === partBytes) {
        yield { body: gathering.done(), isLast: false }
        gathering = new Gathering()
      }
      const count = Math.min(rest.length, partBytes - gathering.lengthBytes)
      gathering.add(rest.subarray(0, count))
      rest = rest.subarray(count)
    }
  }
  yield { body: gathering.done(), isLast: true }
}

/** A body in the making; its digest grows with it, so that the event loop is not held up at its end. */
class Gathering {
  readonly #pieces: Buffer[] = []
  readonly #sha256 = createHash('sha256')
  lengthBytes = 0

  add(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#sha256.update(piece)
    this.lengthBytes += piece.length
  }

  done(): BucketBody {
    return { pieces: this.#pieces, lengthBytes: this.lengthBytes, sha256: this.#sha256.digest('hex') }
  }
}
