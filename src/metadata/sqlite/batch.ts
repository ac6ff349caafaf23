/** One batch of commands in one SQLite transaction, in one turn of the event loop. */
import type Database from 'better-sqlite3'
import type { Clock } from '../../lib/clock.ts'
import type { Steps, TransactionContext } from '../steps.ts'
import type { Connection } from './connection.ts'
import { faultOf } from './faults.ts'
import type { Log } from './io.ts'
import { LockClock } from './lock-clock.ts'
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
  readonly #lockClock: LockClock
  #isLast = false

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
    this.#lockClock = new LockClock(options)
  }

  /**
   * @param next  gives the next command; each one it gave is either answered by the outcome or, when this throws, left to the caller
   * @throws SqliteError that concerns the whole batch, of which then nothing is kept
   */
  run(seq: number, next: () => Pending | undefined): BatchOutcome {
    const taken: Pending[] = []
    const startedMs = performance.now()
    const first = (): Pending | undefined => {
      const isOver = taken.length === commandsMax || performance.now() - startedMs >= turnMs
      const pending = isOver ? undefined : next()
      if (pending !== undefined) taken.push(pending)
      return pending
    }
    try {
      return this.#transaction(seq, first, (...of) => this.#command(...of))
    } catch (error) {
      if (!(error instanceof HalfDone)) throw error
      // Rare: refusals come before the first change. Then each of the same commands gets a savepoint, which copies every page that it changes.
      return this.#transaction(
        seq,
        () => taken.shift(),
        (...of) => this.#undoable(...of),
      )
    }
  }

  /** The next batch notes where the time of locks stands, for it is the last. */
  closing(): void {
    this.#isLast = true
  }

  #transaction(seq: number, next: () => Pending | undefined, run: RunCommand): BatchOutcome {
    const { database, journal } = this.#options
    this.#control.begin.run()
    try {
      const { changed, ...outcome } = this.#commands(seq, next, run)
      if (outcome.seq !== seq) {
        this.#writeSeq.run(outcome.seq)
        journal.announce(changed, outcome.seq)
      }
      this.#lockClock.markIfDue(this.#isLast)
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
    run: RunCommand,
  ): Omit<BatchOutcome, 'frames'> & { readonly changed: ReadonlyMap<string, number> } {
    const answers: (() => void)[] = []
    const changed = new Map<string, number>()
    let seq = from
    let beganMs = performance.now()
    for (let pending = next(); pending !== undefined; pending = next()) {
      const tables = new Set<string>()
      answers.push(run(pending, seq + 1, tables))
      if (tables.size > 0) seq += 1
      for (const table of tables) changed.set(table, seq)
      const endedMs = performance.now()
      if (endedMs - beganMs > slowCommandMs)
        this.#options.log.warn({ tx: pending.tx, ms: endedMs - beganMs }, 'a metadata command took long')
      beganMs = endedMs
    }
    return { seq, changed, answers }
  }

  /** @throws HalfDone for a command that is refused after its first change */
  #command(pending: Pending, seq: number, tables: Set<string>): () => void {
    const progress = { hasWritten: false }
    try {
      const outcome = this.#drive(pending, { seq, tables, progress })
      return () => pending.resolve(outcome)
    } catch (error) {
      if (faultOf(error) !== 'command' || !this.#options.database.inTransaction) throw error
      if (progress.hasWritten) throw new HalfDone()
      return () => pending.reject(error)
    }
  }

  /** Runs one command in its own savepoint. */
  #undoable(pending: Pending, seq: number, tables: Set<string>): () => void {
    this.#control.savepoint.run()
    try {
      const outcome = this.#drive(pending, { seq, tables, progress: { hasWritten: false } })
      this.#control.release.run()
      return () => pending.resolve(outcome)
    } catch (error) {
      if (faultOf(error) !== 'command' || !this.#options.database.inTransaction) throw error
      this.#control.undo.run()
      this.#control.release.run()
      tables.clear()
      return () => pending.reject(error)
    }
  }

  #drive(
    pending: Pending,
    { seq, tables, progress }: { readonly seq: number; readonly tables: Set<string>; readonly progress: { hasWritten: boolean } },
  ): unknown {
    const { connection, clock } = this.#options
    return connection.drive(pending.steps({ seq, nowMs: clock.nowMs(), lockMs: this.#lockClock.nowMs() }), {
      allow(prepared) {
        if (!prepared.isReadonly) progress.hasWritten = true
      },
      saw(prepared, rows) {
        if (prepared.isReadonly || !prepared.changed(rows)) return
        for (const table of prepared.tables) tables.add(table)
      },
    })
  }
}

/** `tables` gets what the command changed, and stays empty when it changed nothing or was refused. @returns its answer, to be given when that is durable */
type RunCommand = (pending: Pending, seq: number, tables: Set<string>) => () => void

/** What a command did has to be undone, which without a savepoint undoes the whole batch. Not an Error: it never leaves this file. */
class HalfDone {}
