/** A small registry, a disk whose syncs a test holds or breaks, and folders that go away: what the tests of the engine share. */
import { fdatasync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../../src/lib/clock.ts'
import type { Metadata } from '../../../src/metadata/engine.ts'
import type { Migration } from '../../../src/metadata/schema.ts'
import type { Checkpoints } from '../../../src/metadata/sqlite/checkpoint-thread.ts'
import { type SqliteIo, systemIo } from '../../../src/metadata/sqlite/io.ts'
import { openSqlite, type SharedMetadata, type SqliteOptions } from '../../../src/metadata/sqlite/open.ts'
import { type Row, type Steps, statement, type TransactionContext } from '../../../src/metadata/steps.ts'
import { S3Error } from '../../../src/model/errors.ts'

export const schema: readonly Migration[] = [
  {
    version: 1,
    sql: `CREATE TABLE items (name TEXT PRIMARY KEY, value INTEGER NOT NULL, padding TEXT, seq INTEGER NOT NULL) WITHOUT ROWID;
      CREATE INDEX items_value ON items (value);
      CREATE TABLE notes (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
      INSERT INTO notes VALUES ('first', 0);`,
  },
]

interface Item {
  readonly name: string
  readonly value?: number
  readonly padding?: string
}

export const transactions = {
  *put({ name, value = 0, padding }: Item, { seq }: TransactionContext): Steps<number> {
    yield statement(
      'INSERT INTO items VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET value = ?2, padding = ?3, seq = ?4',
      name,
      value,
      padding ?? null,
      seq,
    )
    return seq
  },
  *putNew({ name }: Item, { seq }: TransactionContext): Steps<void> {
    yield statement('INSERT INTO items VALUES (?1, 0, NULL, ?2)', name, seq)
  },
  *remove({ name }: Item): Steps<number> {
    const [row] = yield statement('DELETE FROM items WHERE name = ?1', name)
    return Number(row?.changes)
  },
  *putThenRefuse({ name }: Item, { seq }: TransactionContext): Steps<void> {
    yield statement('INSERT INTO items VALUES (?1, 0, NULL, ?2)', name, seq)
    throw new S3Error('PreconditionFailed')
  },
  *move({ from, to, by }: { from: string; to: string; by: number }, { seq }: TransactionContext): Steps<void> {
    yield statement('UPDATE items SET value = value - ?2, seq = ?3 WHERE name = ?1', from, by, seq)
    yield statement('UPDATE items SET value = value + ?2, seq = ?3 WHERE name = ?1', to, by, seq)
  },
  *look(_: object): Steps<number> {
    return (yield statement('SELECT name FROM items')).length
  },
  *limitPages({ pages }: { pages: number }): Steps<void> {
    yield statement(`PRAGMA max_page_count = ${pages}`)
  },
  // biome-ignore lint/correctness/useYield: it fails before its first step
  *diskFault({ code }: { code: string }): Steps<void> {
    throw Object.assign(new Error('disk I/O error'), { code })
  },
}

type Transactions = typeof transactions

/** `commit` for the test's own registry, whose names the door's types do not know. */
export function commit<Name extends keyof Transactions>(
  metadata: Metadata,
  tx: Name,
  input: Parameters<Transactions[Name]>[0],
): Promise<ReturnType<Transactions[Name]> extends Steps<infer Output> ? Output : never> {
  return (metadata.commit as (command: object) => Promise<never>)({ ...input, tx })
}

export function item(name: string): () => Steps<Row | undefined> {
  return function* () {
    const [row] = yield statement('SELECT name, value, seq FROM items WHERE name = ?1', name)
    return row
  }
}

export function* note(): Steps<Row | undefined> {
  const [row] = yield statement('SELECT name FROM notes')
  return row
}

export function* allNames(): Steps<readonly string[]> {
  const rows = yield statement('SELECT name FROM items ORDER BY name')
  return rows.map(({ name }) => String(name))
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'farshore-metadata-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export async function openStore(options: Partial<SqliteOptions> = {}): Promise<SharedMetadata> {
  const metadata = await openSqlite({
    directory: options.directory ?? (await temporaryFolder()),
    transactions,
    usesReserve: new Set(['remove', 'limitPages']),
    schema,
    clock: systemClock,
    reserveBytes: 0,
    ...options,
  })
  onTestFinished(() => metadata.close())
  return metadata
}

/** A real disk, whose syncs can be held back or made to fail, and whose free space and checkpoints can be said. */
export class TestDisk implements SqliteIo {
  syncs = 0
  free = Number.POSITIVE_INFINITY
  failure: Error | undefined
  checkpoints: ((file: string) => Checkpoints) | undefined
  #isHolding = false
  readonly #held: (() => void)[] = []

  fdatasync(fd: number, done: (error: Error | null) => void): void {
    this.syncs += 1
    const end = (): void => (this.failure === undefined ? fdatasync(fd, done) : done(this.failure))
    if (this.#isHolding) this.#held.push(end)
    else end()
  }

  freeBytes(): number {
    return this.free
  }

  openCheckpoints(file: string): Checkpoints {
    return (this.checkpoints ?? systemIo.openCheckpoints)(file)
  }

  hold(): void {
    this.#isHolding = true
  }

  /** Syncs that began and are held. */
  get held(): number {
    return this.#held.length
  }

  releaseOne(): void {
    this.#held.shift()?.()
  }

  release(): void {
    this.#isHolding = false
    for (const end of this.#held.splice(0)) end()
  }
}

export function ioError(): Error {
  return Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
}

/** Whether a promise is settled after everything that was ready to happen has happened. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  promise.then(settle, settle)
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  return settled
}

export async function eventually(isTrue: () => boolean | Promise<boolean>, deadlineMs = 5_000): Promise<void> {
  const endMs = Date.now() + deadlineMs
  while (!(await isTrue())) {
    if (Date.now() > endMs) throw new Error(`not so within ${deadlineMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
