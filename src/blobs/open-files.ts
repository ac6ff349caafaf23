/** Descriptors of segments that are read, kept open for the next reader; the longest unused is closed first. */
import { codeOf } from './errors.ts'
import { closeQuietly, type FileOps } from './file-ops.ts'

export interface OpenFile {
  readonly path: string
  readonly fd: number
}

interface Entry {
  readonly path: string
  fd: number | undefined
  readonly opening: Promise<number>
  users: number
}

export class OpenFiles {
  readonly #ops: FileOps
  readonly #keptMax: number
  readonly #entries = new Map<string, Entry>()
  readonly #lent = new Map<OpenFile, Entry>()
  readonly #closing = new Set<Promise<void>>()

  constructor(options: { ops: FileOps; keptMax: number }) {
    this.#ops = options.ops
    this.#keptMax = options.keptMax
  }

  /** Each is given back with `release`. Rejects as `open` does. */
  async acquire(path: string): Promise<OpenFile> {
    const entry = this.#entryOf(path)
    entry.users += 1
    try {
      entry.fd ??= await entry.opening
    } catch (error) {
      if (this.#entries.get(path) === entry) this.#entries.delete(path)
      throw error
    }
    const file = { path, fd: entry.fd }
    this.#lent.set(file, entry)
    this.#closeSurplus()
    return file
  }

  release(file: OpenFile): void {
    const entry = this.#lent.get(file)
    if (entry === undefined) return
    this.#lent.delete(file)
    entry.users -= 1
    if (entry.users === 0 && this.#entries.get(entry.path) !== entry) this.#close(entry)
  }

  /** The next reader opens it anew; the descriptor closes with its last user. */
  forget(path: string): void {
    const entry = this.#entries.get(path)
    if (entry === undefined) return
    this.#entries.delete(path)
    if (entry.users === 0) this.#close(entry)
  }

  /** Closes what is no longer in its folder, because another process took it away. Never rejects. */
  async forgetUnlinked(): Promise<void> {
    for (const path of [...this.#entries.keys()]) {
      const isThere = await this.#ops.stat(path).then(
        () => true,
        (error: unknown) => codeOf(error) !== 'ENOENT',
      )
      if (!isThere) this.forget(path)
    }
  }

  /** Closes all that nobody uses; the others close with their users. */
  async close(): Promise<void> {
    for (const path of [...this.#entries.keys()]) this.forget(path)
    await Promise.all(this.#closing)
  }

  #entryOf(path: string): Entry {
    const known = this.#entries.get(path)
    const entry = known ?? { path, fd: undefined, opening: this.#ops.open(path, 'read'), users: 0 }
    // Set anew, so that the map's order is the order of use.
    if (known !== undefined) this.#entries.delete(path)
    this.#entries.set(path, entry)
    return entry
  }

  #closeSurplus(): void {
    if (this.#entries.size <= this.#keptMax) return
    for (const entry of this.#entries.values()) {
      if (entry.users > 0) continue
      this.#entries.delete(entry.path)
      this.#close(entry)
      return
    }
  }

  #close(entry: Entry): void {
    const closing = entry.opening.then((fd) => closeQuietly(this.#ops, fd)).finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
