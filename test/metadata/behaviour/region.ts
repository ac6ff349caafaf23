/** A real metadata store in a folder of its own, and short words for what the suite does to it. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import { type Clock, systemClock } from '../../../src/lib/clock.ts'
import { HybridClock } from '../../../src/lib/hybrid-clock.ts'
import type { Metadata } from '../../../src/metadata/engine.ts'
import { schema } from '../../../src/metadata/schema.ts'
import { forSqlite } from '../../../src/metadata/sqlite/dialect.ts'
import { openSqlite } from '../../../src/metadata/sqlite/open.ts'
import type { TransactionTable } from '../../../src/metadata/sqlite/sqlite-metadata.ts'
import { type Row, type Statement, type Steps, statement } from '../../../src/metadata/steps.ts'
import { bucketById } from '../../../src/metadata/tables/buckets.ts'
import type { MadeVersion, NewVersion } from '../../../src/metadata/tables/versions.ts'
import { transactions, usesReserve } from '../../../src/metadata/transactions.ts'
import type { Bucket, BucketReplication, BucketSettings } from '../../../src/model/bucket.ts'
import { checkReplicationConfiguration } from '../../../src/model/replication-configuration-check.ts'

export interface Region {
  readonly metadata: Metadata
  readonly ids: HybridClock
  bucket(name: string, settings?: BucketSettings): Promise<Bucket>
  put(bucket: Bucket, key: string, changes?: Partial<NewVersion>): Promise<MadeVersion>
  /** How SQLite would go about a statement. */
  plan(sql: string): readonly string[]
  /** Writes past the transactions, as damage does. */
  damage(sql: string): void
  rows(sql: string, ...params: (string | number)[]): Promise<readonly Record<string, unknown>[]>
}

/**
 * @param watch  sees each statement of a transaction
 * @param clock  of the store; ids keep to the time of day
 */
export async function openRegion(name = 'us-east-1', watch?: (statement: Statement) => void, clock: Clock = systemClock): Promise<Region> {
  const directory = await mkdtemp(join(tmpdir(), 'farshore-metadata-'))
  const table = watch === undefined ? transactions : watched(transactions, watch)
  const metadata = await openSqlite({ directory, transactions: table, usesReserve, schema, clock, reserveBytes: 1 })
  onTestFinished(async () => {
    await metadata.close()
    await rm(directory, { recursive: true, force: true })
  })
  const ids = new HybridClock({ clock: systemClock, region: name })
  return {
    metadata,
    ids,
    async bucket(bucketName, settings = {}) {
      const bucket = { name: bucketName, id: randomUUID().slice(0, 8), region: name, ownerId: 'owner', createdMs: 1 }
      await metadata.commit({
        tx: 'appendControl',
        selfRegion: name,
        requestId: randomUUID(),
        change: { kind: 'createBucket', bucket, settings },
      })
      const made = await metadata.read(() => bucketById(bucket.id))
      if (made === undefined) throw new Error('the bucket was not made')
      return made
    },
    put(bucket, key, changes = {}) {
      return metadata.commit({ tx: 'putVersion', version: newVersion(bucket, key, { id: ids.issue(), ...changes }) })
    },
    plan: (sql) => {
      const database = new Database(join(directory, 'metadata.db'), { readonly: true })
      try {
        const text = forSqlite(sql)
        const steps = database.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${text.sql}`).all(text.order.map(() => null))
        return steps.map(({ detail }) => detail)
      } finally {
        database.close()
      }
    },
    damage: (sql) => {
      const database = new Database(join(directory, 'metadata.db'))
      try {
        database.exec(sql)
      } finally {
        database.close()
      }
    },
    rows: (sql, ...params) => metadata.read(() => rowsOf(sql, params)),
  }
}

function watched(table: TransactionTable, watch: (statement: Statement) => void): TransactionTable {
  return Object.fromEntries(
    Object.entries(table).map(([tx, run]) => [tx, (input, context) => watchedSteps(run(input, context), (one) => watch(one))]),
  )
}

/** The same steps; `watch` sees each statement and what it answered. */
export function* watchedSteps<T>(steps: Steps<T>, watch: (statement: Statement, rows: readonly Row[]) => void): Steps<T> {
  let step = steps.next()
  while (step.done !== true) {
    const rows = yield step.value
    watch(step.value, rows)
    step = steps.next(rows)
  }
  return step.value
}

function* rowsOf(sql: string, params: readonly (string | number)[]): Steps<readonly Row[]> {
  return yield statement(sql, ...params)
}

export function newVersion(bucket: Bucket, key: string, changes: Partial<NewVersion> & { id: string }): NewVersion {
  return {
    bucketId: bucket.id,
    key,
    size: 10,
    etag: 'e',
    storageClass: 'STANDARD',
    blob: `blob-${changes.id}`,
    record: {
      ownerId: 'owner',
      system: { contentType: 'text/plain' },
      user: [],
      tags: { stamp: changes.id, value: [] },
      acl: { stamp: changes.id, value: [] },
    },
    ...changes,
  }
}

/** A V2 configuration with one rule a destination, each for every object. */
export function replicationTo(...destinations: readonly string[]): BucketReplication {
  const configuration = checkReplicationConfiguration(
    {
      Role: 'arn:aws:iam::000000000000:role/replicator',
      Rule: destinations.map((name, index) => ({
        ID: `to-${name}`,
        Priority: String(index + 1),
        Status: 'Enabled',
        Filter: {},
        DeleteMarkerReplication: { Status: 'Enabled' },
        Destination: { Bucket: `arn:aws:s3:::${name}` },
      })),
    },
    { makeId: (index) => `rule-${index}` },
  )
  return {
    configuration,
    destinations: Object.fromEntries(destinations.map((name) => [name, { bucketId: `id-${name}`, region: 'eu-west-1' }])),
  }
}
