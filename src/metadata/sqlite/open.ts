/** Opens a region's metadata in SQLite: rescue, migrate, count the start, and make it all durable before anything is answered. */
import { closeSync, openSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import type { Clock } from '../../lib/clock.ts'
import type { Metadata } from '../engine.ts'
import type { Migration } from '../schema.ts'
import { type Log, type SqliteIo, silentLog, systemIo } from './io.ts'
import { migrate } from './migrate.ts'
import type { SharedJournal } from './shared-journal.ts'
import { SqliteMetadata, type TransactionTable } from './sqlite-metadata.ts'
import { databaseName, rescueWal, syncPath } from './wal-rescue.ts'

const writerCacheKib = 32 * 1024
const guardCacheKib = 2 * 1024

export interface SqliteOptions {
  /** Holds `metadata.db` and what belongs to it; made when missing. NOTE: the caller sees to it that one process has it open. */
  readonly directory: string
  readonly transactions: TransactionTable
  /** Names of transactions that are taken even when the disk is nearly full. */
  readonly usesReserve: ReadonlySet<string>
  readonly schema: readonly Migration[]
  readonly clock: Clock
  /** Free space below which only `usesReserve` is taken. */
  readonly reserveBytes: number
  readonly log?: Log
  readonly io?: SqliteIo
}

/** A store whose journal other threads of the process may follow. */
export interface SharedMetadata extends Metadata {
  readonly journal: SharedJournal
}

/** @throws Error when the file is of a newer version, damaged, or cannot be made durable */
export async function openSqlite(options: SqliteOptions): Promise<SharedMetadata> {
  const { directory, log = silentLog, io = systemIo } = options
  const file = join(directory, databaseName)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await rescueWal(directory, log)

  const opened: { close(): void }[] = []
  try {
    const writer = new Database(file, { timeout: 0 }) // never a wait in the event loop
    opened.push(writer)
    configure(writer)
    migrate(writer, options.schema)
    const { boot, seq } = countStart(writer)
    const guard = new Database(file, { readonly: true, fileMustExist: true, timeout: 0 })
    opened.push(guard)
    guard.pragma(`cache_size = -${guardCacheKib}`)
    guard.prepare('SELECT 1 FROM meta').get() // takes its lock on the file, which it keeps
    const walFd = openSync(`${file}-wal`, 'r+')
    opened.push({ close: () => closeSync(walFd) })
    await new Promise<void>((resolve, reject) => {
      io.fdatasync(walFd, (error) => (error === null ? resolve() : reject(error)))
    })
    await syncPath(directory)
    await syncPath(dirname(directory))
    return new SqliteMetadata({ ...options, log, io, file, writer, guard, walFd, boot, seq })
  } catch (error) {
    // The writer before the guard: after a failed sync SQLite must not checkpoint at its close.
    for (const resource of opened) resource.close()
    throw error
  }
}

function configure(writer: Database.Database): void {
  const mode = writer.pragma('journal_mode = WAL', { simple: true })
  if (mode !== 'wal')
    throw new Error(`The file system of the metadata does not support SQLite's write-ahead log (journal mode ${String(mode)}).`)
  writer.pragma('synchronous = NORMAL') // a commit does not sync: the engine does
  writer.pragma('wal_autocheckpoint = 0')
  writer.pragma('foreign_keys = OFF')
  writer.pragma('temp_store = MEMORY')
  writer.pragma(`cache_size = -${writerCacheKib}`)
  writer.pragma('mmap_size = 0') // mapped again after each commit: reads beside writes were 2.6 times slower
}

function countStart(writer: Database.Database): { readonly boot: number; readonly seq: number } {
  const value = (sql: string): number => {
    const row = writer.prepare<[], { value: number }>(sql).get()
    if (row === undefined) throw new Error('The metadata lacks its own rows.')
    return row.value
  }
  return {
    boot: value("UPDATE meta SET value = value + 1 WHERE name = 'boot' RETURNING value"),
    seq: value("SELECT value FROM meta WHERE name = 'seq'"),
  }
}
