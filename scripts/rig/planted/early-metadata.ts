/** Metadata that answers a PUT into an unversioned bucket at once, and commits it a moment later. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqlite as openReal, type SharedMetadata, type SqliteOptions } from '../../../src/metadata/sqlite/open.ts'
import type { MadeVersion, NewVersion } from '../../../src/metadata/tables/versions.ts'
import type { Command, Outcome, TransactionName } from '../../../src/metadata/transactions.ts'

const lateMinMs = 50
const lateMaxMs = 200

export async function openSqlite(options: SqliteOptions): Promise<SharedMetadata> {
  const metadata = await openReal(options)
  return {
    boot: metadata.boot,
    journal: metadata.journal,
    read: (query) => metadata.read(query),
    remembered: (query) => metadata.remembered(query),
    waitBeyond: (seq, signal) => metadata.waitBeyond(seq, signal),
    status: () => metadata.status(),
    close: () => metadata.close(),
    commit<Name extends TransactionName>(command: Command<Name>): Promise<Outcome<Name>> {
      if (command.tx !== 'putVersion' || !('version' in command)) return metadata.commit(command)
      void sleep(lateMinMs + Math.random() * (lateMaxMs - lateMinMs))
        .then(() => metadata.commit(command))
        // A later PUT of the same key may have been committed first.
        .catch(() => undefined)
      // What this transaction answers, as its name says.
      return Promise.resolve(madeUp(command.version as NewVersion) as Outcome<Name>)
    },
  }
}

function madeUp(version: NewVersion): MadeVersion {
  const rest = { isNull: true, isLatest: true, isDeleteMarker: false, lastModifiedMs: Date.now(), sinceMs: Date.now(), seq: 0 }
  return { version: { ...version, ...rest }, isVersioned: false }
}
