/**
 * The real disk, watched: it counts calls and descriptors, knows which bytes and names a power cut would still take, and fails when told
 * to.
 */
import { dirname } from 'node:path'
import { type FileFacts, type FileOps, nodeFileOps } from '../../src/blobs/file-ops.ts'

export type OpName = keyof FileOps

export interface Fault {
  readonly op: OpName
  /** Which call fails, counted from 1, from now on. */
  readonly nth: number
  /** `short`: a write that takes only half; not an error. */
  readonly how: 'EIO' | 'ENOSPC' | 'short'
}

interface FileState {
  path: string
  /** Written and not synced yet. */
  unsynced: { from: number; to: number }[]
  /** A sync failed: what was unsynced then is lost, whatever a later sync says. */
  lost: { from: number; to: number }[]
  isFailed: boolean
}

export class WatchedDisk implements FileOps {
  readonly calls = new Map<OpName, number>()
  readonly #descriptors = new Map<number, { path: string; file: FileState | undefined }>()
  readonly #files = new Map<string, FileState>()
  /** Names that a power cut would take, by path. */
  readonly #unsyncedNames = new Set<string>()
  readonly violations: string[] = []
  readBytes = 0
  #fault: (Fault & { seen: number }) | undefined
  #hold: { op: OpName; released: Promise<void> } | undefined
  faultHit = false

  get openDescriptors(): number {
    return this.#descriptors.size
  }

  count(op: OpName): number {
    return this.calls.get(op) ?? 0
  }

  arm(fault: Fault): void {
    this.#fault = { ...fault, seen: 0 }
    this.faultHit = false
  }

  /** Calls of `op` wait until the returned function is called. */
  hold(op: OpName): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#hold = { op, released: promise }
    return () => {
      this.#hold = undefined
      resolve()
    }
  }

  /** Whether a power cut now would leave these bytes under this name. */
  isDurable(path: string, { from, to }: { from: number; to: number }): boolean {
    const file = this.#files.get(path)
    if (file === undefined || this.#unsyncedNames.has(path)) return false
    return ![...file.unsynced, ...file.lost].some((range) => range.from < to && from < range.to)
  }

  async open(path: string, mode: 'read' | 'create'): Promise<number> {
    await this.#enter('open')
    const fd = await nodeFileOps.open(path, mode)
    if (mode === 'create') {
      this.#files.set(path, { path, unsynced: [], lost: [], isFailed: false })
      this.#unsyncedNames.add(path)
    }
    this.#descriptors.set(fd, { path, file: mode === 'create' ? this.#files.get(path) : undefined })
    return fd
  }

  async close(fd: number): Promise<void> {
    if (!this.#descriptors.delete(fd)) this.violations.push(`close of ${fd}, which is not open`)
    await nodeFileOps.close(fd)
    await this.#enter('close')
  }

  async read(fd: number, into: Uint8Array, position: number): Promise<number> {
    await this.#enter('read')
    const count = await nodeFileOps.read(fd, into, position)
    this.readBytes += count
    return count
  }

  async write(fd: number, from: Uint8Array, position: number): Promise<number> {
    const file = this.#descriptors.get(fd)?.file
    if (file === undefined) throw new Error('A write to a file that is not open for it')
    if (file.isFailed) this.violations.push(`write to ${file.path} after a failure`)
    const isShort = await this.#enter('write').catch((error) => {
      file.isFailed = true
      throw error
    })
    const bytes = isShort ? from.subarray(0, Math.ceil(from.byteLength / 2)) : from
    const count = await nodeFileOps.write(fd, bytes, position)
    file.unsynced.push({ from: position, to: position + count })
    return count
  }

  async fdatasync(fd: number): Promise<void> {
    const file = this.#descriptors.get(fd)?.file
    const covered = file?.unsynced.splice(0) ?? []
    try {
      await this.#enter('fdatasync')
      await nodeFileOps.fdatasync(fd)
    } catch (error) {
      file?.lost.push(...covered)
      if (file !== undefined) file.isFailed = true
      throw error
    }
  }

  async fsync(fd: number): Promise<void> {
    const folder = this.#descriptors.get(fd)?.path
    const covered = [...this.#unsyncedNames].filter((path) => dirname(path) === folder)
    await this.#enter('fsync')
    await nodeFileOps.fsync(fd)
    for (const path of covered) this.#unsyncedNames.delete(path)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#enter('rename')
    await nodeFileOps.rename(from, to)
    const file = this.#files.get(from)
    if (file === undefined) return
    if (file.unsynced.length > 0) this.violations.push(`rename of ${from} before its sync`)
    file.path = to
    this.#files.delete(from)
    this.#files.set(to, file)
    this.#unsyncedNames.delete(from)
    this.#unsyncedNames.add(to)
  }

  async unlink(path: string): Promise<void> {
    await this.#enter('unlink')
    await nodeFileOps.unlink(path)
    this.#files.delete(path)
    this.#unsyncedNames.delete(path)
  }

  async mkdir(path: string): Promise<void> {
    await this.#enter('mkdir')
    await nodeFileOps.mkdir(path)
  }

  async readdir(path: string): Promise<readonly string[]> {
    await this.#enter('readdir')
    return nodeFileOps.readdir(path)
  }

  async stat(path: string): Promise<FileFacts> {
    await this.#enter('stat')
    return nodeFileOps.stat(path)
  }

  async freeBytes(path: string): Promise<number> {
    await this.#enter('freeBytes')
    return nodeFileOps.freeBytes(path)
  }

  /** True: the call is to be short. */
  async #enter(op: OpName): Promise<boolean> {
    this.calls.set(op, this.count(op) + 1)
    if (this.#hold?.op === op) await this.#hold.released
    const fault = this.#fault
    if (fault === undefined || fault.op !== op) return false
    fault.seen += 1
    if (fault.seen !== fault.nth) return false
    this.faultHit = true
    if (fault.how === 'short') return true
    throw Object.assign(new Error(`${fault.how}: made by the test`), { code: fault.how })
  }
}
