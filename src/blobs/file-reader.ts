/**
 * Reads a large blob: every block is checked (and decrypted) before a byte of it passes on; the next piece is read while the last one is
 * used.
 */
import type { BufferPool } from './buffer-pool.ts'
import { asBlobError, BlobCorrupt, BlobMissing, codeOf } from './errors.ts'
import { blocksOf, footerOf, type Layout, layoutOf, openBlock } from './file-format.ts'
import { closeQuietly, type FileOps, readFully } from './file-ops.ts'
import { blockBytes, type FrameCipher, frameCipher } from './frames.ts'
import type { BlobRef } from './ref.ts'

/** Table entries in memory at a time: 64 MiB of data. */
const tableWindowBlocks = 1024

export interface FileRead {
  readonly ops: FileOps
  readonly pool: BufferPool
  readonly path: string
  readonly ref: BlobRef
  readonly id: Buffer
  readonly lengthBytes: number
  readonly dataKey: Uint8Array | undefined
  readonly range: { readonly start: number; readonly endInclusive: number } | undefined
  readonly signal: AbortSignal | undefined
  /** Pieces stand in two pooled buffers; each is good only until the next is asked for. */
  readonly reuseBuffers: boolean
}

export async function* readBlobFile(read: FileRead): AsyncGenerator<Buffer, void, void> {
  const range = read.range ?? { start: 0, endInclusive: Math.max(0, read.lengthBytes - 1) }
  const wanted = blocksOf(range)
  const reader = new FileReader(read, wanted.last)
  const blocksAtOnce = reader.pieceBytes / blockBytes
  try {
    await reader.open()
    let at = wanted.first
    // Pieces begin at multiples of the buffer's length, so that a long read is read in whole buffers.
    const load = (): Promise<Buffer> => {
      const last = Math.min(wanted.last, at - (at % blocksAtOnce) + blocksAtOnce - 1)
      const piece = reader.load({ first: at, last, range })
      at = last + 1
      return piece
    }
    let next: Promise<Buffer> | undefined = load()
    while (next !== undefined) {
      const piece = await next
      next = at <= wanted.last ? load() : undefined
      read.signal?.throwIfAborted()
      if (piece.length > 0) yield piece
    }
  } finally {
    await reader.close()
  }
}

class FileReader {
  readonly #read: FileRead
  /** Number of the last block that this read is about. */
  readonly #lastWanted: number
  readonly #layout: Layout
  readonly #cipher: FrameCipher | undefined
  readonly #buffers: Buffer[] = []
  /** Of both its buffers. */
  readonly pieceBytes: number
  #fd: number | undefined
  #loading: Promise<unknown> = Promise.resolve()
  #loads = 0
  #table: { readonly first: number; readonly entries: Buffer } | undefined

  constructor(read: FileRead, lastWanted: number) {
    this.#read = read
    this.pieceBytes = read.pool.sizeBytes
    this.#lastWanted = lastWanted
    this.#layout = layoutOf({ lengthBytes: read.lengthBytes, isEncrypted: read.dataKey !== undefined })
    this.#cipher = read.dataKey === undefined ? undefined : frameCipher({ dataKey: read.dataKey, id: read.id })
  }

  async open(): Promise<void> {
    const { ops, path, ref, lengthBytes, dataKey } = this.#read
    try {
      this.#fd = await ops.open(path, 'read')
    } catch (error) {
      throw codeOf(error) === 'ENOENT' ? new BlobMissing(ref) : asBlobError(error, `open blob ${ref}`)
    }
    const expected = footerOf({ ref, lengthBytes, isEncrypted: dataKey !== undefined })
    const footer = await this.#bytes(Buffer.allocUnsafe(expected.length), this.#layout.footerAt)
    if (!footer.equals(expected)) throw new BlobCorrupt({ ref, reason: 'the footer is not the one of this blob' })
  }

  /** Blocks `first` to `last`, checked, cut to the range. One load at a time. */
  load(wanted: { first: number; last: number; range: { start: number; endInclusive: number } }): Promise<Buffer> {
    const loading = this.#load(wanted)
    // A piece that nobody comes to fetch may fail without a word.
    this.#loading = loading.catch(() => undefined)
    return loading
  }

  async close(): Promise<void> {
    await this.#loading
    if (this.#fd !== undefined) await closeQuietly(this.#read.ops, this.#fd)
    this.#fd = undefined
    for (const buffer of this.#buffers) this.#read.pool.give(buffer)
    this.#buffers.length = 0
  }

  async #load(wanted: { first: number; last: number; range: { start: number; endInclusive: number } }): Promise<Buffer> {
    const { first, last, range } = wanted
    this.#read.signal?.throwIfAborted()
    const start = first * blockBytes
    const end = Math.min((last + 1) * blockBytes, this.#read.lengthBytes)
    const bytes = await this.#bytes(this.#buffer(end - start), start)
    for (let number = first; number <= last; number += 1) {
      const at = (number - first) * blockBytes
      const entry = this.#entryOf(number) ?? (await this.#readTable(number))
      const place = { ref: this.#read.ref, number, isLast: number === this.#layout.blocks - 1 }
      const reason = openBlock(bytes.subarray(at, at + blockBytes), entry, place, this.#cipher)
      if (reason !== undefined) throw new BlobCorrupt({ ref: this.#read.ref, block: number, reason })
    }
    return bytes.subarray(Math.max(0, range.start - start), Math.min(bytes.length, range.endInclusive + 1 - start))
  }

  #buffer(length: number): Buffer {
    if (!this.#read.reuseBuffers) return Buffer.allocUnsafeSlow(length)
    const which = this.#loads % 2
    this.#loads += 1
    const buffer = this.#buffers[which] ?? this.#read.pool.take(this.pieceBytes)
    this.#buffers[which] = buffer
    return buffer.subarray(0, length)
  }

  #entryOf(number: number): Buffer | undefined {
    if (this.#table === undefined) return undefined
    const at = (number - this.#table.first) * this.#layout.entryBytes
    if (at < 0 || at >= this.#table.entries.length) return undefined
    return this.#table.entries.subarray(at, at + this.#layout.entryBytes)
  }

  /** Reads the table from `number` on, as far as this read will need it, and gives that block's entry. */
  async #readTable(number: number): Promise<Buffer> {
    const { entryBytes, tableAt } = this.#layout
    const count = Math.min(tableWindowBlocks, this.#lastWanted + 1 - number)
    const entries = await this.#bytes(Buffer.allocUnsafe(count * entryBytes), tableAt + number * entryBytes)
    this.#table = { first: number, entries }
    return entries.subarray(0, entryBytes)
  }

  async #bytes(into: Buffer, position: number): Promise<Buffer> {
    const { ops, ref } = this.#read
    if (this.#fd === undefined) throw new Error('The file is not open')
    let count: number
    try {
      count = await readFully(ops, { fd: this.#fd, into, position })
    } catch (error) {
      throw asBlobError(error, `read blob ${ref}`)
    }
    if (count < into.length) throw new BlobCorrupt({ ref, reason: 'the file is too short' })
    return into
  }
}
