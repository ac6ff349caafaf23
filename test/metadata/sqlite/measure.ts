/**
 * Commits a second of the engine with the statements of a PUT, by how many callers wait at once: `node test/metadata/sqlite/measure.ts [folder]`.
 * NOTE: the folder decides: a memory file system syncs for nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { systemClock } from '../../../src/lib/clock.ts'
import { openSqlite } from '../../../src/metadata/sqlite/open.ts'
import { type Steps, statement, type TransactionContext } from '../../../src/metadata/steps.ts'
import type { Command } from '../../../src/metadata/transactions.ts'

const secondsEach = 3
const record = JSON.stringify({ metadata: { padding: 'x'.repeat(250) } })

const sql = `CREATE TABLE buckets (id TEXT PRIMARY KEY, settings TEXT, seq INTEGER) WITHOUT ROWID;
  INSERT INTO buckets VALUES ('b', '{}', 0);
  CREATE TABLE versions (bucket_id TEXT, key TEXT, id TEXT, is_latest INTEGER, size INTEGER, etag TEXT, blob TEXT, record TEXT, seq INTEGER,
    PRIMARY KEY (bucket_id, key, id)) WITHOUT ROWID;
  CREATE INDEX versions_current ON versions (bucket_id, key) WHERE is_latest = 1;
  CREATE INDEX versions_blob ON versions (blob) WHERE blob IS NOT NULL;
  CREATE TABLE tasks (bucket_id TEXT, key TEXT, version_id TEXT, destination TEXT, ready INTEGER, seq INTEGER,
    PRIMARY KEY (bucket_id, key, version_id, destination)) WITHOUT ROWID;
  CREATE INDEX tasks_ready ON tasks (ready) WHERE ready IS NOT NULL;`

function* put({ key }: { readonly key: string }, { seq }: TransactionContext): Steps<void> {
  const id = String(1e15 - seq)
  yield statement('SELECT settings FROM buckets WHERE id = ?1', 'b')
  const [newest] = yield statement('SELECT id FROM versions WHERE bucket_id = ?1 AND key = ?2 ORDER BY id LIMIT 1', 'b', key)
  if (newest !== undefined) {
    yield statement(
      'UPDATE versions SET is_latest = 0, seq = ?4 WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
      'b',
      key,
      newest.id ?? null,
      seq,
    )
  }
  const etag = '0123456789abcdef0123456789abcdef'
  yield statement('INSERT INTO versions VALUES (?1, ?2, ?3, 1, 4096, ?4, ?5, ?6, ?7)', 'b', key, id, etag, `1/${seq}/4096`, record, seq)
  yield statement('INSERT INTO tasks VALUES (?1, ?2, ?3, ?4, ?5, ?5)', 'b', key, id, 'destination', seq)
}

const folder = await mkdtemp(join(process.argv[2] ?? process.cwd(), 'measure-'))
const metadata = await openSqlite({
  directory: folder,
  transactions: { put },
  usesReserve: new Set(),
  schema: [{ version: 1, sql }],
  clock: systemClock,
  reserveBytes: 0,
})

let count = 0
async function commitUntil(endMs: number, latencies: number[]): Promise<void> {
  while (performance.now() < endMs) {
    const startedMs = performance.now()
    const key = `photos/${String((count++ * 7919) % 1_000_003).padStart(8, '0')}`
    await metadata.commit({ tx: 'put', key } as unknown as Command<never>) // its own registry, which the door's types do not know
    latencies.push(performance.now() - startedMs)
  }
}

for (const callers of [1, 16, 64, 256]) {
  const latencies: number[] = []
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const startedMs = performance.now()
  await Promise.all(Array.from({ length: callers }, () => commitUntil(startedMs + secondsEach * 1_000, latencies)))
  const seconds = (performance.now() - startedMs) / 1_000
  loop.disable()
  latencies.sort((a, b) => a - b)
  const at = (share: number): string => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2)
  const stall = (loop.percentile(99.9) / 1e6).toFixed(1)
  const rate = Math.round(latencies.length / seconds)
  process.stdout.write(`${callers} callers: ${rate}/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, loop p99.9 ${stall} ms\n`)
}
await metadata.close()
await rm(folder, { recursive: true })
