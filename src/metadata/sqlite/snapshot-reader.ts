/** Runs queries on a connection, each in a snapshot of its own, and says what must be durable before its answer may be shown. */
import type Database from 'better-sqlite3'
import { type Steps, statement } from '../steps.ts'
import { Connection } from './connection.ts'
import { durableSeqFor } from './durable-view.ts'
import type { SharedJournal } from './shared-journal.ts'
import type { TableNames } from './table-names.ts'

export interface SnapshotReaderParts {
  readonly database: Database.Database
  readonly tableNames: TableNames
  readonly journal: SharedJournal
  /** Resolves when that position is durable. @throws when it can no longer become so */
  readonly whenDurable: (seq: number) => Promise<void>
}

/** An answer that stands as long as nothing changes `tables` after `seenSeq`. */
export interface Seen<T> {
  readonly answer: T
  readonly tables: ReadonlySet<string>
  /** All that was committed up to here was seen, and nothing beyond. */
  readonly seenSeq: number
  /** To be durable before the answer may be shown. */
  readonly neededSeq: number
}

export class SnapshotReader {
  readonly connection: Connection
  readonly #parts: SnapshotReaderParts
  readonly #begin: Database.Statement
  readonly #end: Database.Statement
  /** First statements of queries that went on to a second one. A statement alone is a snapshot without being told so. */
  readonly #openings = new Set<string>()

  constructor(parts: SnapshotReaderParts) {
    this.#parts = parts
    this.connection = new Connection(parts.database, parts.tableNames)
    this.#begin = parts.database.prepare('BEGIN')
    this.#end = parts.database.prepare('COMMIT')
  }

  /** @throws what the query throws, once that is durable too: a refusal rests on what was seen, just as an answer does */
  async read<T>(query: () => Steps<T>): Promise<T> {
    const { answer, neededSeq } = this.#look(query)
    if (neededSeq > this.#parts.journal.durable) await this.whenDurable(neededSeq)
    return answer()
  }

  /** As `read`, with what a later caller needs to know whether the answer still stands. Does not wait for `neededSeq`. */
  see<T>(query: () => Steps<T>): Seen<T> {
    const tables = new Set<string>()
    const { answer, neededSeq } = this.#look(() => withPosition(query()), tables)
    return { ...answer(), tables, neededSeq }
  }

  whenDurable(seq: number): Promise<void> {
    return this.#parts.whenDurable(seq)
  }

  #look<T>(query: () => Steps<T>, tables?: Set<string>): { readonly answer: () => T; readonly neededSeq: number } {
    try {
      return this.#attempt(query, tables, { isSnapshot: false })
    } catch (error) {
      if (!(error instanceof GoesOn)) throw error
      tables?.clear()
      return this.#attempt(query, tables, { isSnapshot: true })
    }
  }

  /**
   * @param of.isSnapshot  whether it is one from its first statement on, whatever that is
   * @throws GoesOn for a query of several statements that was taken for one of a single one
   */
  #attempt<T>(
    query: () => Steps<T>,
    tables: Set<string> | undefined,
    of: { readonly isSnapshot: boolean },
  ): { readonly answer: () => T; readonly neededSeq: number } {
    const { database, journal } = this.#parts
    let opening: string | undefined
    let isOpen = false
    let neededSeq = 0
    try {
      const found = this.connection.drive(query(), {
        allow: (prepared, sql) => {
          if (!prepared.isReadonly) throw new Error(`A query may not write: ${sql}`)
          if (opening === undefined && (of.isSnapshot || this.#openings.has(sql))) {
            this.#begin.run()
            isOpen = true
          } else if (opening !== undefined && !isOpen) {
            this.#openings.add(opening)
            throw new GoesOn()
          }
          opening ??= sql
        },
        saw(prepared, rows) {
          neededSeq = Math.max(neededSeq, durableSeqFor(journal, prepared, rows))
          if (tables !== undefined) for (const table of prepared.tables) tables.add(table)
        },
      })
      return { answer: () => found, neededSeq }
    } catch (error) {
      if (error instanceof GoesOn) throw error
      return {
        answer: () => {
          throw error
        },
        neededSeq,
      }
    } finally {
      if (isOpen && database.inTransaction) this.#end.run()
    }
  }
}

/** Not an Error: it never leaves this file, and happens once a query. */
class GoesOn {}

function* withPosition<T>(query: Steps<T>): Steps<{ readonly answer: T; readonly seenSeq: number }> {
  const answer = yield* query
  // NOTE: not named `seq`, for it does not say how new a row is.
  const [row] = yield statement("SELECT value AS position FROM meta WHERE name = 'seq'")
  return { answer, seenSeq: Number(row?.['position']) }
}
