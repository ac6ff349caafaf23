/** Finds a blob by its ref and gives its verified bytes; holds a pin on it for as long as that takes. */
import type { BufferPool } from './buffer-pool.ts'
import { asBlobError, BlobCorrupt, BlobMissing, BlobStoreClosed, codeOf } from './errors.ts'
import { type FileOps, readFully } from './file-ops.ts'
import { readBlobFile } from './file-reader.ts'
import { type Folders, filePath, segmentPath } from './folders.ts'
import type { OpenFile, OpenFiles } from './open-files.ts'
import type { Pins } from './pins.ts'
import { decodeRecord, recordBytes } from './record.ts'
import { type BlobRef, type Place, placeOf } from './ref.ts'
import { groupLimitBytes } from './segment-writer.ts'
import type { ReadOptions, StreamOptions } from './store.ts'

const wholeLimitBytes = 1024 * 1024

export interface BlobReadsParts {
  readonly ops: FileOps
  readonly folders: Folders
  readonly pool: BufferPool
  readonly pins: Pins
  readonly segments: OpenFiles
}

type RecordPlace = Extract<Place, { kind: 'record' }>
type FilePlace = Extract<Place, { kind: 'file' }>

export class BlobReads {
  readonly #parts: BlobReadsParts
  #isClosed = false

  constructor(parts: BlobReadsParts) {
    this.#parts = parts
  }

  /** Reads that have begun go on to their end. */
  close(): void {
    this.#isClosed = true
  }

  async *read(ref: BlobRef, options: StreamOptions): AsyncGenerator<Buffer, void, void> {
    const place = this.#admit(ref, options)
    if (place.kind === 'file') {
      yield* this.#readFile(ref, place, options)
      return
    }
    const bytes = await this.#readRecord(ref, place, options)
    if (bytes.length > 0) yield bytes
  }

  async readWhole(ref: BlobRef, options: ReadOptions): Promise<Buffer> {
    const place = this.#admit(ref, options)
    const { start, endInclusive } = options.range ?? { start: 0, endInclusive: options.lengthBytes - 1 }
    const wantedBytes = endInclusive - start + 1
    if (wantedBytes > wholeLimitBytes) throw new RangeError(`${wantedBytes} bytes are too many to read in one buffer`)
    if (place.kind === 'record') return this.#readRecord(ref, place, options)
    const pieces: Buffer[] = []
    for await (const piece of this.#readFile(ref, place, options)) pieces.push(piece)
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
  }

  #admit(ref: BlobRef, { lengthBytes, range, signal }: ReadOptions): Place {
    if (this.#isClosed) throw new BlobStoreClosed()
    signal?.throwIfAborted()
    if (range !== undefined && !(range.start >= 0 && range.start <= range.endInclusive && range.endInclusive < lengthBytes)) {
      throw new RangeError(`No bytes ${range.start}-${range.endInclusive} in a blob of ${lengthBytes}`)
    }
    const place = placeOf(ref)
    if (place === undefined) throw new BlobCorrupt({ ref, reason: 'it is not a name of a blob' })
    return place
  }

  async #readRecord(ref: BlobRef, place: RecordPlace, { lengthBytes, dataKey, range }: ReadOptions): Promise<Buffer> {
    if (lengthBytes > groupLimitBytes) throw new BlobCorrupt({ ref, reason: 'the length is another' })
    const bytes = Buffer.allocUnsafe(recordBytes({ lengthBytes, isEncrypted: dataKey !== undefined }))
    const path = segmentPath(this.#parts.folders, place)
    this.#parts.pins.pin(path)
    try {
      const file = await this.#openSegment(ref, path)
      try {
        await this.#fill(ref, { fd: file.fd, into: bytes, position: place.offset })
      } finally {
        this.#parts.segments.release(file)
      }
    } finally {
      this.#parts.pins.unpin(path)
    }
    const plain = decodeRecord(bytes, { ref, lengthBytes, dataKey })
    return range === undefined ? plain : plain.subarray(range.start, range.endInclusive + 1)
  }

  async #openSegment(ref: BlobRef, path: string): Promise<OpenFile> {
    try {
      return await this.#parts.segments.acquire(path)
    } catch (error) {
      throw codeOf(error) === 'ENOENT' ? new BlobMissing(ref) : asBlobError(error, `open the segment of blob ${ref}`)
    }
  }

  async #fill(ref: BlobRef, source: { fd: number; into: Buffer; position: number }): Promise<void> {
    let count: number
    try {
      count = await readFully(this.#parts.ops, source)
    } catch (error) {
      throw asBlobError(error, `read blob ${ref}`)
    }
    if (count < source.into.length) throw new BlobCorrupt({ ref, reason: 'the segment is too short' })
  }

  async *#readFile(ref: BlobRef, place: FilePlace, options: StreamOptions): AsyncGenerator<Buffer, void, void> {
    const { ops, pool, pins, folders } = this.#parts
    const path = filePath(folders, place)
    const { lengthBytes, dataKey, range, signal, reuseBuffers = false } = options
    pins.pin(path)
    try {
      yield* readBlobFile({ ops, pool, path, ref, id: Buffer.from(place.id, 'hex'), lengthBytes, dataKey, range, signal, reuseBuffers })
    } finally {
      pins.unpin(path)
    }
  }
}
