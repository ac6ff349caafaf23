/**
 * Who commits: every thread for itself, or one for all? Measured for the metadata alone, with the statements of real requests:
 * node scripts/bench/writers.ts [--seconds S] [--rounds N] [--threads 1,2,4]
 * Prints, as medians of interleaved rounds: operations a second, CPU an operation (all threads), p99, and how long a serving thread's event
 * loop was held (99.9th, and the longest of all rounds).
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { systemClock } from '../../src/lib/clock.ts'
import { Link } from '../../src/lib/link.ts'
import { schema } from '../../src/metadata/schema.ts'
import { openSqlite, type SharedMetadata } from '../../src/metadata/sqlite/open.ts'
import { transactions, usesReserve } from '../../src/metadata/transactions.ts'
import { threadErrors } from '../../src/region/errors.ts'
import { median } from './statistics.ts'
import { type Committers, loadKinds, newVersion, type ThreadAsks, type WriterResult, type WriterThreadData } from './writers-shared.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '1,2,4' },
  },
})
const atOnce = 16
const keys = 20_000

interface Row {
  readonly name: string
  readonly rate: number
  readonly cpuUs: number
  readonly p99Ms: number
  readonly heldMs: number
  readonly heldMaxMs: number
}

const rows: Row[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  for (const threads of values.threads.split(',').map(Number)) {
    for (const load of loadKinds) {
      for (const committers of ['each', 'one'] as const) rows.push(await measure({ committers, threads, load }))
    }
  }
}
process.stdout.write(
  '| load, threads, who commits | ops/s | CPU µs/op | p99 ms | loop held p99.9 ms | longest ms |\n|---|---|---|---|---|---|\n',
)
for (const name of new Set(rows.map((row) => row.name))) {
  const own = rows.filter((row) => row.name === name)
  const of = (pick: (row: Row) => number): number => median(own.map(pick))
  const longest = Math.max(...own.map(({ heldMaxMs }) => heldMaxMs))
  const figures = [of((row) => row.rate).toFixed(0), of((row) => row.cpuUs).toFixed(0), of((row) => row.p99Ms).toFixed(1)]
  process.stdout.write(`| ${[name, ...figures, of((row) => row.heldMs).toFixed(1), longest.toFixed(0)].join(' | ')} |\n`)
}

async function measure(of: {
  readonly committers: Committers
  readonly threads: number
  readonly load: (typeof loadKinds)[number]
}): Promise<Row> {
  const { committers, threads, load } = of
  const directory = await mkdtemp(join(tmpdir(), 'farshore-writers-'))
  const metadata = await openSqlite({ directory, transactions, usesReserve, schema, clock: systemClock, reserveBytes: 1 })
  const bucketId = await fill(metadata)
  const before = process.cpuUsage()
  const results = await Promise.all(
    Array.from({ length: threads }, (_, place) =>
      runThread(metadata, {
        ...{ committers, load, directory, bucketId, keys, place, journal: metadata.journal.memory },
        lanes: Math.ceil(atOnce / threads),
        seconds: Number(values.seconds),
      }),
    ),
  )
  const used = process.cpuUsage(before)
  await metadata.close()
  await rm(directory, { recursive: true, force: true })
  const operations = results.reduce((sum, result) => sum + result.operations, 0)
  return {
    name: `${load}, ${threads}, ${committers}`,
    rate: operations / Number(values.seconds),
    cpuUs: (used.user + used.system) / operations,
    p99Ms: Math.max(...results.map(({ p99Ms }) => p99Ms)),
    heldMs: Math.max(...results.map(({ heldMs }) => heldMs)),
    heldMaxMs: Math.max(...results.map(({ heldMaxMs }) => heldMaxMs)),
  }
}

async function runThread(metadata: SharedMetadata, workerData: WriterThreadData): Promise<WriterResult> {
  const worker = new Worker(new URL('./writers-thread.ts', import.meta.url), { workerData })
  const result = Promise.withResolvers<WriterResult>()
  worker.on('error', result.reject)
  new Link<Record<never, never>, ThreadAsks>({
    port: worker,
    errors: threadErrors,
    handlers: {
      commit: (command) => metadata.commit(command),
      async done(found) {
        result.resolve(found)
        return undefined
      },
    },
  })
  try {
    return await result.promise
  } finally {
    await worker.terminate()
  }
}

async function fill(metadata: SharedMetadata): Promise<string> {
  const bucket = { name: 'bucket', id: randomUUID(), region: 'us-east-1', ownerId: 'owner', createdMs: 1 }
  const change = { kind: 'createBucket', bucket, settings: {} } as const
  await metadata.commit({ tx: 'appendControl', selfRegion: 'us-east-1', requestId: randomUUID(), change })
  await metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
  for (let from = 0; from < keys; from += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => metadata.commit({ tx: 'putVersion', version: newVersion(bucket.id, `key-${from + i}`) })),
    )
  }
  return bucket.id
}
