/** A connection that remembers its prepared statements, and drives a transaction's steps on them. */
import type Database from 'better-sqlite3'
import type { Row, Statement, Steps } from '../steps.ts'
import { forSqlite } from './dialect.ts'
import type { TableNames } from './table-names.ts'

// SQL text is constant, so the code bounds this; texts with a list of varying length come and go within it.
const preparedMax = 500

export interface Prepared {
  readonly isReadonly: boolean
  /** The tables that it reads or writes. */
  readonly tables: readonly string[]
  run(params: Statement['params']): readonly Row[]
  /** Whether an answer of it means that a row was changed. */
  changed(rows: readonly Row[]): boolean
}

/** Is asked before each statement runs, and sees what it answered. */
export interface Observer {
  allow?(prepared: Prepared, sql: string): void
  saw(prepared: Prepared, rows: readonly Row[]): void
}

export class Connection {
  readonly #database: Database.Database
  readonly #tableNames: TableNames
  readonly #prepared = new Map<string, Prepared>()

  constructor(database: Database.Database, tableNames: TableNames) {
    this.#database = database
    this.#tableNames = tableNames
  }

  /** Runs steps to their end in one turn. What a statement or the steps throw ends them. */
  drive<T>(steps: Steps<T>, observer: Observer): T {
    let step = steps.next()
    while (step.done !== true) {
      const prepared = this.#prepare(step.value.sql)
      observer.allow?.(prepared, step.value.sql)
      const rows = prepared.run(step.value.params)
      observer.saw(prepared, rows)
      step = steps.next(rows)
    }
    return step.value
  }

  #prepare(text: string): Prepared {
    const known = this.#prepared.get(text)
    if (known !== undefined) return known
    const translated = forSqlite(text)
    const { order } = translated
    const handle = this.#database.prepare<unknown[], Row>(translated.sql)
    const isInOrder = order.every((from, to) => from === to)
    const bound = (params: Statement['params']): readonly unknown[] => (isInOrder ? params : order.map((index) => params[index]))
    const shared = { isReadonly: handle.readonly, tables: this.#tableNames.of(this.#database, translated) }
    const prepared: Prepared = handle.reader
      ? { ...shared, run: (params) => handle.all(bound(params)), changed: (rows) => !handle.readonly && rows.length > 0 }
      : { ...shared, run: (params) => [{ changes: handle.run(bound(params)).changes }], changed: ([row]) => row?.changes !== 0 }
    if (this.#prepared.size >= preparedMax) this.#forgetOldest()
    this.#prepared.set(text, prepared)
    return prepared
  }

  #forgetOldest(): void {
    const oldest = this.#prepared.keys().next()
    if (oldest.done !== true) this.#prepared.delete(oldest.value)
  }
}
