/** The queue of commands and what becomes of it: batches, their syncs, their answers, and the end of all writing when the disk fails. */
import type Database from 'better-sqlite3'
import { S3Error } from '../../model/errors.ts'
import type { Steps } from '../steps.ts'
import { type BatchOutcome, BatchRunner, type BatchRunnerOptions, type Pending } from './batch.ts'
import { Checkpointer } from './checkpointer.ts'
import { faultOf, messageOf, unavailable } from './faults.ts'
import type { SqliteIo } from './io.ts'
import { lockClockLookMs } from './lock-clock.ts'
import { Space } from './space.ts'
import { WalSync } from './wal-sync.ts'

/** Commands that wait for a batch. More are told to slow down. */
const queueMax = 10_000
/** While a sync runs, a batch of fewer commands waits for its end: the sync after it would be theirs in any case. */
const pipelineMin = 32
const busyRetryMs = 10
const busyPatienceMs = 5_000
/** SQLite: https://sqlite.org/fileformat2.html#the_write_ahead_log */
const frameHeaderBytes = 24

export interface CommitterOptions extends BatchRunnerOptions {
  readonly io: SqliteIo
  readonly file: string
  readonly directory: string
  readonly walFd: number
  readonly seq: number
  readonly reserveBytes: number
  /** More of the journal is durable. */
  onDurable(seq: number): void
  /** Writing has ended until restart; the connection for writing is closed. */
  onFenced(reason: string): void
}

export class Committer {
  readonly sync: WalSync
  readonly space: Space
  readonly #options: CommitterOptions
  readonly #batches: BatchRunner
  readonly #checkpointer: Checkpointer
  readonly #queue: Pending[] = []
  readonly #look: NodeJS.Timeout
  #isScheduled = false
  #holds = 0
  #busySinceMs: number | undefined
  #fence: S3Error | undefined

  constructor(options: CommitterOptions) {
    const { io, clock, log, database, directory } = options
    this.#options = options
    this.#batches = new BatchRunner(options)
    this.space = new Space({ clock, reserveBytes: options.reserveBytes, freeBytes: () => io.freeBytes(directory) })
    this.sync = new WalSync({
      fd: options.walFd,
      fdatasync: (fd, done) => io.fdatasync(fd, done),
      seq: options.seq,
      onSynced: () => {
        this.#options.journal.durableTo(this.sync.durable)
        this.#batch()
        options.onDurable(this.sync.durable)
      },
      onFailed: (error) => this.#end(`syncing the metadata failed: ${messageOf(error)}`, error),
    })
    this.#checkpointer = new Checkpointer({
      checkpoints: io.openCheckpoints(options.file),
      clock,
      log,
      frameBytes: frameHeaderBytes + pageBytesOf(database),
      holdBatches: () => this.#hold(),
      onFailed: (error) => this.#checkpointFailed(error),
    })
    // A batch of nothing: the time of locks is looked at, and its mark kept, though nobody commits.
    this.#look = setInterval(
      () => this.submit({ tx: 'look', usesReserve: true, steps: nothing, resolve() {}, reject() {} }),
      lockClockLookMs,
    )
    this.#look.unref()
  }

  /** Why nothing can be written any more. */
  get fence(): S3Error | undefined {
    return this.#fence
  }

  /** The order of calls is the order of commits. */
  submit(pending: Pending): void {
    if (this.#fence !== undefined) pending.reject(this.#fence)
    else if (this.#queue.length >= queueMax) pending.reject(new S3Error('SlowDown'))
    else this.#enqueue(pending)
  }

  /** Ends what is queued, in order, then the syncs and checkpoints. Nothing may be submitted any more. */
  async close(): Promise<void> {
    clearInterval(this.#look)
    this.#batches.closing()
    if (this.#fence === undefined) {
      await new Promise<void>((resolve) => {
        const done = (): void => resolve()
        // What changes nothing is answered when all before it is durable.
        this.#enqueue({ tx: 'close', usesReserve: true, steps: nothing, resolve: done, reject: done })
      })
    }
    await this.#checkpointer.close()
    await this.sync.idle()
  }

  #enqueue(pending: Pending): void {
    this.#queue.push(pending)
    this.#schedule()
  }

  /** At the end of this turn, so that commands of one turn share a batch. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      // The end of the sync that runs will call for a batch.
      if (!this.sync.isRunning || this.#queue.length >= pipelineMin) this.#batch()
    })
  }

  #batch(): void {
    if (this.#queue.length === 0 || this.#holds > 0 || this.#fence !== undefined) return
    const taken: Pending[] = []
    try {
      const outcome = this.#batches.run(this.sync.committed, () => this.#next(taken))
      this.#busySinceMs = undefined
      this.#committed(taken, outcome)
    } catch (error) {
      this.#failed(taken, error)
    }
    if (this.#queue.length > 0) this.#schedule()
  }

  /** The next command that may be taken now; those that may not are refused on the way. */
  #next(taken: Pending[]): Pending | undefined {
    for (;;) {
      const pending = this.#queue.shift()
      if (pending === undefined) return undefined
      if (pending.usesReserve || !this.space.isFull()) {
        taken.push(pending)
        return pending
      }
      pending.reject(unavailable(diskFull))
    }
  }

  #committed(taken: readonly Pending[], { seq, answers, frames }: BatchOutcome): void {
    this.sync.committedTo(seq)
    this.sync.whenDurable(
      seq,
      () => {
        for (const answer of answers) answer()
      },
      (error) => rejectAll(taken, error),
    )
    this.#checkpointer.offer(frames)
  }

  #failed(taken: readonly Pending[], error: unknown): void {
    const fault = faultOf(error)
    switch (fault) {
      case 'busy':
        this.#waitForLock(taken, error)
        return
      case 'full':
        this.space.ranOut()
        rejectAll(taken, unavailable(diskFull, error))
        return
      case 'broken':
        this.#end(`writing the metadata failed: ${messageOf(error)}`, error)
        rejectAll(taken, this.#fence ?? error)
        return
      case 'command':
        // Not one command's fault, for those are answered in their savepoints; memory, for one.
        this.#options.log.error({ err: error }, 'a batch of metadata commands failed')
        rejectAll(taken, error)
        return
      default:
        fault satisfies never
    }
  }

  /** Somebody beside us writes, a shell perhaps. The commands keep their places. */
  #waitForLock(taken: readonly Pending[], error: unknown): void {
    const nowMs = performance.now()
    this.#busySinceMs ??= nowMs
    if (nowMs - this.#busySinceMs > busyPatienceMs) {
      this.#busySinceMs = undefined
      rejectAll(taken.length > 0 ? taken : this.#queue.splice(0), unavailable('The metadata is locked by another process.', error))
      return
    }
    this.#queue.unshift(...taken)
    setTimeout(this.#hold(), busyRetryMs)
  }

  #hold(): () => void {
    this.#holds += 1
    return () => {
      this.#holds -= 1
      this.#schedule()
    }
  }

  #checkpointFailed(error: unknown): void {
    const fault = faultOf(error)
    if (fault === 'broken') this.#end(`copying the -wal into the metadata failed: ${messageOf(error)}`, error)
    else this.#options.log.warn({ err: error }, 'metadata could not be checkpointed, and will be again')
    if (fault === 'full') this.space.ranOut()
  }

  #end(why: string, error: unknown): void {
    if (this.#fence !== undefined) return
    clearInterval(this.#look)
    const reason = `No more is written until restart: ${why}`
    const fence = unavailable(reason, error)
    this.#fence = fence
    this.#options.journal.fence()
    this.#options.log.error({ err: error }, 'metadata is fenced: a disk fault; writes are refused until restart')
    // NOTE: while the guard is open this makes no checkpoint; later, at the end of the process, it would.
    this.#options.database.close()
    this.#checkpointer.close().catch((failed: unknown) => this.#options.log.warn({ err: failed }, 'the checkpoint thread did not end well'))
    this.sync.fail(fence)
    rejectAll(this.#queue.splice(0), fence)
    this.#options.onFenced(reason)
  }
}

const diskFull = 'The disk is full: only what frees space is taken.'

function* nothing(): Steps<void> {}

function rejectAll(pending: readonly Pending[], error: unknown): void {
  for (const { reject } of pending) reject(error)
}

function pageBytesOf(database: Database.Database): number {
  return Number(database.pragma('page_size', { simple: true }))
}
