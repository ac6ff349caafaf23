/** Checkpoints in a thread of their own: the sync of the database file inside one takes milliseconds to seconds, and would hold every request. */
import { Worker } from 'node:worker_threads'
import { threadScript } from '../../lib/thread-script.ts'

/**
 * PASSIVE copies what it can beside whoever writes. TRUNCATE also empties the `-wal`, and must run while no batch does.
 * https://sqlite.org/pragma.html#pragma_wal_checkpoint
 */
export type CheckpointMode = 'PASSIVE' | 'TRUNCATE'

export interface CheckpointResult {
  /** Somebody was in the way. */
  readonly isBusy: boolean
  /** Frames in the `-wal`, and how many of them are in the database file. */
  readonly frames: number
  readonly copied: number
}

export interface Checkpoints {
  /** @throws Error with SQLite's `code` */
  run(mode: CheckpointMode): Promise<CheckpointResult>
  close(): Promise<void>
}

/** What the thread answers. */
export type CheckpointReply =
  | { readonly result: CheckpointResult }
  | { readonly error: { readonly code: string; readonly message: string } }

export class CheckpointFailed extends Error {
  readonly code: string

  constructor({ code, message }: { readonly code: string; readonly message: string }) {
    super(message)
    this.name = 'CheckpointFailed'
    this.code = code
  }
}

/** The thread starts at the first checkpoint; a small deployment may never need it. One `run` at a time. */
export function checkpointsInWorker(file: string): Checkpoints {
  let worker: Worker | undefined
  return {
    run(mode) {
      worker ??= start(file)
      const thread = worker
      return new Promise((resolve, reject) => {
        const died = (error: Error): void => {
          worker = undefined
          reject(error)
        }
        const exited = (): void => died(new Error('The checkpoint thread ended.'))
        thread.ref() // a process does not end in the middle of one
        thread.once('error', died)
        thread.once('exit', exited)
        thread.once('message', (reply: CheckpointReply) => {
          thread.unref()
          thread.off('error', died)
          thread.off('exit', exited)
          if ('result' in reply) resolve(reply.result)
          else reject(new CheckpointFailed(reply.error))
        })
        thread.postMessage(mode)
      })
    },
    async close() {
      await worker?.terminate()
      worker = undefined
    },
  }
}

function start(file: string): Worker {
  return new Worker(threadScript('checkpoint-worker', import.meta.url), { workerData: { file } })
}
