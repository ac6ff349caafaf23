/**
 * The language between a transaction and the engine that runs it: a transaction is a generator of statements,
 * so that SQLite can drive it in one synchronous turn and a networked database with awaits.
 */

export type SqlValue = string | number | null | Uint8Array

/** One statement. `sql` is constant text with `?1`-style parameters, so that an engine can prepare it once. */
export interface Statement {
  readonly sql: string
  readonly params: readonly SqlValue[]
}

export type Row = Readonly<Record<string, SqlValue>>

/**
 * A transaction's or query's steps: each yielded statement is answered with its rows.
 * A statement without rows by nature (INSERT, UPDATE, DELETE without RETURNING) is answered with one row `{ changes }`.
 * NOTE: steps may run twice (a retried transaction), so they touch nothing outside.
 */
export type Steps<T> = Generator<Statement, T, readonly Row[]>

/** What an engine tells a running transaction. */
export interface TransactionContext {
  /** This commit's journal position. Every row that the commit changes carries it. */
  readonly seq: number
  /** Wall time of the commit, ms since 1970. */
  readonly nowMs: number
  /** The time by which locks end: it never goes back, and a wall clock that jumped does not move it (model/lock-clock.ts). */
  readonly lockMs: number
}

export function statement(sql: string, ...params: readonly SqlValue[]): Statement {
  return { sql, params }
}
