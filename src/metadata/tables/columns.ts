/** Columns back to values. A row was written by this region's own code, so a wrong type is a broken database and says so. */
import type { SqlValue } from '../steps.ts'

export function text(value: SqlValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`expected text in a row, found ${typeof value}`)
  return value
}

export function number(value: SqlValue | undefined): number {
  if (typeof value !== 'number') throw new TypeError(`expected a number in a row, found ${typeof value}`)
  return value
}

export function optionalText(value: SqlValue | undefined): string | undefined {
  return value === null || value === undefined ? undefined : text(value)
}

export function optionalNumber(value: SqlValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : number(value)
}

/** The value that was stored as JSON; its type is the writer's. */
export function json<T>(value: SqlValue | undefined): T {
  return JSON.parse(text(value)) as T // what this region itself serialised
}

export function optionalJson<T>(value: SqlValue | undefined): T | undefined {
  return value === null || value === undefined ? undefined : json<T>(value)
}

/** A value for a nullable JSON column. */
export function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}
