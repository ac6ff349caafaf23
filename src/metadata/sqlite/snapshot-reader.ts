/** Runs queries on a connection, each in a snapshot of its own, and says what must be durable before its answer may be shown. */
import type Database from 'better-sqlite3'
import type { Steps } from '../steps.ts'
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

export class SnapshotReader {
  readonly connection: Connection
  readonly #parts: SnapshotReaderParts
  readonly #begin: Database.Statement
  readonly #end: Database.Statement

  constructor(parts: SnapshotReaderParts) {
    this.#parts = parts
    this.connection = new Connection(parts.database, parts.tableNames)
    this.#begin = parts.database.prepare('BEGIN')
    this.#end = parts.database.prepare('COMMIT')
  }

  /** @throws what the query throws, once that is durable too: a refusal rests on what was seen, just as an answer does */
  async read<T>(query: () => Steps<T>): Promise<T> {
    const { database, journal, whenDurable } = this.#parts
    let needed = 0
    let answer: () => T
    this.#begin.run()
    try {
      const found = this.connection.drive(query(), {
        allow(prepared, sql) {
          if (!prepared.isReadonly) throw new Error(`A query may not write: ${sql}`)
        },
        saw(prepared, rows) {
          needed = Math.max(needed, durableSeqFor(journal, prepared, rows))
        },
      })
      answer = () => found
    } catch (error) {
      answer = () => {
        throw error
      }
    }
    if (database.inTransaction) this.#end.run()
    if (needed > journal.durable) await whenDurable(needed)
    return answer()
  }
}
