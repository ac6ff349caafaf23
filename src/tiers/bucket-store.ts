/** A tier that is a bucket of any S3 server: an object for each ref, behind the prefix. */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { dataKeyBytes } from '../lib/frame-cipher.ts'
import { WatchedSource } from '../lib/watched-source.ts'
import { tierOfRef } from '../model/tier-refs.ts'
import { elementOf, elementsOf } from './bucket-answer.ts'
import { BucketClient, type BucketTimeouts, bodyOf, bucketTimeouts } from './bucket-client.ts'
import { BucketObject } from './bucket-object.ts'
import { Claim, type MarkPlace, markName } from './claim.ts'
import { TierMissing, TierUnavailable } from './errors.ts'
import { packedBytesMax } from './format.ts'
import { packed } from './pack.ts'
import type { BucketSettings } from './settings.ts'
import { Standing, type TierLog } from './standing.ts'
import type { TierBlob, TierReadOptions, TierStatus, TierStore, TierWriteOptions } from './store.ts'
import { unpacked } from './unpack.ts'
import { chunksUntilAborted, untilAborted } from './until-aborted.ts'
import { upload } from './upload.ts'

export interface BucketTierParts {
  readonly name: string
  readonly bucket: BucketSettings
  readonly region: string
  /** Where the region keeps what it knows of its tiers. */
  readonly claimsFolder: string
  /** This start's number: uploads that earlier ones began are nobody's. */
  readonly boot: number
  /** Whether no other thread writes yet. */
  readonly isFirst: boolean
  readonly timeouts?: BucketTimeouts
  readonly clock: Clock
  readonly log: TierLog
}

/** Pages of a listing of unfinished uploads, 1000 each. */
const sweepPagesMax = 10

export class BucketStore implements TierStore {
  readonly name: string
  readonly #parts: BucketTierParts
  readonly #client: BucketClient
  readonly #claim: Claim
  readonly #standing: Standing
  #proof: Promise<void> | undefined

  constructor(parts: BucketTierParts) {
    const { name, bucket, region, claimsFolder, timeouts = bucketTimeouts, clock, log } = parts
    const place = `${bucket.endpoint}/${bucket.name}/${bucket.prefix}`
    this.name = name
    this.#parts = parts
    this.#client = new BucketClient({ tier: name, settings: bucket, timeouts, clock })
    this.#claim = new Claim({ tier: name, region, place, folder: claimsFolder })
    this.#standing = new Standing({ kind: 'bucket', place, name }, log)
  }

  write(source: AsyncIterable<Uint8Array>, { ref, lengthBytes, encrypt, signal }: TierWriteOptions): Promise<TierBlob> {
    const watched = new WatchedSource(source)
    return this.#standing.during(async () => {
      await this.#prove(signal)
      const dataKey = encrypt ? randomBytes(dataKeyBytes) : undefined
      let storedBytes = 0
      const counted = async function* (): AsyncGenerator<Buffer, void, void> {
        for await (const piece of packed(chunksUntilAborted(watched.chunks(), signal), { ref, lengthBytes, dataKey })) {
          storedBytes += piece.length
          yield piece
        }
      }
      const there = await upload(counted(), {
        client: this.#client,
        tier: this.name,
        key: ref,
        atMostBytes: packedBytesMax(lengthBytes),
        signal,
      })
      if (there !== storedBytes)
        throw new TierUnavailable(`Tier ${this.name}: ${ref} has ${there} bytes there, and ${storedBytes} were sent`)
      return { storedBytes, ...(dataKey !== undefined && { dataKey }) }
    }, watched)
  }

  async *read(ref: string, options: TierReadOptions): AsyncGenerator<Buffer, void, void> {
    try {
      await this.#prove(options.signal)
      yield* unpacked(new BucketObject({ client: this.#client, tier: this.name, key: ref, signal: options.signal }), ref, options)
      this.#standing.succeeded()
    } catch (error) {
      this.#standing.failed(error)
      throw error
    }
  }

  remove(ref: string, signal: AbortSignal): Promise<void> {
    return this.#standing.during(async () => {
      await this.#prove(signal)
      const request = { method: 'DELETE', key: ref, expect: [204, 200], doing: `remove ${ref}`, signal } as const
      await this.#client.request(request).catch(ifMissing)
    })
  }

  status(): TierStatus {
    return this.#standing.status()
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  /** Once in the life of a process, when it is needed first: a bucket does not go away and leave another one in its place. */
  async #prove(signal: AbortSignal): Promise<void> {
    if (this.#proof === undefined) {
      // Not under the signal of whoever happens to be first.
      const proof = this.#begin()
      this.#proof = proof
      proof.catch(() => {
        this.#proof = undefined
      })
    }
    await untilAborted(this.#proof, signal)
  }

  async #begin(): Promise<void> {
    const signal = new AbortController().signal
    await this.#claim.prove(this.#mark(signal))
    if (this.#parts.isFirst) await this.#sweep(signal).catch(() => undefined)
  }

  #mark(signal: AbortSignal): MarkPlace {
    const doing = `read ${markName}`
    return {
      read: async () => {
        const answer = await this.#client.request({ method: 'GET', key: markName, doing, signal }).catch(ifMissing)
        return answer?.bytes.toString('utf8')
      },
      make: async (text) => {
        const put = { method: 'PUT', key: markName, body: bodyOf(text), doing: `write ${markName}`, signal } as const
        const answer = await this.#client.request({ ...put, headers: { 'if-none-match': '*' }, expect: [200, 400, 409, 412, 501] })
        // A server that does not know the condition says so; whose mark it is will be read again in any case.
        if (answer.status === 400 || answer.status === 501) await this.#client.request(put)
      },
    }
  }

  /** Uploads in parts that dead writers began cost room and are shown by no listing. */
  async #sweep(signal: AbortSignal): Promise<void> {
    const { bucket, boot } = this.#parts
    let after: Readonly<Record<string, string>> = {}
    for (let page = 0; page < sweepPagesMax; page++) {
      const query = { uploads: '', prefix: `${bucket.prefix}t${this.name}.`, ...after }
      const { bytes } = await this.#client.request({
        method: 'GET',
        key: '',
        query,
        maxBytes: sweepMaxBytes,
        doing: 'list uploads',
        signal,
      })
      const text = bytes.toString('utf8')
      for (const one of elementsOf(text, 'Upload')) {
        const key = elementOf(one, 'Key')?.slice(bucket.prefix.length) ?? ''
        const uploadId = elementOf(one, 'UploadId')
        if (uploadId === undefined || tierOfRef(key) !== this.name || bootOf(key) >= boot) continue
        const request = { method: 'DELETE', key, query: { uploadId }, expect: [204, 200, 404], doing: 'abort an upload', signal } as const
        await this.#client.request(request)
      }
      if (elementOf(text, 'IsTruncated') !== 'true') return
      after = { 'key-marker': elementOf(text, 'NextKeyMarker') ?? '', 'upload-id-marker': elementOf(text, 'NextUploadIdMarker') ?? '' }
    }
  }
}

const sweepMaxBytes = 4 * 1024 * 1024

function bootOf(ref: string): number {
  return Number.parseInt(ref.slice(ref.indexOf('.') + 1), 16)
}

/** @throws what is not of an object that is absent */
function ifMissing(error: unknown): undefined {
  if (!(error instanceof TierMissing)) throw error
}
