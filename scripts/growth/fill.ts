/** Fills a region that is down with versions, as rows of the engine's own tables: ten million PUTs would take hours. */
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import { schema } from '../../src/metadata/schema.ts'
import { openSqlite } from '../../src/metadata/sqlite/open.ts'
import type { Steps, TransactionContext } from '../../src/metadata/steps.ts'
import { bucketByName } from '../../src/metadata/tables/buckets.ts'
import { insertVersion, newestVersion } from '../../src/metadata/tables/version-rows.ts'
import type { ObjectVersion } from '../../src/model/version.ts'
import { region } from '../bench/servers.ts'

/** One row to come: the rest is a copy of the object that all of them are copies of. */
interface Filling {
  readonly key: string
  readonly isLatest: boolean
}

const rowsPerCommit = 500
const commitsAtOnce = 8

/** A key of the half that has its keys under ten prefixes. */
export function fewKey(number: number): string {
  return `few/${number % 10}/${String(Math.floor(number / 10)).padStart(8, '0')}`
}

/** A key of the half that has five keys under each prefix. */
export function manyKey(number: number): string {
  return `many/${String(Math.floor(number / 5)).padStart(8, '0')}/${number % 5}`
}

/** As many versions as told, one a key: half of them under ten prefixes, half under a tenth as many prefixes as versions. */
export function* wide(versions: number): Iterable<Filling> {
  for (let prefix = 0; prefix < 10; prefix++) {
    for (let number = prefix; number < versions / 2; number += 10) yield { key: fewKey(number), isLatest: true }
  }
  for (let number = 0; number < versions / 2; number++) yield { key: manyKey(number), isLatest: true }
}

/** A key with many versions. */
export function* deep(key: string, versions: number): Iterable<Filling> {
  for (let number = 1; number <= versions; number++) yield { key, isLatest: number === versions }
}

/** @param options.template  key of a small object in the bucket, whose bytes all of them share */
export async function fill(
  data: string,
  options: { readonly bucketName: string; readonly template: string; readonly fillings: Iterable<Filling> },
): Promise<void> {
  const metadata = await openSqlite({
    directory: join(data, region, 'metadata'),
    transactions: { fillVersions },
    usesReserve: new Set(),
    schema,
    clock: systemClock,
    reserveBytes: 0,
  })
  try {
    const template = await metadata.read(function* () {
      const bucket = yield* bucketByName(options.bucketName)
      return bucket === undefined ? undefined : yield* newestVersion(bucket.id, options.template)
    })
    if (template === undefined) throw new Error(`there is no ${options.bucketName}/${options.template}`)
    const ids = new HybridClock({ clock: systemClock, region })
    // The engine's door knows the real transactions by name; this one is not of them.
    const commit = metadata.commit as unknown as (command: FillCommand & { readonly tx: 'fillVersions' }) => Promise<void>
    let running: Promise<void>[] = []
    for (const versions of batchesOf(options.fillings, ({ key, isLatest }) => versionOf(template, ids.issue(), { key, isLatest }))) {
      running.push(commit.call(metadata, { tx: 'fillVersions', versions }))
      if (running.length < commitsAtOnce) continue
      await Promise.all(running)
      running = []
    }
    await Promise.all(running)
  } finally {
    await metadata.close()
  }
}

interface FillCommand {
  readonly versions: readonly ObjectVersion[]
}

function* fillVersions({ versions }: FillCommand, { seq }: TransactionContext): Steps<void> {
  for (const version of versions) yield* insertVersion({ ...version, seq })
}

function versionOf(template: ObjectVersion, id: string, { key, isLatest }: Filling): ObjectVersion {
  const untouched = { stamp: id, value: [] }
  return { ...template, key, id, isLatest, isNull: false, record: { ...template.record, tags: untouched, acl: untouched } }
}

function* batchesOf<T, U>(items: Iterable<T>, make: (item: T) => U): Iterable<readonly U[]> {
  let batch: U[] = []
  for (const item of items) {
    batch.push(make(item))
    if (batch.length < rowsPerCommit) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
