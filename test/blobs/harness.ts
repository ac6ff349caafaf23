import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { type BlobStoreOptions, openBlobStore } from '../../src/blobs/open-blob-store.ts'
import { placeOf } from '../../src/blobs/ref.ts'
import type { BlobStore, StreamOptions, WrittenBlob } from '../../src/blobs/store.ts'

const KiB = 1024
export const MiB = 1024 * KiB
export const sizes = [
  0,
  1,
  64 * KiB - 1,
  64 * KiB,
  64 * KiB + 1,
  128 * KiB - 1,
  128 * KiB,
  128 * KiB + 1,
  MiB - 1,
  MiB,
  MiB + 1,
  2 * MiB,
  5 * MiB,
]

const folders: string[] = []
const stores: BlobStore[] = []

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
})

/** A folder that goes with the test. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'farshore-blobs-'))
  folders.push(folder)
  return folder
}

/** A store that closes with the test. */
export async function openStore(options: Partial<BlobStoreOptions> = {}): Promise<BlobStore & { directory: string }> {
  const directory = options.directory ?? (await ownFolder())
  const store = await openBlobStore({ boot: 1, ...options, directory })
  stores.push(store)
  return { ...store, directory }
}

export function pathOf(directory: string, ref: string): string {
  const place = placeOf(ref)
  if (place === undefined) throw new Error(`${ref} is no ref`)
  const name = ref.slice(1)
  return place.kind === 'record' ? join(directory, 'segments', name.slice(0, 17)) : join(directory, 'files', place.id.slice(0, 2), name)
}

export async function* inChunks(bytes: Buffer, chunkBytes = 60_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

/** What a consumer that keeps nothing sees: each piece is copied before the next is asked for. */
export async function readAll(store: BlobStore, blob: WrittenBlob, options: Partial<StreamOptions> = {}): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of store.read(blob.ref, { ...blob, ...options })) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

export const someBytes = (length: number): Buffer => randomBytes(length)

/** Every file below a folder, with its bytes. */
export async function filesBelow(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) found.set(path, await readFile(path))
  }
  return found
}

/** Waits for a condition that something else brings about. */
export async function eventually(condition: () => boolean | Promise<boolean>, deadlineMs = 5000): Promise<void> {
  const until = Date.now() + deadlineMs
  while (!(await condition())) {
    if (Date.now() > until) throw new Error('It did not come about in time')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
