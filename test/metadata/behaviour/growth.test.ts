/** What growth may cost, in statements and rows and not in time. `scripts/growth` measures the same at full size. */
import { describe, expect, it } from 'vitest'
import type { Metadata } from '../../../src/metadata/engine.ts'
import type { Statement } from '../../../src/metadata/steps.ts'
import { versionById } from '../../../src/metadata/tables/version-rows.ts'
import { listCurrent, listVersions } from '../../../src/objects/list.ts'
import type { ObjectParts } from '../../../src/objects/parts.ts'
import { openRegion, type Region, watchedSteps } from './region.ts'

interface Counted {
  statements: number
  rows: number
}

/** What a read of the object service costs: it knows nothing of the store but `metadata`. */
async function countedRead<T>({ metadata }: Region, read: (parts: ObjectParts) => Promise<T>): Promise<Counted & { answer: T }> {
  const count: Counted = { statements: 0, rows: 0 }
  const counting: Pick<Metadata, 'read'> = {
    read: (query) =>
      metadata.read(() =>
        watchedSteps(query(), (_, rows) => {
          count.statements += 1
          count.rows += rows.length
        }),
      ),
  }
  const parts = { metadata: counting } as ObjectParts // a listing uses nothing else
  // A query that goes on to a second statement is begun anew in a snapshot, the first time that it does.
  await read(parts)
  Object.assign(count, { statements: 0, rows: 0 })
  const answer = await read(parts)
  return { ...count, answer }
}

async function versionedBucket(region: Region) {
  const made = await region.bucket('grown')
  await region.metadata.commit({ tx: 'setVersioning', bucketId: made.id, versioning: 'Enabled' })
  return made
}

describe('a listing', () => {
  it('with a delimiter reads a few rows of each common prefix, however many keys it has', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('folders')
    const prefixes = 20
    const keys = Array.from({ length: prefixes * 200 }, (_, i) => `${String(i % prefixes).padStart(4, '0')}/${i}`)
    await Promise.all(keys.map((key) => region.put(bucket, key)))
    const { rows, statements, answer } = await countedRead(region, (parts) =>
      listCurrent(parts, { bucket, delimiter: '/', maxEntries: 1000 }),
    )
    expect(answer.commonPrefixes).toHaveLength(prefixes)
    expect(rows).toBeLessThan(8 * prefixes)
    expect(statements).toBeLessThan(2 * prefixes)
  })

  it('with a delimiter needs no statement for each prefix of a few keys', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('leaves')
    const keys = Array.from({ length: 2000 }, (_, i) => `${String(Math.floor(i / 5)).padStart(4, '0')}/${i}`)
    await Promise.all(keys.map((key) => region.put(bucket, key)))
    const { statements, answer } = await countedRead(region, (parts) => listCurrent(parts, { bucket, delimiter: '/', maxEntries: 300 }))
    expect(answer.commonPrefixes).toHaveLength(300)
    expect(statements).toBeLessThan(60)
  })

  it('is right the first time that it takes several looks', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('flat')
    const keys = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, '0')}`)
    await Promise.all(keys.map((key) => region.put(bucket, key)))
    const parts = { metadata: region.metadata as Pick<Metadata, 'read'> } as ObjectParts // a listing uses nothing else
    const current = await listCurrent(parts, { bucket, delimiter: '/', maxEntries: 1000 })
    expect(current.contents.map(({ key }) => key)).toEqual(keys)
    const versions = await listVersions(parts, { bucket, delimiter: '/', maxEntries: 1000 })
    expect(versions.contents.map(({ key }) => key)).toEqual(keys)
  })

  it('of current objects passes over old versions and delete markers', async () => {
    const region = await openRegion()
    const bucket = await versionedBucket(region)
    for (let version = 0; version < 300; version++) await region.put(bucket, 'b')
    await region.put(bucket, 'a')
    await region.put(bucket, 'c')
    const deletion = { bucketId: bucket.id, ownerId: 'owner' }
    for (let i = 0; i < 100; i++) {
      await region.put(bucket, `gone/${i}`)
      await region.metadata.commit({ tx: 'deleteObject', ...deletion, key: `gone/${i}`, id: region.ids.issue() })
    }
    const { rows, answer } = await countedRead(region, (parts) => listCurrent(parts, { bucket, maxEntries: 3 }))
    expect(answer.contents.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
    expect(rows).toBeLessThanOrEqual(8)
  })

  it('of versions reads what it shows', async () => {
    const region = await openRegion()
    const bucket = await versionedBucket(region)
    for (let version = 0; version < 100; version++) await region.put(bucket, 'key')
    const { rows } = await countedRead(region, (parts) => listVersions(parts, { bucket, maxEntries: 10 }))
    expect(rows).toBe(11)
  })
})

describe('a key with many versions', () => {
  it('is put, read and deleted with the statements of one that has few, none of which scans or sorts', async () => {
    const seen: Statement[] = []
    const region = await openRegion('us-east-1', (statement) => void seen.push(statement))
    const bucket = await versionedBucket(region)
    const ofKey = async (key: string): Promise<readonly string[]> => {
      seen.length = 0
      const { version } = await region.put(bucket, key)
      const { id } = version
      await region.metadata.read(() => watchedSteps(versionById(bucket.id, key, 'null'), (statement) => void seen.push(statement)))
      await region.metadata.commit({ tx: 'deleteObject', bucketId: bucket.id, key, ownerId: 'owner', id: region.ids.issue() })
      await region.metadata.commit({ tx: 'deleteVersion', bucketId: bucket.id, key, versionId: id })
      return seen.map(({ sql }) => sql)
    }
    await ofKey('any')
    for (let version = 0; version < 10; version++) await region.put(bucket, 'warm')
    for (let version = 0; version < 1000; version++) await region.put(bucket, 'hot')
    expect(await ofKey('hot')).toEqual(await ofKey('warm'))
    for (const { sql } of seen) expect(`${sql}: ${region.plan(sql).join('; ')}`).not.toMatch(/SCAN|TEMP B-TREE/)
  })
})
