/** A thread of `writers.ts`: keeps some operations under way until the time is over. */
import { fdatasync, openSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { systemClock } from '../../src/lib/clock.ts'
import { Link } from '../../src/lib/link.ts'
import { BatchRunner, type Pending } from '../../src/metadata/sqlite/batch.ts'
import { Connection } from '../../src/metadata/sqlite/connection.ts'
import { silentLog } from '../../src/metadata/sqlite/io.ts'
import { SharedJournal } from '../../src/metadata/sqlite/shared-journal.ts'
import { TableNames } from '../../src/metadata/sqlite/table-names.ts'
import { ThreadMetadata } from '../../src/metadata/sqlite/thread-metadata.ts'
import { newestVersion } from '../../src/metadata/tables/version-rows.ts'
import { scanCurrent } from '../../src/metadata/tables/version-scans.ts'
import { putVersion } from '../../src/metadata/tables/versions.ts'
import { threadErrors } from '../../src/region/errors.ts'
import { newVersion, type ThreadAsks, type WriterThreadData } from './writers-shared.ts'

if (parentPort === null) throw new Error('this is the script of a thread')
const data = workerData as WriterThreadData // as writers.ts gives it
const link = new Link<ThreadAsks, Record<never, never>>({ port: parentPort, errors: threadErrors, handlers: {} })
const metadata = new ThreadMetadata({
  ...{ directory: data.directory, memory: data.journal, boot: 1, reserveBytes: 1, clock: systemClock },
  commit: (command) => link.call('commit', command) as never, // the outcome is not looked at
})
const put = data.committers === 'one' ? putByOther : ownWriter()

const held = monitorEventLoopDelay({ resolution: 1 })
held.enable()
const endMs = performance.now() + data.seconds * 1000
const tookMs: number[] = []
await Promise.all(Array.from({ length: data.lanes }, () => lane()))
held.disable()
tookMs.sort((a, b) => a - b)
await link.call('done', {
  operations: tookMs.length,
  p99Ms: tookMs[Math.floor(tookMs.length * 0.99)] ?? 0,
  heldMs: held.percentile(99.9) / 1e6,
  heldMaxMs: held.max / 1e6,
})

async function lane(): Promise<void> {
  while (performance.now() < endMs) {
    const startedMs = performance.now()
    await operate(data.load === 'mixed' ? pick() : data.load)
    tookMs.push(performance.now() - startedMs)
  }
}

function pick(): 'put' | 'get' | 'list' {
  const chance = Math.random()
  if (chance < 0.4) return 'put'
  return chance < 0.95 ? 'get' : 'list'
}

async function operate(kind: 'put' | 'get' | 'list'): Promise<void> {
  const key = `key-${Math.floor(Math.random() * data.keys)}`
  switch (kind) {
    case 'put':
      // A key of its own: whose ids come late is another question.
      await put(`${key}-${data.place}-${tookMs.length}-${Math.random()}`)
      return
    case 'get':
      await metadata.read(() => newestVersion(data.bucketId, key))
      // A read that waits for nothing would never let the others have their turn.
      await new Promise((resolve) => setImmediate(resolve))
      return
    case 'list':
      await metadata.read(() => scanCurrent({ bucketId: data.bucketId, from: { key, after: false }, limit: 1000 }))
      await new Promise((resolve) => setImmediate(resolve))
      return
    default:
      kind satisfies never
  }
}

async function putByOther(key: string): Promise<void> {
  await metadata.commit({ tx: 'putVersion', version: newVersion(data.bucketId, key) })
}

/** Group commit within the thread; between threads the lock decides, asked for again each millisecond and never waited for in the event loop. */
function ownWriter(): (key: string) => Promise<void> {
  const file = join(data.directory, 'metadata.db')
  const database = new Database(file, { timeout: 0 })
  for (const pragma of ['synchronous = NORMAL', 'wal_autocheckpoint = 4000', 'cache_size = -32768']) database.pragma(pragma)
  const walFd = openSync(`${file}-wal`, 'r+')
  const tableNames = new TableNames(database)
  const journal = new SharedJournal(tableNames.all)
  const batches = new BatchRunner({
    database,
    connection: new Connection(database, tableNames),
    journal,
    clock: systemClock,
    log: silentLog,
  })
  const readSeq = database.prepare<[], { value: number }>("SELECT value FROM meta WHERE name = 'seq'")
  let queue: Pending[] = []
  let isRunning = false

  async function drain(): Promise<void> {
    isRunning = true
    while (queue.length > 0) {
      const taken = queue
      queue = []
      let next = 0
      try {
        const { answers } = batches.run(readSeq.get()?.value ?? 0, () => taken[next++])
        queue.unshift(...taken.slice(answers.length))
        await new Promise((resolve) => fdatasync(walFd, resolve))
        for (const answer of answers) answer()
      } catch {
        queue.unshift(...taken)
        await sleep(1)
      }
    }
    isRunning = false
  }

  return (key) =>
    new Promise<void>((resolve, reject) => {
      const version = newVersion(data.bucketId, key)
      queue.push({
        tx: 'putVersion',
        usesReserve: false,
        steps: (context) => putVersion({ version }, context),
        resolve: () => resolve(),
        reject,
      })
      if (!isRunning) setImmediate(() => (isRunning ? undefined : drain()))
    })
}
