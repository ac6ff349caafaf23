/** One batch of commands in one SQLite transaction, in one turn of the event loop. */
import type Database from 'better-sqlite3'
import type { Clock } from '../../lib/clock.ts'
import type { Steps, TransactionContext } from '../steps.ts'
import type { Connection } from './connection.ts'
import { faultOf } from './faults.ts'
import type { Log } from './io.ts'
import type { SharedJournal } from './shared-journal.ts'

/** Commands in one batch, so that one SQLite transaction stays small. */
const commandsMax = 256
/** No further command begins after this much of a turn: requests wait behind it. */
const turnMs = 5
/** A single command that holds the event loop for longer than this is worth a line in the log. */
const slowCommandMs = 20

/** A command in the queue. Exactly one of `resolve` and `reject` is called, once its batch is durable. */
export interface Pending {
  readonly tx: string
  readonly usesReserve: boolean
  steps(context: TransactionContext): Steps<unknown>
  resolve(outcome: unknown): void
  reject(error: unknown): void
}

export interface BatchOutcome {
  /** The newest journal position now; as before when nothing was changed. */
  readonly seq: number
  /** To be called when that position is durable: refusals too, for they rest on what earlier commands did. */
  readonly answers: readonly (() => void)[]
  /** Frames in the `-wal`; 0 when all are copied, for then the next write begins it anew. */
  readonly frames: number
}

export interface BatchRunnerOptions {
  readonly database: Database.Database
  readonly connection: Connection
  readonly journal: SharedJournal
  readonly clock: Clock
  readonly log: Log
}

export class BatchRunner {
  readonly #options: BatchRunnerOptions
  readonly #control: Readonly<Record<'begin' | 'commit' | 'savepoint' | 'release' | 'undo', Database.Statement>>
  readonly #writeSeq: Database.Statement<[number]>
  readonly #walSize: Database.Statement<[], { log: number; checkpointed: number }>

  constructor(options: BatchRunnerOptions) {
    this.#options = options
    const { database } = options
    this.#control = {
      begin: database.prepare('BEGIN IMMEDIATE'),
      commit: database.prepare('COMMIT'),
      savepoint: database.prepare('SAVEPOINT command'),
      release: database.prepare('RELEASE command'),
      undo: database.prepare('ROLLBACK TO command'),
    }
    this.#writeSeq = database.prepare("UPDATE meta SET value = ? WHERE name = 'seq'")
    this.#walSize = database.prepare('PRAGMA wal_checkpoint(NOOP)')
  }

  /**
   * @param next  gives the next command; each one it gave is either answered by the outcome or, when this throws, left to the caller
   * @throws SqliteError that concerns the whole batch, of which then nothing is kept
   */
  run(seq: number, next: () => Pending | undefined): BatchOutcome {
    const { database, journal } = this.#options
    this.#control.begin.run()
    try {
      const { changed, ...outcome } = this.#commands(seq, next)
      if (outcome.seq !== seq) {
        this.#writeSeq.run(outcome.seq)
        journal.announce(changed, outcome.seq)
      }
      this.#control.commit.run()
      return { ...outcome, frames: this.#frames() }
    } catch (error) {
      journal.withdraw(seq)
      // SQLite has undone it already for some errors.
      if (database.inTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  #frames(): number {
    try {
      const row = this.#walSize.get()
      return row === undefined || row.log === row.checkpointed ? 0 : row.log
    } catch {
      // NOTE: the batch is committed, whatever is wrong with this question. The next batch asks again.
      return 0
    }
  }

  /** @returns besides: table → newest position that changed it */
  #commands(
    from: number,
    next: () => Pending | undefined,
  ): Omit<BatchOutcome, 'frames'> & { readonly changed: ReadonlyMap<string, number> } {
    const startedMs = performance.now()
    const answers: (() => void)[] = []
    const changed = new Map<string, number>()
    let seq = from
    let beganMs = startedMs
    while (answers.length < commandsMax && beganMs - startedMs < turnMs) {
      const pending = next()
      if (pending === undefined) break
      const tables = new Set<string>()
      answers.push(this.#command(pending, seq + 1, tables))
      if (tables.size > 0) seq += 1
      for (const table of tables) changed.set(table, seq)
      const endedMs = performance.now()
      if (endedMs - beganMs > slowCommandMs)
        this.#options.log.warn({ tx: pending.tx, ms: endedMs - beganMs }, 'a metadata command took long')
      beganMs = endedMs
    }
    return { seq, changed, answers }
  }

  /** Runs one command in its own savepoint; `tables` gets what it changed, and stays empty when it changed nothing or was refused. */
  #command(pending: Pending, seq: number, tables: Set<string>): () => void {
    const { connection, database, clock } = this.#options
    this.#control.savepoint.run()
    try {
      const outcome = connection.drive(pending.steps({ seq, nowMs: clock.nowMs() }), {
        saw(prepared, rows) {
          if (prepared.isReadonly || !prepared.changed(rows)) return
          for (const table of prepared.tables) tables.add(table)
        },
      })
      this.#control.release.run()
      return () => pending.resolve(outcome)
    } catch (error) {
      if (faultOf(error) !== 'command' || !database.inTransaction) throw error
      this.#control.undo.run()
      this.#control.release.run()
      tables.clear()
      return () => pending.reject(error)
    }
  }
}
