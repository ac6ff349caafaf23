/** Commits without end and says on stdout what is acknowledged, one name and a full stop a line, until it is killed. */
import { writeSync } from 'node:fs'
import { systemClock } from '../../../src/lib/clock.ts'
import { openSqlite } from '../../../src/metadata/sqlite/open.ts'
import { type Steps, statement, type TransactionContext } from '../../../src/metadata/steps.ts'
import type { Command } from '../../../src/metadata/transactions.ts'

const [directory = '', round = ''] = process.argv.slice(2)
const metadata = await openSqlite({
  directory,
  transactions: {
    *put({ name }: { readonly name: string }, { seq }: TransactionContext): Steps<void> {
      yield statement('INSERT INTO items VALUES (?1, 0, NULL, ?2)', name, seq)
    },
  },
  usesReserve: new Set(),
  schema: [
    {
      version: 1,
      sql: 'CREATE TABLE items (name TEXT PRIMARY KEY, value INTEGER NOT NULL, padding TEXT, seq INTEGER NOT NULL) WITHOUT ROWID',
    },
  ],
  clock: systemClock,
  reserveBytes: 0,
})

async function commitForever(writer: number): Promise<never> {
  for (let count = 0; ; count++) {
    const name = `${round}-${writer}-${count}`
    await metadata.commit({ tx: 'put', name } as unknown as Command<never>) // its own registry, which the door's types do not know
    writeSync(1, `${name}.\n`)
  }
}

await Promise.all(Array.from({ length: 16 }, (_, writer) => commitForever(writer)))
