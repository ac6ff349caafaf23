/** A database file whose pages stand in each other's places, as a disk leaves it that writes to a wrong one. */
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/lib/clock.ts'
import type { Metadata } from '../../../src/metadata/engine.ts'
import { schema } from '../../../src/metadata/schema.ts'
import { openSqlite } from '../../../src/metadata/sqlite/open.ts'
import { insertVersion, newestVersion, versionById } from '../../../src/metadata/tables/version-rows.ts'
import type { ObjectVersion } from '../../../src/model/version.ts'

const pageBytes = 4096
const keys = Array.from({ length: 150 }, (_, n) => `object-${n}`)

function open(directory: string): Promise<Metadata> {
  const fill = function* () {
    for (const key of keys) yield* insertVersion(versionOf(key))
  }
  return openSqlite({ directory, transactions: { putVersion: fill }, usesReserve: new Set(), schema, clock: systemClock, reserveBytes: 0 })
}

function versionOf(key: string): ObjectVersion {
  const facts = { id: 'id', isNull: true, isLatest: true, isDeleteMarker: false, size: 1, lastModifiedMs: 1, sinceMs: 1, etag: 'e', seq: 1 }
  const record = { ownerId: 'o'.repeat(400), system: {}, user: {}, tags: { stamp: '', value: [] }, acl: { stamp: '', value: [] } }
  // Only what the table needs.
  return { ...facts, bucketId: 'bucket', key, storageClass: 'STANDARD', blob: `blob of ${key}`, record } as unknown as ObjectVersion
}

/** Pages of the table: those that lead to others, and those that hold rows. */
function pagesOf(file: string): { readonly inner: readonly number[]; readonly leaves: readonly number[] } {
  const database = new Database(file, { readonly: true })
  const rows = database
    .prepare<[], { pageno: number; pagetype: string }>("SELECT pageno, pagetype FROM dbstat WHERE name = 'versions'")
    .all()
  database.close()
  const ofType = (type: string): readonly number[] => rows.filter(({ pagetype }) => pagetype === type).map(({ pageno }) => pageno)
  return { inner: ofType('internal'), leaves: ofType('leaf') }
}

it('never gives the row of another key', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'farshore-damage-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const whole = await open(directory)
  // The name is of a transaction that the door knows; what it does is this test's.
  await whole.commit({ tx: 'putVersion' } as never)
  await whole.close()
  const file = join(directory, 'metadata.db')
  const bytes = readFileSync(file)
  const { inner, leaves } = pagesOf(file)
  const lower = inner.slice(1)
  const pairs = lower.flatMap((one) =>
    [...lower.filter((other) => other > one), ...leaves.slice(0, 6)].map((other) => [one, other] as const),
  )
  let refused = 0
  for (const [one, other] of pairs) {
    writeFileSync(file, swapped(bytes, one, other))
    const metadata = await open(directory)
    for (const key of keys) {
      for (const lookup of [() => newestVersion('bucket', key), () => versionById('bucket', key, 'null')]) {
        const found = await metadata.read(lookup).catch((error: Error) => {
          if (error.message.includes('The metadata is damaged')) refused += 1
          return undefined
        })
        expect(found?.blob ?? `blob of ${key}`).toBe(`blob of ${key}`)
      }
    }
    await metadata.close()
  }
  expect(pairs.length).toBeGreaterThan(5)
  expect(refused).toBeGreaterThan(0)
})

function swapped(bytes: Buffer, one: number, other: number): Buffer {
  const out = Buffer.from(bytes)
  const at = (page: number): number => (page - 1) * pageBytes
  bytes.copy(out, at(one), at(other), at(other) + pageBytes)
  bytes.copy(out, at(other), at(one), at(one) + pageBytes)
  return out
}
