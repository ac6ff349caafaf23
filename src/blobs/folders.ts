/** Where things are: `segments/<boot>-<segment>`, `files/<2 hex>/<boot>-<id>`, and `tmp/` for files that are being written. */
import { dirname } from 'node:path'
import { type FileOps, syncFolder } from './file-ops.ts'
import { blobFileName, folderOf, type SegmentId, segmentFileName } from './ref.ts'

export interface Folders {
  readonly root: string
  readonly tmp: string
  readonly segments: string
  readonly files: string
}

/** Names of the folders below `files/`: 00 to ff. */
export const fileFolders: readonly string[] = Array.from({ length: 256 }, (_, number) => number.toString(16).padStart(2, '0'))

export function foldersOf(root: string): Folders {
  return { root, tmp: `${root}/tmp`, segments: `${root}/segments`, files: `${root}/files` }
}

export function segmentPath(folders: Folders, id: SegmentId): string {
  return `${folders.segments}/${segmentFileName(id)}`
}

export function filePath(folders: Folders, blob: { boot: number; id: string }): string {
  return `${folders.files}/${folderOf(blob.id)}/${blobFileName(blob)}`
}

/** Makes what is not there and syncs the names, so that no write has to think of its folder. */
export async function prepareFolders(ops: FileOps, folders: Folders): Promise<void> {
  for (const path of [folders.root, folders.tmp, folders.segments, folders.files]) await ops.mkdir(path)
  const present = new Set(await ops.readdir(folders.files))
  for (const name of fileFolders) if (!present.has(name)) await ops.mkdir(`${folders.files}/${name}`)
  for (const path of [folders.files, folders.root, dirname(folders.root)]) await syncFolder(ops, path)
}
