/** The state that the control log has led to, whole: to be compared over regions, and to be given to one that has not the rows any more. */
import { createHash } from 'node:crypto'
import type { BucketSettings } from '../../model/bucket.ts'
import { type Row, type SqlValue, type Steps, statement, type TransactionContext } from '../steps.ts'
import { dropBucket, insertNewBucket } from './buckets.ts'
import { json, number, text } from './columns.ts'
import { ControlHistoryMismatch, type ControlRow, ControlRowOutdated, controlRowsAfter, insertRow, lastControlRow } from './control.ts'
import { type ControlEpoch, controlEpochs, writeControlBase, writeControlEpochs } from './control-epochs.ts'

/**
 * Every table that rows of the control log change, and nothing else changes: their columns without `seq`, the key first.
 * NOTE: a table that is missing here is missing in a region that was started from a snapshot.
 */
const controlTables = [
  { name: 'names', key: ['name'], columns: ['name', 'id', 'region', 'owner_id', 'created_ms', 'settings'] },
  { name: 'accounts', key: ['id'], columns: ['id', 'canonical_id', 'record'] },
  { name: 'identities', key: ['account_id', 'type', 'name'], columns: ['account_id', 'type', 'name', 'record'] },
  {
    name: 'identity_links',
    key: ['target', 'kind', 'account_id', 'type', 'name'],
    columns: ['target', 'kind', 'account_id', 'type', 'name'],
  },
  { name: 'access_keys', key: ['id'], columns: ['id', 'account_id', 'user_name', 'created_ms', 'record'] },
] as const

/** Values of one row, in the order of its table's columns. */
export type ControlCells = readonly (string | number | null)[]

export interface ControlSnapshot {
  /** The newest rows, so that a request that is repeated is found; the last of them is where the snapshot stands. */
  readonly rows: readonly ControlRow[]
  readonly epochs: readonly ControlEpoch[]
  readonly tables: readonly { readonly name: string; readonly rows: readonly ControlCells[] }[]
  readonly digest: string
}

export interface ControlDigest {
  /** Of the newest row. */
  readonly position: number
  /** SHA-256, hex. */
  readonly digest: string
}

/** Rows of the log that travel with a snapshot. */
const snapshotRows = 200

/** Everything at one moment; undefined before the first row. */
export function* controlSnapshot(): Steps<ControlSnapshot | undefined> {
  const last = yield* lastControlRow()
  if (last === undefined) return undefined
  const tables: { readonly name: string; readonly rows: readonly ControlCells[] }[] = []
  for (const table of controlTables) tables.push({ name: table.name, rows: yield* cellsOf(table) })
  return {
    rows: yield* controlRowsAfter(last.position - snapshotRows, snapshotRows),
    epochs: yield* controlEpochs(),
    tables,
    digest: digestOf(tables),
  }
}

/** Equal in all regions at the same position. */
export function* controlDigest(): Steps<ControlDigest> {
  const last = yield* lastControlRow()
  const hash = createHash('sha256')
  for (const table of controlTables) digestInto(hash, { name: table.name, rows: yield* cellsOf(table) })
  return { position: last?.position ?? 0, digest: hash.digest('hex') }
}

export function digestOf(tables: ControlSnapshot['tables']): string {
  const hash = createHash('sha256')
  for (const table of tables) digestInto(hash, table)
  return hash.digest('hex')
}

/**
 * Puts the snapshot in the place of all that stands: names and identities, the rows of the log; and makes and drops buckets of this region as
 * the rows would have.
 * @throws ControlRowOutdated when what stands is newer
 */
function* takeControlSnapshot(
  input: { readonly selfRegion: string; readonly snapshot: Pick<ControlSnapshot, 'rows' | 'epochs' | 'tables'> },
  context: TransactionContext,
): Steps<void> {
  const { rows, epochs, tables } = input.snapshot
  const [oldest] = rows
  const newest = rows.at(-1)
  if (oldest === undefined || newest === undefined) throw new TypeError('a snapshot of the control log has its newest row')
  const last = yield* lastControlRow()
  if (last !== undefined && (newest.epoch < last.epoch || (newest.epoch === last.epoch && newest.position <= last.position))) {
    throw new ControlRowOutdated(newest)
  }
  yield statement('DELETE FROM control_log')
  yield* writeControlBase({ position: oldest.position - 1, hash: oldest.previousHash }, context)
  yield* writeControlEpochs(epochs, context)
  for (const row of rows) yield* insertRow(row, context)
  for (const table of controlTables) {
    yield statement(`DELETE FROM ${table.name}`)
    for (const cells of tables.find(({ name }) => name === table.name)?.rows ?? []) {
      // A region of an older version does not know the last columns, which have a default.
      const columns = [...table.columns.slice(0, cells.length), 'seq']
      const sql = `INSERT INTO ${table.name} (${columns.join(', ')}) VALUES (${columns.map((_, i) => `?${i + 1}`).join(', ')})`
      yield statement(sql, ...cells, context.seq)
    }
  }
  yield statement('DELETE FROM key_uses WHERE NOT EXISTS (SELECT 1 FROM access_keys WHERE access_keys.id = key_uses.id)')
  yield* followNames(input.selfRegion, context)
}

export const controlSnapshots = { takeControlSnapshot } as const

/** Drops what has no name any more, and makes what has one and is not there. */
function* followNames(selfRegion: string, context: TransactionContext): Steps<void> {
  const gone = yield statement('SELECT id FROM buckets WHERE NOT EXISTS (SELECT 1 FROM names WHERE names.id = buckets.id)')
  for (const row of gone) {
    const [held] = yield statement('SELECT 1 AS found FROM versions WHERE bucket_id = ?1 LIMIT 1', text(row.id))
    // A bucket goes when it is empty: one that is not is of another history.
    if (held !== undefined)
      throw new ControlHistoryMismatch(`the snapshot has no bucket ${text(row.id)} of this region, which holds objects`)
    yield* dropBucket(text(row.id), context)
  }
  const missing = yield statement(
    `SELECT name, id, region, owner_id, created_ms, settings FROM names
     WHERE region = ?1 AND NOT EXISTS (SELECT 1 FROM buckets WHERE buckets.id = names.id)`,
    selfRegion,
  )
  for (const row of missing) {
    const id = text(row.id)
    const bucket = { id, name: text(row.name), region: selfRegion, ownerId: text(row.owner_id), createdMs: number(row.created_ms) }
    yield* insertNewBucket(bucket, json<BucketSettings>(row.settings), context)
  }
}

function* cellsOf(table: (typeof controlTables)[number]): Steps<readonly ControlCells[]> {
  const rows = yield statement(`SELECT ${table.columns.join(', ')} FROM ${table.name} ORDER BY ${table.key.join(', ')}`)
  return rows.map((row) => table.columns.map((column) => cell(row, column)))
}

function cell(row: Row, column: string): string | number | null {
  const value: SqlValue | undefined = row[column]
  if (value === undefined || value instanceof Uint8Array) throw new TypeError(`column ${column} of a control table holds what JSON cannot`)
  return value
}

function digestInto(hash: ReturnType<typeof createHash>, { name, rows }: ControlSnapshot['tables'][number]): void {
  hash.update(`${name}\n`)
  for (const cells of rows) hash.update(`${JSON.stringify(cells)}\n`)
}
