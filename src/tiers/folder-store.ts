/** A tier that is a folder: `objects/<2 hex>/<ref>`, and `tmp/` for what is being written. */
import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, statfs, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { dataKeyBytes } from '../lib/frame-cipher.ts'
import { WatchedSource } from '../lib/watched-source.ts'
import { Claim, type MarkPlace, markName } from './claim.ts'
import { TierCorrupt, TierFull, TierMissing, TierUnavailable } from './errors.ts'
import { packed } from './pack.ts'
import { codeOf, SlowDisk } from './slow-disk.ts'
import { makeFolder, readIfThere, syncFolder, writeSmallFile } from './small-file.ts'
import { Standing, type TierLog } from './standing.ts'
import type { TierBlob, TierReadOptions, TierStatus, TierStore, TierWriteOptions } from './store.ts'
import { type StoredBytes, unpacked } from './unpack.ts'
import { chunksUntilAborted } from './until-aborted.ts'

export interface FolderTierParts {
  readonly name: string
  readonly folder: string
  readonly region: string
  /** Where the region keeps what it knows of its tiers. */
  readonly claimsFolder: string
  /** This start's number: what earlier ones left in `tmp/` is nobody's. */
  readonly boot: number
  /** Whether no other thread writes yet. */
  readonly isFirst: boolean
  /** Below this free space nothing more is written. */
  readonly reserveBytes: number
  /** How long a call to the disk may take. */
  readonly patienceMs?: number
  readonly log: TierLog
}

/** Free space is looked at again after so many bytes. */
const roomEveryBytes = 16 * 1024 * 1024
const cleaningMs = 2_000
const temporaryPattern = /^([0-9a-f]{8})-[0-9a-f]{32}$/

export class FolderStore implements TierStore {
  readonly name: string
  readonly #parts: FolderTierParts
  readonly #disk: SlowDisk
  readonly #claim: Claim
  readonly #standing: Standing
  #wasProven = false

  constructor(parts: FolderTierParts) {
    const { name, folder, region, claimsFolder, patienceMs, log } = parts
    this.name = name
    this.#parts = parts
    this.#disk = new SlowDisk({ tier: name, ...(patienceMs === undefined ? {} : { patienceMs }) })
    this.#claim = new Claim({ tier: name, region, place: folder, folder: claimsFolder })
    this.#standing = new Standing({ kind: 'folder', place: folder, name }, log)
  }

  /** Looks at the folder and takes away what dead writers left. A folder that is not as it should be is a matter of status, not of the start. */
  async begin({ mayClaim }: { readonly mayClaim: boolean }): Promise<void> {
    if (!mayClaim && !(await this.#claim.isMade())) return
    await this.#standing
      .during(async () => {
        await this.#prove()
        if (this.#parts.isFirst) await this.#sweep()
      })
      .catch(() => undefined)
  }

  write(source: AsyncIterable<Uint8Array>, { ref, lengthBytes, encrypt, signal }: TierWriteOptions): Promise<TierBlob> {
    const watched = new WatchedSource(source)
    return this.#standing.during(async () => {
      await this.#prove(signal)
      const dataKey = encrypt ? randomBytes(dataKeyBytes) : undefined
      const boot = this.#parts.boot.toString(16).padStart(8, '0')
      const temporary = `${this.#parts.folder}/tmp/${boot}-${randomBytes(16).toString('hex')}`
      try {
        const storedBytes = await this.#fill(
          temporary,
          packed(chunksUntilAborted(watched.chunks(), signal), { ref, lengthBytes, dataKey }),
          signal,
        )
        await this.#publish(temporary, ref, signal)
        return { storedBytes, ...(dataKey !== undefined && { dataKey }) }
      } catch (error) {
        // Not for long: what stays is taken away by the next start.
        const cleaning = { doing: 'remove a temporary file', signal: AbortSignal.timeout(cleaningMs) }
        await this.#disk.call(() => rm(temporary, { force: true }), cleaning).catch(() => undefined)
        throw error
      }
    }, watched)
  }

  async *read(ref: string, options: TierReadOptions): AsyncGenerator<Buffer, void, void> {
    const { signal } = options
    let file: FileHandle | undefined
    try {
      file = await this.#open(ref, signal)
      for await (const piece of unpacked(this.#storedBytes(file, ref, signal), ref, options)) {
        signal.throwIfAborted()
        yield piece
      }
      this.#standing.succeeded()
    } catch (error) {
      this.#standing.failed(error)
      throw error
    } finally {
      // A call that hangs keeps the descriptor until it ends.
      void file?.close().catch(() => undefined)
    }
  }

  remove(ref: string, signal: AbortSignal): Promise<void> {
    return this.#standing.during(async () => {
      const path = this.#pathOf(ref)
      const work = async (): Promise<void> => {
        await unlink(path)
        await syncFolder(dirname(path))
      }
      try {
        await this.#disk.call(work, { doing: `remove ${ref}`, signal })
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error
        // It is gone, or the whole folder is: only the former is no error.
        await this.#proveIfMade(signal)
      }
    })
  }

  status(): TierStatus {
    return this.#standing.status()
  }

  async close(): Promise<void> {
    // Descriptors belong to calls, and end with them.
  }

  /** The built-in folder is not there before something comes to it. */
  async #proveIfMade(signal: AbortSignal): Promise<void> {
    if (await this.#claim.isMade()) await this.#prove(signal)
  }

  async #prove(signal?: AbortSignal): Promise<void> {
    const { folder } = this.#parts
    const mark = `${folder}/${markName}`
    const place: MarkPlace = {
      read: () => this.#disk.call(() => readIfThere(mark), { doing: `read ${mark}`, signal }),
      make: (text) =>
        this.#disk.call(
          async () => {
            await mkdir(folder, { recursive: true, mode: 0o700 })
            await makeFolder(`${folder}/tmp`)
            await makeFolder(`${folder}/objects`)
            await writeSmallFile(mark, text, { replace: false })
          },
          { doing: `prepare ${folder}`, signal },
        ),
    }
    await this.#there(() => this.#claim.prove(place))
    this.#wasProven = true
  }

  async #fill(path: string, pieces: AsyncIterable<Buffer>, signal: AbortSignal): Promise<number> {
    const file = await this.#there(() =>
      this.#disk.call(() => open(path, 'wx', 0o600), { doing: `make ${path}`, signal, tooLate: (late) => late.close() }),
    )
    try {
      let written = 0
      let roomUntil = 0
      for await (const piece of pieces) {
        if (written + piece.length > roomUntil) {
          await this.#checkRoom(signal)
          roomUntil = written + roomEveryBytes
        }
        const position = written
        await this.#disk.call(() => writeFully(file, piece, position), { doing: `write to ${path}`, signal })
        written += piece.length
      }
      await this.#disk.call(() => file.datasync(), { doing: `sync ${path}`, signal })
      return written
    } finally {
      // A call that hangs keeps the descriptor until it ends.
      void file.close().catch(() => undefined)
    }
  }

  async #publish(temporary: string, ref: string, signal: AbortSignal): Promise<void> {
    const path = this.#pathOf(ref)
    const folder = dirname(path)
    await this.#there(() =>
      this.#disk.call(
        async () => {
          await rename(temporary, path).catch(async (error: unknown) => {
            if (codeOf(error) !== 'ENOENT') throw error
            await makeFolder(folder)
            await rename(temporary, path)
          })
          await syncFolder(folder)
        },
        { doing: `store ${ref}`, signal },
      ),
    )
  }

  async #open(ref: string, signal: AbortSignal): Promise<FileHandle> {
    if (!this.#wasProven) await this.#proveIfMade(signal)
    try {
      return await this.#disk.call(() => open(this.#pathOf(ref), 'r'), { doing: `open ${ref}`, signal, tooLate: (late) => late.close() })
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      await this.#proveIfMade(signal)
      throw new TierMissing(`${ref} is not in ${this.#parts.folder}`)
    }
  }

  #storedBytes(file: FileHandle, ref: string, signal: AbortSignal): StoredBytes {
    const disk = this.#disk
    const at: StoredBytes['at'] = async ({ offset, lengthBytes }) => {
      const bytes = Buffer.allocUnsafeSlow(lengthBytes)
      const count = await disk.call(() => readFully(file, bytes, offset), { doing: `read ${ref}`, signal })
      if (count < lengthBytes) throw new TierCorrupt(`${ref} ends before its end`)
      return bytes
    }
    return {
      at,
      async tail(lengthBytes) {
        const { size } = await disk.call(() => file.stat(), { doing: `look at ${ref}`, signal })
        const length = Math.min(size, lengthBytes)
        return { sizeBytes: size, bytes: await at({ offset: size - length, lengthBytes: length }) }
      },
      giveUp: () => undefined,
    }
  }

  async #checkRoom(signal: AbortSignal): Promise<void> {
    const { folder, reserveBytes } = this.#parts
    const { bavail, bsize } = await this.#there(() => this.#disk.call(() => statfs(folder), { doing: `look at ${folder}`, signal }))
    if (bavail * bsize < reserveBytes) throw new TierFull(`Tier ${this.name}: less than ${reserveBytes} bytes are free in ${folder}`)
  }

  async #sweep(): Promise<void> {
    const folder = `${this.#parts.folder}/tmp`
    const names = await this.#there(() => this.#disk.call(() => readdir(folder), { doing: `read ${folder}` }))
    for (const name of names) {
      const boot = temporaryPattern.exec(name)?.[1]
      if (boot === undefined || Number.parseInt(boot, 16) >= this.#parts.boot) continue
      await this.#disk.call(() => rm(`${folder}/${name}`, { force: true }), { doing: `remove ${name}` })
    }
  }

  /** The folder was proven to be ours a moment ago: what is not there now went away with it. */
  async #there<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      throw new TierUnavailable(`Tier ${this.name}: ${this.#parts.folder} went away`, { cause: error })
    }
  }

  #pathOf(ref: string): string {
    const id = ref.slice(ref.lastIndexOf('-') + 1)
    return `${this.#parts.folder}/objects/${id.slice(0, 2)}/${ref}`
  }
}

async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written)
    if (bytesWritten <= 0) throw Object.assign(new Error('The disk took no bytes'), { code: 'EIO' })
    written += bytesWritten
  }
}

async function readFully(file: FileHandle, into: Buffer, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, position + filled)
    if (bytesRead <= 0) break
    filled += bytesRead
  }
  return filled
}
