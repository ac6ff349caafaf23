import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { newestVersion } from '../../src/metadata/tables/version-rows.ts'
import type { Bucket } from '../../src/model/bucket.ts'
import { rulesOf } from '../metadata/behaviour/aging.ts'
import { newVersion } from '../metadata/behaviour/region.ts'
import { openSpace } from './aging-space.ts'

it('a bucket whose rows cannot be read holds up no other, and says why', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'farshore-lifecycle-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const first = await openSpace(folder)
  for (const name of ['broken', 'whole']) {
    const bucket = { id: name, name: `bucket-${name}`, region: 'us-east-1', ownerId: 'owner', createdMs: 1 }
    const settings = { lifecycle: rulesOf({ Expiration: { Days: 1 } }) }
    const change = { kind: 'createBucket', bucket, settings } as const
    await first.metadata.commit({ tx: 'appendControl', selfRegion: 'us-east-1', requestId: name, change })
    const version = newVersion(bucket as Bucket, 'key', { id: `${name[0]}`.padEnd(32, '0') })
    await first.metadata.commit({ tx: 'putVersion', version })
  }
  await first.metadata.close()
  const database = new Database(join(folder, 'metadata', 'metadata.db'))
  database.exec("UPDATE versions SET since_ms = 1000, modified_ms = 1000; UPDATE versions SET record = '{' WHERE bucket_id = 'broken'")
  database.close()

  const { metadata, engine, warnings } = await openSpace(folder)
  onTestFinished(() => metadata.close())
  const { signal } = new AbortController()
  while ((await engine.work(signal)) === 'busy');
  expect(await metadata.read(() => newestVersion('whole', 'key'))).toBeUndefined()
  expect(engine.failureOf('broken')).toMatchObject({ reason: expect.stringContaining('JSON'), untilMs: expect.any(Number) })
  expect(engine.failureOf('whole')).toBeUndefined()
  expect(warnings).toEqual([expect.stringContaining('bucket-broken')])
})
