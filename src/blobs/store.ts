/**
 * Stored bytes: small blobs as records of shared segment files, large ones as files of their own. What a blob belongs to is a row's
 * business; the ref in that row is all that leads here.
 */
import type { BlobRef, SegmentId } from './ref.ts'
import type { MovedRecord, SegmentFile } from './segment-files.ts'
import type { SweepOptions, SweepQuestions, SweepReport } from './sweep.ts'

export interface WriteOptions {
  /** When known. Up to `smallLimitBytes` it spares a copy. A stream that gives another number of bytes is refused. */
  readonly lengthBytes?: number | undefined
  /** True: under a new random data key, which the answer carries and nobody else keeps. */
  readonly encrypt: boolean
  readonly signal?: AbortSignal | undefined
}

export interface WrittenBlob {
  readonly ref: BlobRef
  readonly lengthBytes: number
  /** Bytes that it takes on the disk. */
  readonly storedBytes: number
  /** 32 random bytes, raw, when encrypted: the caller seals it into the row. */
  readonly dataKey?: Buffer
}

export interface ReadOptions {
  /** The blob's own length, from its row; checked against what was written. */
  readonly lengthBytes: number
  /** Needed exactly when the blob was written encrypted. */
  readonly dataKey?: Uint8Array | undefined
  /** Within the blob: 0 ≤ start ≤ endInclusive < lengthBytes. */
  readonly range?: { readonly start: number; readonly endInclusive: number } | undefined
  readonly signal?: AbortSignal | undefined
}

export interface StreamOptions extends ReadOptions {
  /**
   * True: pieces stand in two buffers that are used again, the fast way for a consumer that is done with a piece, down to the write's
   * callback, before it asks for the next. NOTE: `pipeline` into a socket is no such consumer. False (default): each piece is the
   * consumer's to keep.
   */
  readonly reuseBuffers?: boolean | undefined
}

interface BlobStatus {
  readonly boot: number
  /** Of this start's segments that still have live records. */
  readonly segments: number
  readonly segmentBytes: number
  /** Records that wait for their sync. */
  readonly queuedBytes: number
  readonly writesInFlight: number
  readonly readers: number
  /** Files that a failed write could not take away yet; tried again by the sweep and at close. */
  readonly leftovers: number
}

export interface BlobStore {
  /**
   * Stores a buffer (which must stay as it is until then) or a stream. Resolves when the bytes and their directory entry are synced: they
   * survive a power cut. A chunk of the stream is used up before the next is asked for.
   * @throws DiskFull | BlobIoError | BlobLengthWrong | BlobStoreClosed, the signal's reason, the stream's own error. Nothing is left
   * behind then
   */
  write(source: Uint8Array | AsyncIterable<Uint8Array>, options: WriteOptions): Promise<WrittenBlob>
  /**
   * The bytes of a blob or range in order, in pieces of up to 1 MiB; each checked before it passes on.
   * @throws BlobCorrupt | BlobMissing | BlobIoError | BlobStoreClosed, the signal's reason
   */
  read(ref: BlobRef, options: StreamOptions): AsyncIterable<Buffer>
  /**
   * The same in one buffer, without a generator's cost: the way for small blobs.
   * @throws as `read`; RangeError for more than 1 MiB
   */
  readWhole(ref: BlobRef, options: ReadOptions): Promise<Buffer>
  /**
   * Frees blobs whose freeing is durable. A file goes at once, or with its last open reader; a record is counted, and its segment goes
   * when it has nothing else. Telling twice does no harm.
   * @throws BlobIoError when a file could not be unlinked: tell again
   */
  remove(refs: readonly BlobRef[]): Promise<void>
  /**
   * Looks at a part of what dead starts left and takes away what no row refers to. Called again and again in the background; goes on where
   * it stopped.
   */
  sweep(questions: SweepQuestions, options?: SweepOptions): Promise<SweepReport>
  /** Every segment file that is there, of whichever start, in the order of their names. */
  segments(): Promise<readonly SegmentFile[]>
  /** Whether nothing more will be written to it: not so for this start's newest. Segments of other starts are taken for sealed. */
  isSealed(segment: SegmentId): boolean
  /** Lets the next small blob begin another segment. Nothing happens when it is sealed already, or belongs to another start. */
  seal(segment: SegmentId): Promise<void>
  /**
   * Copies a small blob, verified and byte for byte, into this start's segment. Encrypted ones need no key for it.
   * @throws BlobCorrupt | BlobMissing when it is not what was written; DiskFull | BlobIoError | BlobStoreClosed
   */
  copyRecord(ref: BlobRef): Promise<MovedRecord>
  /** Unlinks a segment to which no row refers and will refer, with its last open reader. @throws BlobIoError: tell again */
  removeSegment(segment: SegmentId): Promise<void>
  /** Bytes that the file system would still take. */
  freeBytes(): Promise<number>
  status(): BlobStatus
  /** Refuses new work, ends streams that are being written, finishes records that wait. */
  close(): Promise<void>
}

export type { BlobRef, MovedRecord, SegmentFile, SegmentId, SweepReport }
