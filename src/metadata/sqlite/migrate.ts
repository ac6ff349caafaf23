/** Brings a file to the newest schema, one transaction for each migration. */
import type Database from 'better-sqlite3'
import type { Migration } from '../schema.ts'

/** The engine's own rows: `seq`, the newest journal position, `boot`, the number of starts, and the mark of the time of locks. */
const metaTable = 'CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID'

/** @throws Error when a newer Farshore made the file, or the list is not in ascending order */
export function migrate(database: Database.Database, migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.version ?? 0
  const found = versionOf(database)
  if (found > newest) {
    throw new Error(`The metadata was written by a newer Farshore: its schema is ${found}, this one knows up to ${newest}.`)
  }
  database.transaction(() => {
    database.exec(metaTable)
    database.exec("INSERT OR IGNORE INTO meta (name, value) VALUES ('seq', 0), ('boot', 0)")
  })()
  let version = 0
  for (const migration of migrations) {
    if (!Number.isSafeInteger(migration.version) || migration.version <= version) throw new Error('Migrations are not in ascending order.')
    version = migration.version
    if (version <= found) continue
    database.transaction(() => {
      database.exec(migration.sql)
      database.pragma(`user_version = ${version}`)
    })()
  }
}

function versionOf(database: Database.Database): number {
  return Number(database.pragma('user_version', { simple: true }))
}
