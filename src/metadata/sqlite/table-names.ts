/** Which tables a statement touches, asked of SQLite itself: the root pages that its program opens. */
import type Database from 'better-sqlite3'
import type { SqliteText } from './dialect.ts'

interface Instruction {
  readonly opcode: string
  readonly p1: number
  readonly p2: number
}

export class TableNames {
  /** Root page of a table or index → table. Made once: nothing moves a root page while the engine is open. */
  readonly #byRoot: ReadonlyMap<number, string>
  /** Every table's name, each once. */
  readonly all: readonly string[]

  constructor(database: Database.Database) {
    const rows = database
      .prepare<[], { root: number; name: string }>('SELECT rootpage AS root, tbl_name AS name FROM sqlite_schema WHERE rootpage > 0')
      .all()
    this.#byRoot = new Map(rows.map(({ root, name }) => [root, name]))
    this.all = [...new Set(this.#byRoot.values())]
  }

  of(database: Database.Database, { sql, order }: SqliteText): readonly string[] {
    if (!/^\s*(select|insert|update|delete|replace|with)\b/i.test(sql)) return []
    const program = database.prepare<unknown[], Instruction>(`EXPLAIN ${sql}`).all(order.map(() => null))
    const names = program.map((instruction) => this.#byRoot.get(rootPageOf(instruction)))
    return [...new Set(names.filter((name) => name !== undefined))]
  }
}

/** https://sqlite.org/opcode.html */
function rootPageOf({ opcode, p1, p2 }: Instruction): number {
  if (opcode === 'Clear') return p1
  return opcode === 'OpenRead' || opcode === 'OpenWrite' || opcode === 'ReopenIdx' ? p2 : 0
}
