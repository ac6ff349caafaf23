/** Reads a region's metadata beside whoever writes it, or while nobody does. Changes nothing; what it sees may not be durable yet. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Steps } from '../steps.ts'
import { Connection } from './connection.ts'
import { TableNames } from './table-names.ts'
import { databaseName } from './wal-rescue.ts'

/** The writer takes a lock that keeps readers out only for moments, when it empties the `-wal`. */
const lockWaitMs = 10_000
const cacheKib = 16 * 1024

export interface MetadataReader {
  /** Everything that one query sees is of one moment. While it runs no checkpoint ends, so that it should be short. */
  read<T>(query: () => Steps<T>): T
  /** What SQLite itself finds wrong with its file; empty when nothing is. Reads all of it. */
  integrityFaults(limit: number): readonly string[]
  close(): void
}

/**
 * @param options.schemaVersion  what this program knows
 * @throws Error in words for an operator when there is no such file, or it is of another version
 */
export function openReader({ directory, schemaVersion }: { readonly directory: string; readonly schemaVersion: number }): MetadataReader {
  const file = join(directory, databaseName)
  if (!existsSync(file)) throw new Error(`There is no metadata in ${directory}.`)
  const database = new Database(file, { readonly: true, fileMustExist: true, timeout: lockWaitMs })
  try {
    database.pragma(`cache_size = -${cacheKib}`)
    const found = Number(database.pragma('user_version', { simple: true }))
    if (found !== schemaVersion) {
      throw new Error(
        `The metadata in ${directory} is of schema ${found}, and this Farshore reads ${schemaVersion}. Start the region with it once.`,
      )
    }
    return readerOn(database)
  } catch (error) {
    database.close()
    throw error
  }
}

function readerOn(database: Database.Database): MetadataReader {
  const connection = new Connection(database, new TableNames(database))
  const begin = database.prepare('BEGIN')
  const end = database.prepare('COMMIT')
  const observer = {
    allow(prepared: { readonly isReadonly: boolean }, sql: string) {
      if (!prepared.isReadonly) throw new Error(`A query may not write: ${sql}`)
    },
    saw() {},
  }
  return {
    read(query) {
      begin.run()
      try {
        return connection.drive(query(), observer)
      } finally {
        end.run()
      }
    },
    integrityFaults(limit) {
      const rows = database.prepare<[], { integrity_check: string }>(`PRAGMA integrity_check(${limit})`).all()
      return rows.map((row) => row.integrity_check).filter((fault) => fault !== 'ok')
    },
    close: () => database.close(),
  }
}
