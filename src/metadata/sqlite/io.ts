/** The engine's own calls to the system, given to it so that a test can make a disk fail. SQLite's own I/O is not among them. */
import { fdatasync, statfsSync } from 'node:fs'
import { type Checkpoints, checkpointsInWorker } from './checkpoint-thread.ts'

export interface SqliteIo {
  /** Calls back when all that was written to the file before this call is on the disk. */
  fdatasync(fd: number, done: (error: Error | null) => void): void
  /** Free space for this process on the file system that holds `directory`, bytes. */
  freeBytes(directory: string): number
  openCheckpoints(file: string): Checkpoints
}

export const systemIo: SqliteIo = {
  fdatasync,
  freeBytes(directory) {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  },
  openCheckpoints: checkpointsInWorker,
}

/** The part of pino's logger that the engine uses. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export const silentLog: Log = { info() {}, warn() {}, error() {} }
