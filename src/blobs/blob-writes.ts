/** Decides what becomes a record and what a file, and lets no write outlive the store. */
import { setMaxListeners } from 'node:events'
import { BlobLengthWrong, BlobStoreClosed } from './errors.ts'
import { type FileWriterParts, writeBlobFile } from './file-writer.ts'
import { encryptedRecord, plainRecord } from './record.ts'
import type { SegmentWriter } from './segment-writer.ts'
import { blobLimitBytes, Source } from './source.ts'
import type { WriteOptions, WrittenBlob } from './store.ts'

export interface BlobWritesParts {
  readonly segments: SegmentWriter
  readonly files: FileWriterParts
  readonly smallLimitBytes: number
}

export class BlobWrites {
  readonly #parts: BlobWritesParts
  readonly #closing = new AbortController()
  #inFlight = 0
  #onIdle: (() => void) | undefined

  constructor(parts: BlobWritesParts) {
    this.#parts = parts
    // Each write in flight listens for the end of the store.
    setMaxListeners(0, this.#closing.signal)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  async write(source: Uint8Array | AsyncIterable<Uint8Array>, options: WriteOptions): Promise<WrittenBlob> {
    this.#closing.signal.throwIfAborted()
    options.signal?.throwIfAborted()
    this.#inFlight += 1
    try {
      return source instanceof Uint8Array ? await this.#writeBuffer(source, options) : await this.#writeStream(source, options)
    } finally {
      this.#inFlight -= 1
      if (this.#inFlight === 0) this.#onIdle?.()
    }
  }

  /** Ends streams, finishes what waits for its sync. */
  async close(): Promise<void> {
    this.#closing.abort(new BlobStoreClosed())
    await this.#parts.segments.close()
    if (this.#inFlight === 0) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  #writeBuffer(bytes: Uint8Array, options: WriteOptions): Promise<WrittenBlob> {
    const expected = options.lengthBytes ?? bytes.byteLength
    if (expected !== bytes.byteLength) throw new BlobLengthWrong(`A buffer of ${bytes.byteLength} bytes was announced as ${expected}`)
    if (bytes.byteLength <= this.#parts.smallLimitBytes) return this.#append(bytes, options)
    return this.#withSource([bytes], options, (source) => this.#writeFile(source, options))
  }

  #writeStream(chunks: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<WrittenBlob> {
    return this.#withSource(chunks, options, async (source) => {
      const small = await this.#gather(source, options.lengthBytes)
      return small === undefined ? this.#writeFile(source, options) : this.#append(small, options)
    })
  }

  async #withSource(
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { lengthBytes, signal }: WriteOptions,
    use: (source: Source) => Promise<WrittenBlob>,
  ): Promise<WrittenBlob> {
    if (lengthBytes !== undefined && lengthBytes > blobLimitBytes) throw new BlobLengthWrong(`A blob has at most ${blobLimitBytes} bytes`)
    const own = this.#closing.signal
    const source = new Source(chunks, { lengthBytes, signals: signal === undefined ? [own] : [own, signal] })
    try {
      return await use(source)
    } finally {
      source.close()
    }
  }

  async #append(bytes: Uint8Array, { encrypt, signal }: WriteOptions): Promise<WrittenBlob> {
    const lengthBytes = bytes.byteLength
    if (!encrypt) {
      const record = plainRecord(bytes)
      const ref = await this.#parts.segments.append(record, signal)
      return { ref, lengthBytes, storedBytes: record.storedBytes }
    }
    const { record, dataKey } = encryptedRecord(bytes)
    const ref = await this.#parts.segments.append(record, signal)
    return { ref, lengthBytes, storedBytes: record.storedBytes, dataKey }
  }

  /** All of a small stream; undefined when it is a large one, all of which is then still to be pulled. */
  async #gather(source: Source, lengthBytes: number | undefined): Promise<Buffer | undefined> {
    const { smallLimitBytes } = this.#parts
    if (lengthBytes !== undefined && lengthBytes > smallLimitBytes) return undefined
    const gathered = Buffer.allocUnsafe(lengthBytes ?? smallLimitBytes)
    let filled = 0
    for (let chunk = await source.pull(); chunk !== undefined; chunk = await source.pull()) {
      if (filled + chunk.byteLength > smallLimitBytes) {
        source.putBack([gathered.subarray(0, filled), chunk])
        return undefined
      }
      gathered.set(chunk, filled)
      filled += chunk.byteLength
    }
    // A stream of unknown length may be far smaller than what was held ready for it.
    return filled === gathered.length ? gathered : Buffer.from(gathered.subarray(0, filled))
  }

  #writeFile(source: Source, { encrypt }: WriteOptions): Promise<WrittenBlob> {
    return writeBlobFile(this.#parts.files, { source, encrypt })
  }
}
