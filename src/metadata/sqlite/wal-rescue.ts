/**
 * What is done with a `-wal` that an earlier run left, before SQLite sees it.
 *
 * After a failed sync the system may hold pages of the file as clean that never reached the disk: they read well, no later sync writes
 * them, and a checkpoint would build on them. So the file is read and written anew, synced, and put in the place of the old one.
 * The same is done after a crash, which makes all that is read from then on durable.
 * NOTE: copied by reading and writing: a clone of the file would share the very blocks that are not to be trusted.
 */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from './faults.ts'
import type { Log } from './io.ts'

export const databaseName = 'metadata.db'
/** Left by an engine that stopped writing after a failed sync. */
export const fenceMarkerName = 'fenced'

const copyChunkBytes = 1024 * 1024

export async function rescueWal(directory: string, log: Log): Promise<void> {
  const wal = join(directory, `${databaseName}-wal`)
  const marker = join(directory, fenceMarkerName)
  const copy = `${wal}.copy`
  await rm(copy, { force: true })
  const isFenced = (await sizeOf(marker)) !== undefined
  const bytes = (await sizeOf(wal)) ?? 0
  if (bytes > 0) {
    try {
      await copyDurably(wal, copy)
      await rename(copy, wal)
      log.warn({ bytes, isFenced }, 'metadata was not closed in order; its -wal was copied anew')
    } catch (error) {
      await rm(copy, { force: true })
      // On a full disk deletes must still be possible. No sync has failed here, so the file itself can be synced.
      if (codeOf(error) !== 'ENOSPC' || isFenced) throw error
      await syncPath(wal)
      log.warn({ bytes }, 'metadata was not closed in order; the disk has no room to copy its -wal, which was synced in place')
    }
    await syncPath(directory)
  }
  if (isFenced) {
    await rm(marker, { force: true })
    await syncPath(directory)
  }
}

/** Syncs a file, or a folder's list of names. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function copyDurably(from: string, to: string): Promise<void> {
  const source = await open(from, 'r')
  try {
    const target = await open(to, 'wx', 0o600)
    try {
      await copyBytes(source, target)
      await target.sync()
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function copyBytes(source: FileHandle, target: FileHandle): Promise<void> {
  const chunk = Buffer.allocUnsafe(copyChunkBytes)
  for (;;) {
    const { bytesRead } = await source.read(chunk, 0, copyChunkBytes, null)
    if (bytesRead === 0) return
    await target.writeFile(chunk.subarray(0, bytesRead))
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
