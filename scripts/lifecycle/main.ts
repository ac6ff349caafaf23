/**
 * What a lifecycle pass costs beside the size of its bucket: rows that statements answered or changed, time, CPU, memory, and how long the event loop
 * was held. `node scripts/lifecycle/main.ts [--versions 1000000] [--due 1000] [--data DIR]`
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import Database from 'better-sqlite3'
import { systemClock } from '../../src/lib/clock.ts'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import { LifecycleEngine } from '../../src/lifecycle/engine.ts'
import { createLifecycle } from '../../src/lifecycle/lifecycle.ts'
import type { Metadata } from '../../src/metadata/engine.ts'
import { schema } from '../../src/metadata/schema.ts'
import { forSqlite } from '../../src/metadata/sqlite/dialect.ts'
import { openSqlite } from '../../src/metadata/sqlite/open.ts'
import type { TransactionTable } from '../../src/metadata/sqlite/sqlite-metadata.ts'
import type { Steps, TransactionContext } from '../../src/metadata/steps.ts'
import { transactions, usesReserve } from '../../src/metadata/transactions.ts'
import { dayMs, fill, fillVersions } from './fill.ts'

const { values } = parseArgs({
  options: {
    versions: { type: 'string', default: '1000000' },
    due: { type: 'string', default: '1000' },
    data: { type: 'string', default: tmpdir() },
  },
})
const size = { versions: Number(values.versions), due: Number(values.due) }

/** What statements did. `read` counts the rows that they answered with: each of them is found by an index, see the end. */
interface Counter {
  statements: number
  read: number
  changed: number
  readonly texts: Set<string>
}

const newCounter = (): Counter => ({ statements: 0, read: 0, changed: 0, texts: new Set() })

function* watch<T>(steps: Steps<T>): Steps<T> {
  let step = steps.next()
  while (step.done !== true) {
    const rows = yield step.value
    const { sql } = step.value
    counter.statements += 1
    counter.texts.add(sql)
    if (/^\s*select/i.test(sql)) counter.read += rows.length
    else counter.changed += Number(rows[0]?.['changes'] ?? 0)
    step = steps.next(rows)
  }
  return step.value
}

let counter = newCounter()
const folder = await mkdtemp(join(values.data, 'farshore-lifecycle-'))
process.stderr.write(`load ${loadavg()[0]?.toFixed(2)} before; ${size.versions} versions, ${size.due} of them due\n`)
try {
  await open(async (metadata) => await fill(metadata, size, Date.now()))
  await open(async (metadata) => {
    await measured('first pass', metadata, (parts) => untilIdle(new LifecycleEngine(parts)))
    await measured('a look when nothing is new', metadata, (parts) => untilIdle(new LifecycleEngine(parts)))
    const tomorrow = { nowMs: () => Date.now() + dayMs }
    await measured('the pass of the next day', metadata, (parts) => untilIdle(new LifecycleEngine({ ...parts, clock: tomorrow })))
    await measured('preview', metadata, (parts) => createLifecycle(parts).preview('measured-bucket', { limit: 1000 }))
    await measured('status', metadata, (parts) => createLifecycle(parts).status())
  })
} finally {
  await rm(folder, { recursive: true, force: true })
}
process.stderr.write(`load ${loadavg()[0]?.toFixed(2)} after\n`)

type Parts = ConstructorParameters<typeof LifecycleEngine>[0]

async function open(work: (metadata: Metadata) => Promise<void>): Promise<void> {
  const table: TransactionTable = { ...transactions, fillVersions }
  const watched = Object.entries(table).map(
    ([tx, run]) => [tx, (input: never, context: TransactionContext) => watch(run(input, context))] as const,
  )
  const options = { schema, usesReserve, clock: systemClock, reserveBytes: 0 }
  const metadata = await openSqlite({ directory: folder, transactions: Object.fromEntries(watched), ...options })
  try {
    await work(metadata)
  } finally {
    await metadata.close()
  }
}

/** Runs a piece of work and prints what it cost. */
async function measured(name: string, metadata: Metadata, work: (parts: Parts) => Promise<unknown>): Promise<void> {
  counter = newCounter()
  const { texts } = counter
  const reading: Metadata = {
    boot: metadata.boot,
    commit: (command) => metadata.commit(command),
    read: (query) => metadata.read(() => watch(query())),
    remembered: (query) => metadata.remembered((of) => watch(query(of))),
    waitBeyond: (...of) => metadata.waitBeyond(...of),
    status: () => metadata.status(),
    close: () => metadata.close(),
  }
  const log = { warn: (fields: object, message: string) => void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`) }
  const parts: Parts = {
    metadata: reading,
    ids: new HybridClock({ clock: systemClock, region: 'us-east-1' }),
    clock: systemClock,
    dayMs,
    log,
  }
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const before = { ms: performance.now(), cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }
  delay.enable()
  await work(parts)
  delay.disable()
  const cpu = process.cpuUsage(before.cpu)
  const line = {
    ms: Math.round(performance.now() - before.ms),
    cpuMs: Math.round((cpu.user + cpu.system) / 1000),
    statements: counter.statements,
    rowsRead: counter.read,
    rowsChanged: counter.changed,
    memoryMiB: Math.round((process.memoryUsage.rss() - before.rss) / 2 ** 20),
    // A timer of a millisecond is itself late by about that.
    heldMaxMs: Math.round(delay.max / 1e6),
    byScan: scansOf(texts).length,
  }
  process.stdout.write(`${name}: ${JSON.stringify(line)}\n`)
  for (const scan of scansOf(texts)) process.stdout.write(`  ${scan}\n`)
}

async function untilIdle(engine: LifecycleEngine): Promise<void> {
  const { signal } = new AbortController()
  while ((await engine.work(signal)) === 'busy');
}

/** Statements on versions that SQLite answers by reading a whole table or index. */
function scansOf(texts: ReadonlySet<string>): readonly string[] {
  const database = new Database(join(folder, 'metadata.db'), { readonly: true })
  try {
    return [...texts].flatMap((text) => {
      const { sql, order } = forSqlite(text)
      const steps = database.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(order.map(() => null))
      const scan = steps.find(({ detail }) => /SCAN (versions|lifecycle_again)/.test(detail))
      return scan === undefined ? [] : [`${scan.detail}: ${text}`]
    })
  } finally {
    database.close()
  }
}
