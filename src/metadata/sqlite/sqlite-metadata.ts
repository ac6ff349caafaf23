/**
 * The engine as its users see it. One connection writes and reads: both happen in whole turns of one thread, so that a read never
 * meets half a batch, and finds the pages that the writes left in the cache.
 */
import { closeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import type { Clock } from '../../lib/clock.ts'
import type { EngineStatus, Metadata } from '../engine.ts'
import type { Steps, TransactionContext } from '../steps.ts'
import type { Command, Outcome, TransactionName } from '../transactions.ts'
import { Committer } from './committer.ts'
import { messageOf, unavailable } from './faults.ts'
import { Followers } from './followers.ts'
import type { Log, SqliteIo } from './io.ts'
import { Remembered } from './remembered.ts'
import { SharedJournal } from './shared-journal.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import { TableNames } from './table-names.ts'
import { fenceMarkerName } from './wal-rescue.ts'

/** Transactions by name. What each takes and gives is paired by the door's own types (`Command`, `Outcome`). */
export type TransactionTable = Readonly<Record<string, (input: never, context: TransactionContext) => Steps<unknown>>>

export interface SqliteMetadataOptions {
  readonly directory: string
  readonly file: string
  readonly transactions: TransactionTable
  readonly usesReserve: ReadonlySet<string>
  readonly clock: Clock
  readonly reserveBytes: number
  readonly log: Log
  readonly io: SqliteIo
  readonly writer: Database.Database
  /**
   * Reads nothing until writing has ended. Being open it keeps SQLite from a checkpoint when the writer closes;
   * being read-only it makes none itself.
   */
  readonly guard: Database.Database
  readonly walFd: number
  readonly boot: number
  readonly seq: number
}

export class SqliteMetadata implements Metadata {
  readonly boot: number
  /** Shared with the threads that read. */
  readonly journal: SharedJournal
  readonly #options: SqliteMetadataOptions
  readonly #tableNames: TableNames
  readonly #committer: Committer
  readonly #followers = new Followers()
  #reader: SnapshotReader
  #marker: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(options: SqliteMetadataOptions) {
    this.boot = options.boot
    this.#options = options
    this.#tableNames = new TableNames(options.writer)
    this.journal = new SharedJournal(this.#tableNames.all)
    this.journal.opened(options.seq)
    this.#reader = this.#readerOn(options.writer)
    this.#committer = new Committer({
      ...options,
      database: options.writer,
      connection: this.#reader.connection,
      journal: this.journal,
      onDurable: (seq) => this.#followers.reached(seq),
      onFenced: (reason) => this.#fenced(reason),
    })
  }

  commit<Name extends TransactionName>(command: Command<Name>): Promise<Outcome<Name>> {
    const { tx } = command
    const transaction = Object.hasOwn(this.#options.transactions, tx) ? this.#options.transactions[tx] : undefined
    if (transaction === undefined) return Promise.reject(new Error(`There is no transaction named ${tx}.`))
    if (this.#closed !== undefined) return Promise.reject(closing())
    return new Promise((resolve, reject) => {
      this.#committer.submit({
        tx,
        usesReserve: this.#options.usesReserve.has(tx),
        steps: (context) => transaction(command as never, context), // the name chose both the function and its input
        resolve: (outcome) => resolve(outcome as Outcome<Name>), // likewise
        reject,
      })
    })
  }

  read<T>(query: () => Steps<T>): Promise<T> {
    return this.#closed === undefined ? this.#reader.read(query) : Promise.reject(closing())
  }

  remembered<T>(query: (name: string) => Steps<T>): (name: string) => Promise<T> {
    const answers = new Remembered({ journal: this.journal, reader: () => this.#reader, query })
    return (name) => (this.#closed === undefined ? answers.get(name) : Promise.reject(closing()))
  }

  waitBeyond(seq: number, signal: AbortSignal): Promise<number> {
    if (this.#closed !== undefined) return Promise.reject(closing())
    const { durable } = this.#committer.sync
    return durable > seq ? Promise.resolve(durable) : this.#followers.wait(seq, signal)
  }

  status(): EngineStatus {
    const { sync, fence, space } = this.#committer
    const positions = { committedSeq: sync.committed, durableSeq: sync.durable }
    if (this.#closed !== undefined) return { state: 'closed', ...positions }
    if (fence !== undefined) return { state: 'fenced', reason: fence.message, ...positions }
    if (space.isFull())
      return { state: 'full', reason: `The disk is full: less than ${this.#options.reserveBytes} bytes are free on it.`, ...positions }
    return { state: 'open', ...positions }
  }

  /** Takes no more, ends what was taken, and leaves a file without a `-wal`. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#committer.close()
    this.#followers.end(closing())
    await this.#marker
    const { guard, writer, walFd } = this.#options
    if (this.#committer.fence === undefined && this.#checkpointed()) guard.close() // the last to close removes the -wal
    writer.close()
    guard.close()
    closeSync(walFd)
  }

  #readerOn(database: Database.Database): SnapshotReader {
    const whenDurable = (seq: number): Promise<void> =>
      new Promise((resolve, reject) => this.#committer.sync.whenDurable(seq, resolve, reject))
    return new SnapshotReader({ database, tableNames: this.#tableNames, journal: this.journal, whenDurable })
  }

  #checkpointed(): boolean {
    try {
      this.#options.writer.pragma('wal_checkpoint(TRUNCATE)')
      return true
    } catch (error) {
      this.#options.log.warn({ err: error }, 'metadata was not checkpointed at its end; the next start will see to it')
      return false
    }
  }

  #fenced(reason: string): void {
    this.#reader = this.#readerOn(this.#options.guard)
    this.#marker = writeFile(join(this.#options.directory, fenceMarkerName), `${reason}\n`, { flush: true }).catch((error: unknown) => {
      this.#options.log.warn({ err: messageOf(error) }, 'the mark of the fence could not be written')
    })
  }
}

function closing(): Error {
  return unavailable('The metadata store is closed.')
}
