/**
 * Where bytes live that are no longer on the region's own disk: a slower folder, or a bucket of any S3 server. A tier keeps whole blobs under refs that rows
 * remember, and gives back those bytes or an error, never others.
 */
import type { StorageClass } from '../model/storage-class.ts'

export interface TierWriteOptions {
  /** Made by `Tiers.newRef`, and noted durably before. Written twice, the later content counts. */
  readonly ref: string
  readonly lengthBytes: number
  /** True: under a new random data key, which the answer carries and nobody else keeps. */
  readonly encrypt: boolean
  readonly signal: AbortSignal
}

export interface TierBlob {
  /** Bytes that it takes in the tier. */
  readonly storedBytes: number
  /** 32 random bytes, raw, when encrypted: the caller seals it into the row. */
  readonly dataKey?: Buffer
}

export interface TierReadOptions {
  /** The blob's own length, from its row; checked against what was written. */
  readonly lengthBytes: number
  readonly dataKey?: Uint8Array | undefined
  /** Within the blob: 0 ≤ start ≤ endInclusive < lengthBytes. */
  readonly range?: { readonly start: number; readonly endInclusive: number } | undefined
  readonly signal: AbortSignal
}

export interface TierStore {
  readonly name: string
  /**
   * Resolves when the bytes are in the tier and would survive a power cut there.
   * @throws TierUnavailable (unreachable, slow, throttled) | TierFull | TierRefused (credentials, bucket), the signal's reason, the source's own
   * error; RangeError when the source has another length than announced
   */
  write(source: AsyncIterable<Uint8Array>, options: TierWriteOptions): Promise<TierBlob>
  /**
   * The bytes of a blob or range in order, each piece checked before it passes on.
   * @throws TierCorrupt (not what was written) | TierMissing | TierUnavailable | TierRefused
   */
  read(ref: string, options: TierReadOptions): AsyncIterable<Buffer>
  /** Frees a blob; an absent one is no error. @throws TierUnavailable | TierRefused: tell again */
  remove(ref: string, signal: AbortSignal): Promise<void>
  status(): TierStatus
  close(): Promise<void>
}

export interface TierStatus {
  readonly kind: 'folder' | 'bucket'
  /** The path, or endpoint and bucket; no secret. */
  readonly place: string
  readonly state: 'ok' | 'failing'
  /** Of the last failure, until the next success. */
  readonly reason?: string
}

export interface Tiers {
  /** Where the bytes of a class belong; undefined: on the region's own disk. */
  tierFor(storageClass: StorageClass): TierStore | undefined
  /** The tier that a ref leads to. @throws TierRefused when no tier of this name is configured any more */
  tierOf(ref: string): TierStore
  newRef(tier: TierStore): string
  readonly all: readonly TierStore[]
  close(): Promise<void>
}
