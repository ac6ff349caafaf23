/**
 * Reads a large blob: every block is checked (and decrypted) before a byte of it passes on. While a large piece is used the next one is read. When
 * many read at a time, the others go on by single blocks, whose bytes pass on in slices: who waits long has no more than a slice, and the block is read
 * and checked again when it is wanted again.
 */

import { type FrameCipher, frameCipher } from '../lib/frame-cipher.ts'
import type { BufferPool } from './buffer-pool.ts'
import { asBlobError, BlobCorrupt, BlobMissing, codeOf } from './errors.ts'
import { blocksOf, footerOf, type Layout, layoutOf, openBlock } from './file-format.ts'
import { closeQuietly, type FileOps, readFully } from './file-ops.ts'
import { blockBytes } from './frames.ts'
import type { BlobRef } from './ref.ts'

/** Table entries in memory at a time: 64 MiB of data. */
const tableWindowBlocks = 1024
/** A copy of these passes on of a block. */
const sliceBytes = 16 * 1024
/** So long a block is kept for who does not come for its next slice. */
const keepsBlockMs = 250

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
  /** Pieces stand in pooled buffers, two at most; each is good only until the next is asked for. */
  readonly reuseBuffers: boolean
}

export async function* readBlobFile(read: FileRead): AsyncGenerator<Buffer, void, void> {
  const range = read.range ?? { start: 0, endInclusive: Math.max(0, read.lengthBytes - 1) }
  const wanted = blocksOf(range)
  const reader = new FileReader(read, wanted.last)
  try {
    await reader.open()
    let at = wanted.first
    const load = (): Loading | undefined => {
      if (at > wanted.last) return undefined
      const blocksAtOnce = at === wanted.last ? 1 : read.pool.sizeBytes / blockBytes
      // Pieces begin at multiples of the buffer's length, so that a long read is read in whole buffers.
      const last = Math.min(wanted.last, at - (at % blocksAtOnce) + blocksAtOnce - 1)
      const current = { first: at, last, blocksAtOnce, range }
      at = last + 1
      return { current, loaded: reader.load(current) }
    }
    for (let next = load(); next !== undefined; ) {
      const { current, loaded } = next
      const piece = await loaded
      const ahead = current.blocksAtOnce > 1 ? load() : undefined
      read.signal?.throwIfAborted()
      const isSliced = read.reuseBuffers && read.pool.sizeBytes === blockBytes
      if (isSliced && current.blocksAtOnce === 1) yield* reader.slices(piece, current)
      else if (piece.length > 0) yield piece
      reader.doneWithPiece()
      next = ahead ?? load()
    }
  } finally {
    await reader.close()
  }
}

interface Wanted {
  readonly first: number
  readonly last: number
  readonly blocksAtOnce: number
  readonly range: { readonly start: number; readonly endInclusive: number }
}

interface Loading {
  readonly current: Wanted
  readonly loaded: Promise<Buffer>
}

class FileReader {
  readonly #read: FileRead
  /** Number of the last block that this read is about. */
  readonly #lastWanted: number
  readonly #layout: Layout
  readonly #cipher: FrameCipher | undefined
  /** Of the piece that is used, and of the one behind it. */
  readonly #buffers: Buffer[] = []
  #slice: Buffer | undefined
  #fd: number | undefined
  #loading: Promise<unknown> = Promise.resolve()
  #table: { readonly first: number; readonly entries: Buffer } | undefined

  constructor(read: FileRead, lastWanted: number) {
    this.#read = read
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

  /** Blocks `first` to `last`, checked, cut to the range, in a buffer for so many. One load at a time. */
  load(wanted: Wanted): Promise<Buffer> {
    const loading = this.#load(wanted)
    // A piece that nobody comes to fetch may fail without a word.
    this.#loading = loading.catch(() => undefined)
    return loading
  }

  /** The one piece that this reader has, in copies; reads it again for who was too slow. */
  async *slices(piece: Buffer, wanted: Wanted): AsyncGenerator<Buffer, void, void> {
    let held: Buffer | undefined = piece
    const { length } = piece
    this.#slice ??= Buffer.allocUnsafeSlow(sliceBytes)
    const slice = this.#slice
    for (let at = 0; at < length; at += sliceBytes) {
      held ??= await this.load(wanted)
      const lengthBytes = held.copy(slice, 0, at)
      const timer = setTimeout(() => {
        held = undefined
        const buffer = this.#buffers.shift()
        if (buffer !== undefined) this.#read.pool.giveOwn(buffer)
      }, keepsBlockMs)
      try {
        yield slice.subarray(0, lengthBytes)
      } finally {
        clearTimeout(timer)
      }
      this.#read.signal?.throwIfAborted()
    }
  }

  /** Gives back the buffer of the piece that was given before any other. */
  doneWithPiece(): void {
    const buffer = this.#buffers.shift()
    if (buffer !== undefined) this.#read.pool.give(buffer)
  }

  async close(): Promise<void> {
    await this.#loading
    if (this.#fd !== undefined) await closeQuietly(this.#read.ops, this.#fd)
    this.#fd = undefined
    for (const buffer of this.#buffers) this.#read.pool.give(buffer)
    this.#buffers.length = 0
  }

  async #load({ first, last, blocksAtOnce, range }: Wanted): Promise<Buffer> {
    this.#read.signal?.throwIfAborted()
    const start = first * blockBytes
    const end = Math.min((last + 1) * blockBytes, this.#read.lengthBytes)
    const bytes = await this.#bytes(this.#buffer(end - start, blocksAtOnce * blockBytes), start)
    for (let number = first; number <= last; number += 1) {
      const at = (number - first) * blockBytes
      const entry = this.#entryOf(number) ?? (await this.#readTable(number))
      const place = { ref: this.#read.ref, number, isLast: number === this.#layout.blocks - 1 }
      const reason = openBlock(bytes.subarray(at, at + blockBytes), entry, place, this.#cipher)
      if (reason !== undefined) throw new BlobCorrupt({ ref: this.#read.ref, block: number, reason })
    }
    return bytes.subarray(Math.max(0, range.start - start), Math.min(bytes.length, range.endInclusive + 1 - start))
  }

  #buffer(length: number, takenBytes: number): Buffer {
    if (!this.#read.reuseBuffers) return Buffer.allocUnsafeSlow(length)
    const buffer = this.#read.pool.take(takenBytes)
    this.#buffers.push(buffer)
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
    // NOTE: not a part of node's pool of 64 KiB, all of which a slow reader would keep.
    const entries = await this.#bytes(Buffer.allocUnsafeSlow(count * entryBytes), tableAt + number * entryBytes)
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
