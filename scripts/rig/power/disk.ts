/**
 * A disk as a power cut finds it: what was synced, and beside it what was only written. Built from the shim's records, in their order.
 * Stricter than most file systems are: a file's sync says nothing of its name, and names are kept or lost one by one. One mercy, which every
 * file system has: a rename happens wholly or not at all, and is durable with the sync of either folder.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Random } from '../../../test/limits/random.ts'
import type { ShimRecord } from '../shim/records.ts'
import { FileImage } from './file-image.ts'

/** nothing: no more than was synced · names: every name, but no unsynced byte · some: any of the names, any of the pages at any stage */
export type Survivors = 'nothing' | 'names' | 'some'

type Node = FileImage | 'folder'

/** A change of names that no sync has covered. */
interface NameChange {
  readonly at: number
  readonly node: Node
  readonly added: string | undefined
  readonly removed: string | undefined
}

interface Sync {
  readonly at: number
  readonly path: string
  readonly file: FileImage | undefined
}

export class Disk {
  readonly #root: string
  /** Names as the running system saw them. */
  readonly #names = new Map<string, Node>()
  readonly #durable = new Map<string, Node>()
  #unsynced: NameChange[] = []
  readonly #files = new Map<bigint, FileImage>()
  readonly #syncs = new Map<number, Sync>()

  readonly #random: Random

  /** @param root  the folder below which everything is; it was there, and empty */
  constructor(root: string, random: Random) {
    this.#root = root
    this.#random = random
  }

  apply(record: ShimRecord): void {
    const { kind, at, path, ino, offset, data } = record
    switch (kind) {
      case 'C':
        this.#create(at, path, ino)
        break
      case 'M':
        this.#change({ at, node: 'folder', added: path, removed: undefined })
        break
      case 'L':
        this.#change({ at, node: this.#named(path), added: data.toString(), removed: undefined })
        break
      case 'R':
        this.#change({ at, node: this.#named(path), added: data.toString(), removed: path })
        break
      case 'U':
      case 'D':
        this.#change({ at, node: this.#named(path), added: undefined, removed: path })
        break
      case 'W':
        this.#file(ino, path).write(at, offset, data)
        break
      case 'T':
        this.#file(ino, path).truncate(at, offset)
        break
      case 'S':
        this.#syncs.set(offset, { at, path, file: record.isFolder ? undefined : this.#file(ino, path) })
        break
      case 'E':
        this.#synced(offset)
        break
      case 'X':
        if (!record.isFolder) this.#file(ino, path).failed(at, this.#random)
        break
      case 'A':
      case 'F':
        break
      default:
        kind satisfies never
    }
  }

  /** Writes what is left into a folder. What SQLite keeps in shared memory is never left: it is no file to a power cut. */
  rebuild(folder: string, survivors: Survivors): void {
    const random = this.#random
    const names = new Map(this.#durable)
    for (const change of this.#unsynced) if (survivors === 'names' || (survivors === 'some' && random.oneIn(2))) applyTo(names, change)
    const isReachable = (path: string): boolean => path === this.#root || (names.get(path) === 'folder' && isReachable(dirname(path)))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const left = [...names].filter(([path]) => isReachable(dirname(path)) && !path.endsWith('-shm'))
    for (const [path, node] of left) {
      const to = join(folder, path.slice(this.#root.length))
      if (node === 'folder') mkdirSync(to, { recursive: true, mode: 0o700 })
      else {
        mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
        writeFileSync(to, survivors === 'some' ? node.someOf(random) : node.durable(), { mode: 0o600 })
      }
    }
  }

  #create(at: number, path: string, ino: bigint): void {
    const file = new FileImage()
    this.#files.set(ino, file)
    this.#change({ at, node: file, added: path, removed: undefined })
  }

  #change(change: NameChange): void {
    applyTo(this.#names, change)
    this.#unsynced.push(change)
  }

  #synced(id: number): void {
    const sync = this.#syncs.get(id)
    if (sync === undefined) throw new Error(`sync ${id} ended and never began`)
    if (sync.file === undefined) this.#folderSynced(sync)
    else sync.file.synced(sync.at)
  }

  #folderSynced(sync: Sync): void {
    const isCovered = ({ at, added, removed }: NameChange): boolean =>
      at < sync.at && [added, removed].some((path) => path !== undefined && dirname(path) === sync.path)
    for (const change of this.#unsynced) if (isCovered(change)) applyTo(this.#durable, change)
    this.#unsynced = this.#unsynced.filter((change) => !isCovered(change))
  }

  #named(path: string): Node {
    const node = this.#names.get(path)
    if (node === undefined) throw new Error(`${path} was renamed, linked or removed, and nobody saw it made`)
    return node
  }

  #file(ino: bigint, path: string): FileImage {
    const file = this.#files.get(ino)
    if (file === undefined) throw new Error(`${path} was written, and nobody saw it made`)
    return file
  }
}

function applyTo(names: Map<string, Node>, { node, added, removed }: NameChange): void {
  // A name that meanwhile stands for another file is not this change's to remove.
  if (removed !== undefined && names.get(removed) === node) names.delete(removed)
  if (added !== undefined) names.set(added, node)
}
