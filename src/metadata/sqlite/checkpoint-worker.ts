/** The checkpoint thread: its own connection, one checkpoint for each message. */
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import type { CheckpointMode, CheckpointReply } from './checkpoint-thread.ts'
import { codeOf, messageOf } from './faults.ts'

const lockWaitMs = 1_000

const { file } = workerData as { readonly file: string } // as checkpoint-thread.ts gives it
const database = new Database(file, { fileMustExist: true, timeout: lockWaitMs })
database.pragma('wal_autocheckpoint = 0')
database.pragma('synchronous = NORMAL')
database.pragma('cache_size = -1024') // KiB; a checkpoint does not use the page cache

parentPort?.on('message', (mode: CheckpointMode) => {
  parentPort?.postMessage(checkpoint(mode))
})

function checkpoint(mode: CheckpointMode): CheckpointReply {
  try {
    const statement = database.prepare<[], { busy: number; log: number; checkpointed: number }>(`PRAGMA wal_checkpoint(${mode})`)
    const row = statement.get()
    if (row === undefined) throw new Error('The checkpoint gave no answer.')
    return { result: { isBusy: row.busy !== 0, frames: row.log, copied: row.checkpointed } }
  } catch (error) {
    return { error: { code: codeOf(error) ?? 'UNKNOWN', message: messageOf(error) } }
  }
}
