/** What a folder takes on the disk. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Of st_blocks, on every system: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/sys_stat.h.html */
const blockBytes = 512

/** @returns bytes of the blocks of all files in it */
export async function storedBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  let bytes = 0
  for (const file of files) bytes += (await stat(file)).blocks * blockBytes
  return bytes
}
