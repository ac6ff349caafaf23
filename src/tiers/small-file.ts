/** Small files that are there whole or not at all, also after a power cut. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from './slow-disk.ts'

/** @returns undefined when there is no such file, or no such folder */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** @param options.replace  false: whoever was first keeps the name */
export async function writeSmallFile(path: string, text: string, { replace }: { readonly replace: boolean }): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    if (replace) await rename(temporary, path)
    else await link(temporary, path).catch(ifThere)
    await syncFolder(dirname(path))
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}

/** Makes a folder, its name synced. Its parent must be there. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch(ifThere)
  await syncFolder(dirname(path))
}

/** Makes the names in a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function ifThere(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error
}
