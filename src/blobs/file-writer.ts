/**
 * Writes a large blob: temporary name, data, table, fdatasync, rename, fsync of the folder. Two pooled buffers at most, whatever the length: one
 * fills from the stream while the other goes to the disk. A sender who pauses keeps what it has sent, and no more.
 */
import { randomBytes } from 'node:crypto'
import { dataKeyBytes, type FrameCipher, frameCipher } from '../lib/frame-cipher.ts'
import type { BufferPool } from './buffer-pool.ts'
import { asBlobError } from './errors.ts'
import { entryBytesOf, footerOf, sealBlock } from './file-format.ts'
import { closeQuietly, type FileOps, syncFolder, writeFully } from './file-ops.ts'
import { blockBytes, blockCount } from './frames.ts'
import { type BlobRef, blobFileName, fileRef, folderOf } from './ref.ts'
import type { Room } from './room.ts'
import type { Source } from './source.ts'

const idBytes = 16
/** The least that is held ready for bytes that come slowly. */
const leastBytes = 4096
/** Table entries that there is room for at first. */
const tableBlocks = 1024

export interface FileWriterParts {
  readonly ops: FileOps
  readonly pool: BufferPool
  readonly boot: number
  readonly tmpFolder: string
  readonly filesFolder: string
  readonly room: Room
  /** Told of a path that could not be unlinked after a failure, to be tried again later. */
  readonly onLeftover: (path: string) => void
}

export interface WrittenFile {
  readonly ref: BlobRef
  readonly lengthBytes: number
  readonly storedBytes: number
  readonly dataKey?: Buffer
}

/**
 * @throws DiskFull (already when less than the reserve would be left) | BlobIoError, and what the source throws. Nothing is left behind then,
 * neither file nor descriptor
 */
export async function writeBlobFile(
  parts: FileWriterParts,
  { source, encrypt }: { source: Source; encrypt: boolean },
): Promise<WrittenFile> {
  const idInBytes = randomBytes(idBytes)
  const name = { boot: parts.boot, id: idInBytes.toString('hex') }
  const ref = fileRef(name)
  const paths = { tmp: `${parts.tmpFolder}/${blobFileName(name)}`, folder: `${parts.filesFolder}/${folderOf(name.id)}` }
  const dataKey = encrypt ? randomBytes(dataKeyBytes) : undefined
  const cipher = dataKey === undefined ? undefined : frameCipher({ dataKey, id: idInBytes })
  const body = new Body({ parts, ref, cipher, expectedBytes: source.expectedBytes })
  let finalPath: string | undefined
  try {
    await checkRoom(parts.room, source.expectedBytes ?? 0)
    await body.open(paths.tmp)
    for (let chunk = await source.pull(); chunk !== undefined; chunk = await source.pull()) await body.add(chunk)
    const storedBytes = await body.finish()
    await body.close()
    const final = `${paths.folder}/${blobFileName(name)}`
    finalPath = final
    await disk(() => publish(parts.ops, { from: paths.tmp, to: final, folder: paths.folder }))
    return { ref, lengthBytes: body.lengthBytes, storedBytes, ...(dataKey !== undefined && { dataKey }) }
  } catch (error) {
    await body.close()
    await discard(parts, finalPath === undefined ? [paths.tmp] : [paths.tmp, finalPath])
    throw error
  }
}

/** The commit would refuse it too, but only after gigabytes; meanwhile deletes need what is left. */
async function checkRoom(room: Room, neededBytes: number): Promise<void> {
  await disk(() => room.check(neededBytes))
}

async function publish(ops: FileOps, { from, to, folder }: { from: string; to: string; folder: string }): Promise<void> {
  await ops.rename(from, to)
  await syncFolder(ops, folder)
}

/** After a failed rename either name may be the one that is there. */
async function discard(parts: FileWriterParts, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await parts.ops.unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') parts.onLeftover(path)
    })
  }
}

/** The bytes of one file on their way to the disk. */
class Body {
  readonly #parts: FileWriterParts
  readonly #ref: BlobRef
  readonly #cipher: FrameCipher | undefined
  readonly #entryBytes: number
  /** 0: nobody said. */
  readonly #expectedBytes: number
  #table: Buffer
  #blocks = 0
  #fd: number | undefined
  #filling: Buffer = noBuffer
  #filled = 0
  #positionBytes = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(options: { parts: FileWriterParts; ref: BlobRef; cipher: FrameCipher | undefined; expectedBytes: number | undefined }) {
    this.#parts = options.parts
    this.#ref = options.ref
    this.#cipher = options.cipher
    this.#entryBytes = entryBytesOf(options.cipher !== undefined)
    this.#expectedBytes = options.expectedBytes ?? 0
    const blocks = options.expectedBytes === undefined ? tableBlocks : Math.min(tableBlocks, blockCount(options.expectedBytes))
    // NOTE: not a part of node's pool of 64 KiB, all of which a slow sender would keep.
    this.#table = Buffer.allocUnsafeSlow(blocks * this.#entryBytes)
  }

  get lengthBytes(): number {
    return this.#positionBytes + this.#filled
  }

  async open(path: string): Promise<void> {
    this.#fd = await disk(() => this.#parts.ops.open(path, 'create'))
  }

  async add(chunk: Uint8Array): Promise<void> {
    let taken = 0
    while (taken < chunk.byteLength) {
      if (this.#filled === this.#filling.length) await this.#makeRoom(chunk.byteLength - taken)
      const count = Math.min(chunk.byteLength - taken, this.#filling.length - this.#filled)
      this.#filling.set(chunk.subarray(taken, taken + count), this.#filled)
      this.#filled += count
      taken += count
    }
    // NOTE: where no length was announced, a full buffer waits for one more byte: only then its last block is known not to be the blob's last.
    const isFull = this.#filled >= blockBytes && this.#filled === this.#filling.length
    if (isFull && this.lengthBytes < this.#expectedBytes) await this.#flush({ isEnd: false })
  }

  /** Resolves with the file's length when data and table are synced. */
  async finish(): Promise<number> {
    await this.#flush({ isEnd: true })
    const lengthBytes = this.#positionBytes
    const footer = footerOf({ ref: this.#ref, lengthBytes, isEncrypted: this.#cipher !== undefined })
    const tail = Buffer.concat([this.#table.subarray(0, this.#blocks * this.#entryBytes), footer])
    await disk(async () => {
      const fd = this.#descriptor()
      await this.#writing
      await writeFully(this.#parts.ops, { fd, from: tail, position: lengthBytes })
      await this.#parts.ops.fdatasync(fd)
    })
    return lengthBytes + tail.length
  }

  /** Gives back descriptor and buffers. May be called again. */
  async close(): Promise<void> {
    await this.#writing.catch(() => undefined)
    if (this.#fd !== undefined) await closeQuietly(this.#parts.ops, this.#fd)
    this.#fd = undefined
    this.#giveFilling()
    this.#filled = 0
  }

  /** For bytes that are here: a large buffer as long as there are any, otherwise one that grows with what comes, up to a block. */
  async #makeRoom(comingBytes: number): Promise<void> {
    const { pool } = this.#parts
    if (this.#filled > 0 && this.#filled < blockBytes) {
      const grown = pool.take(smallSize(this.#filled + Math.max(comingBytes, this.#filled)))
      this.#filling.copy(grown)
      this.#giveFilling()
      this.#filling = grown
      return
    }
    if (this.#filled > 0) await this.#flush({ isEnd: false })
    this.#filling = pool.sizeBytes > blockBytes ? pool.take() : pool.take(smallSize(comingBytes))
  }

  async #flush({ isEnd }: { isEnd: boolean }): Promise<void> {
    const { ops, pool } = this.#parts
    const full = this.#filling.subarray(0, this.#filled)
    this.#sealBlocks(full, isEnd)
    await disk(() => this.#writing)
    if (!isEnd) await checkRoom(this.#parts.room, this.#filled)
    const buffer = this.#filling
    const write = { fd: this.#descriptor(), from: full, position: this.#positionBytes }
    this.#writing = writeFully(ops, write).finally(() => pool.giveOwn(buffer))
    // The failure is met at the next flush; until then nobody listens.
    this.#writing.catch(() => undefined)
    this.#filling = noBuffer
    this.#positionBytes += this.#filled
    this.#filled = 0
  }

  #giveFilling(): void {
    if (this.#filling.length > 0) this.#parts.pool.giveOwn(this.#filling)
    this.#filling = noBuffer
  }

  #sealBlocks(bytes: Buffer, isEnd: boolean): void {
    let at = 0
    do {
      const block = bytes.subarray(at, at + blockBytes)
      at += block.length
      const isLast = isEnd && at === bytes.length
      sealBlock(block, this.#nextEntry(), { ref: this.#ref, number: this.#blocks - 1, isLast }, this.#cipher)
    } while (at < bytes.length)
  }

  #nextEntry(): Buffer {
    const at = this.#blocks * this.#entryBytes
    if (at === this.#table.length) this.#table = Buffer.concat([this.#table, Buffer.allocUnsafe(at)])
    this.#blocks += 1
    return this.#table.subarray(at, at + this.#entryBytes)
  }

  #descriptor(): number {
    if (this.#fd === undefined) throw new Error('The file is not open')
    return this.#fd
  }
}

const noBuffer = Buffer.alloc(0)

/** A power of two, up to a block. */
function smallSize(neededBytes: number): number {
  let size = leastBytes
  while (size < neededBytes && size < blockBytes) size *= 2
  return size
}

async function disk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asBlobError(error, 'write a blob file')
  }
}
