/** Small files that must survive a power cut: written whole or not at all. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConfigError } from './config-error.ts'

/** Replaces a file atomically and syncs it and its folder. The folder is made when missing. */
export async function writeFileSafely(file: string, text: string, mode: number): Promise<void> {
  await placeFile(file, text, mode, (temporary) => rename(temporary, file))
}

/** As `writeFileSafely`, unless the file is there already, even if made this instant by another process. @returns whether it was written */
export async function writeFileOnce(file: string, text: string, mode: number): Promise<boolean> {
  return placeFile(file, text, mode, async (temporary) => {
    try {
      await link(temporary, file)
      return true
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    }
  })
}

/** @returns undefined when there is no such file */
export async function readFileIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw cannotRead(file, cause)
  }
}

/** @throws ConfigError when it can not be made or not be written to */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeFolders(folder)
    const probe = `${folder}/.probe-${randomBytes(6).toString('hex')}`
    await (await open(probe, 'wx')).close()
    await rm(probe)
  } catch (cause) {
    throw cannotWrite(folder, cause)
  }
}

export function cannotRead(file: string, cause: unknown): ConfigError {
  return new ConfigError(`Can not read ${file}: ${reasonOf(cause)}.`, { cause })
}

export function cannotWrite(file: string, cause: unknown): ConfigError {
  return new ConfigError(`Can not write to ${file}: ${reasonOf(cause)}.`, { cause })
}

/** What went wrong, in words. */
export function reasonOf(cause: unknown): string {
  const code = codeOf(cause)
  return (code === undefined ? undefined : reasons[code]) ?? (cause instanceof Error ? cause.message : String(cause))
}

export function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined
  return typeof cause.code === 'string' ? cause.code : undefined
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'the system does not permit it',
  EROFS: 'the file system is read-only',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EEXIST: 'a file of that name is in the way',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EIO: 'the disk reports an error',
}

/** As `mkdir -p`. Node's own `recursive` never returns where a parent exists and takes no children, such as /proc. */
async function makeFolders(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(folder)).isDirectory()) return
    if (codeOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error
    await makeFolders(dirname(folder))
    await mkdir(folder, { mode: 0o700 }).catch(async (again: unknown) => {
      // Another process may have made it meanwhile.
      if (codeOf(again) !== 'EEXIST') throw again
    })
  }
}

async function placeFile<T>(file: string, text: string, mode: number, place: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await makeFolders(dirname(file))
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    const placed = await place(temporary)
    const folder = await open(dirname(file), 'r')
    await folder.sync().finally(() => folder.close())
    return placed
  } catch (cause) {
    throw cannotWrite(file, cause)
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}
