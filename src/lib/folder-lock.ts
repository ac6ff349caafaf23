/**
 * One process a folder. Node offers no flock, so the lock is SQLite's: an exclusive transaction that is held open and never writes.
 * The system drops it when the process dies, however it dies; there is no stale lock and no process id to trust.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'

export interface FolderLock {
  release(): void
}

/** Another process, or another part of this one, holds the folder. */
export class FolderLocked extends Error {
  constructor(folder: string) {
    super(`${folder} is in use by another farshore process.`)
    this.name = 'FolderLocked'
  }
}

const lockName = 'farshore.lock'

/** @throws FolderLocked at once; never waits */
export function lockFolder(folder: string): FolderLock {
  const database = new Database(join(folder, lockName), { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) throw new FolderLocked(folder)
    throw error
  }
  return { release: () => database.close() }
}
