/**
 * The metadata of a region in a thread that does not commit: reads on a connection of its own, in parallel with all others; commands go to the
 * thread that commits, in the order of the calls.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Clock } from '../../lib/clock.ts'
import type { EngineStatus, Metadata } from '../engine.ts'
import type { Steps } from '../steps.ts'
import type { Command, Outcome, TransactionName } from '../transactions.ts'
import { unavailable } from './faults.ts'
import { type SqliteIo, systemIo } from './io.ts'
import { Remembered } from './remembered.ts'
import { SharedJournal } from './shared-journal.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import { Space } from './space.ts'
import { TableNames } from './table-names.ts'
import { databaseName } from './wal-rescue.ts'

const cacheKib = 8 * 1024
/** A reader may meet the moment in which the `-wal` begins anew. */
const lockWaitMs = 100

export interface ThreadMetadataOptions {
  /** Open in the thread that commits. */
  readonly directory: string
  /** Of that thread's journal. */
  readonly memory: SharedArrayBuffer
  readonly boot: number
  readonly reserveBytes: number
  readonly clock: Clock
  /** Carries a command to the thread that commits. */
  readonly commit: <Name extends TransactionName>(command: Command<Name>) => Promise<Outcome<Name>>
  readonly io?: Pick<SqliteIo, 'freeBytes'>
}

export class ThreadMetadata implements Metadata {
  readonly boot: number
  readonly commit: ThreadMetadataOptions['commit']
  readonly #database: Database.Database
  readonly #journal: SharedJournal
  readonly #reader: SnapshotReader
  readonly #space: Space
  #isClosed = false

  constructor({ directory, memory, boot, reserveBytes, clock, commit, io = systemIo }: ThreadMetadataOptions) {
    this.boot = boot
    this.commit = commit
    this.#database = new Database(join(directory, databaseName), { readonly: true, fileMustExist: true, timeout: lockWaitMs })
    this.#database.pragma(`cache_size = -${cacheKib}`)
    const tableNames = new TableNames(this.#database)
    this.#journal = new SharedJournal(tableNames.all, memory)
    const whenDurable = (seq: number): Promise<void> => this.#whenDurable(seq)
    this.#reader = new SnapshotReader({ database: this.#database, tableNames, journal: this.#journal, whenDurable })
    this.#space = new Space({ clock, reserveBytes, freeBytes: () => io.freeBytes(directory) })
  }

  read<T>(query: () => Steps<T>): Promise<T> {
    return this.#isClosed ? Promise.reject(unavailable(closed)) : this.#reader.read(query)
  }

  remembered<T>(query: (name: string) => Steps<T>): (name: string) => Promise<T> {
    const answers = new Remembered({ journal: this.#journal, reader: () => this.#reader, query })
    return (name) => (this.#isClosed ? Promise.reject(unavailable(closed)) : answers.get(name))
  }

  async waitBeyond(seq: number, signal: AbortSignal): Promise<number> {
    for (let durable = this.#journal.durable; ; durable = await this.#journal.nextDurable(durable)) {
      signal.throwIfAborted()
      if (durable > seq) return durable
    }
  }

  status(): EngineStatus {
    const { announced: committedSeq, durable: durableSeq, isFenced } = this.#journal
    const positions = { committedSeq, durableSeq }
    if (this.#isClosed) return { state: 'closed', ...positions }
    if (isFenced) return { state: 'fenced', reason: fenced, ...positions }
    return this.#space.isFull()
      ? { state: 'full', reason: 'The disk is full: only what frees space is taken.', ...positions }
      : { state: 'open', ...positions }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#database.close()
  }

  /** What was seen is committed; it becomes durable with the next sync, unless that fails. */
  async #whenDurable(seq: number): Promise<void> {
    for (
      let durable = this.#journal.durable;
      durable < Math.min(seq, this.#journal.announced);
      durable = await this.#journal.nextDurable(durable)
    ) {
      if (this.#journal.isFenced) throw unavailable(fenced)
    }
  }
}

const closed = 'The metadata store is closed.'
const fenced = 'No more is written until restart: a disk fault, which the log of the region names.'
