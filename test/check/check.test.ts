import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkRegion } from '../../src/check/check-region.ts'
import type { RegionReport } from '../../src/check/report.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { Bucket } from '../../src/model/bucket.ts'
import { contentOf } from '../../src/objects/content.ts'
import { replicationTo } from '../metadata/behaviour/region.ts'
import { bytesFor, drain, masterKey, never, once, openSpace, ownFolder, type Space, standingBucket } from '../objects/space.ts'

const KiB = 1024

let filled = ''
beforeAll(async () => {
  filled = await mkdtemp(join(tmpdir(), 'farshore-check-'))
  await fillFolder(filled)
})
afterAll(() => rm(filled, { recursive: true }))

/** A region with something of everything, closed, for one test. */
async function filledFolder(): Promise<string> {
  const folder = await ownFolder()
  await cp(filled, folder, { recursive: true })
  return folder
}

async function fillFolder(folder: string): Promise<void> {
  const space = await openSpace({ folder })
  const plain = await space.bucket('plain')
  await space.put(plain, 'small', bytesFor('small', 5000))
  await space.put(plain, 'sealed', bytesFor('sealed', 5000), { isEncrypted: true })
  await space.put(plain, 'large', bytesFor('large', 300 * KiB))
  await space.put(plain, 'empty', Buffer.alloc(0))
  await space.put(plain, 'gone', bytesFor('gone', 100))
  await space.objects.delete({ bucket: plain, key: 'gone', ownerId: 'owner' })
  await putParts(space, plain, { key: 'parts', isCompleted: true })
  await putParts(space, plain, { key: 'open', isCompleted: false })
  await fillReplicating(space)
  await drain(space.reclaim)
  await space.close()
}

async function fillReplicating(space: Space): Promise<void> {
  const { id: bucketId } = await space.bucket('sends')
  await space.metadata.commit({ tx: 'setVersioning', bucketId, versioning: 'Enabled' })
  await space.metadata.commit({ tx: 'setBucketSetting', bucketId, name: 'replication', value: replicationTo('far') })
  const sends = await standingBucket(space.metadata, 'sends')
  for (const value of ['one', 'two', 'three']) await space.put(sends, 'key', bytesFor(value, 1000))
  await space.put(sends, 'other', bytesFor('other', 1000))
  await space.objects.delete({ bucket: sends, key: 'marked', ownerId: 'owner' })
}

async function putParts(space: Space, bucket: Bucket, { key, isCompleted }: { key: string; isCompleted: boolean }): Promise<void> {
  const attributes = { ownerId: 'owner', storageClass: 'STANDARD', system: { contentType: 'x' }, user: [], tags: [], acl: [] } as const
  const checksum = { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', isGiven: false } as const
  const { uploadId } = await space.objects.createUpload({ bucket, key, attributes, checksum })
  const chosen = []
  for (const [index, bytes] of [bytesFor('first', 5 * 1024 * KiB), bytesFor('last', 20 * KiB)].entries()) {
    const source = contentOf(bytes.length, once(bytes))
    const { part } = await space.objects.putPart({ bucket, key, uploadId, number: index + 1, claims: {}, signal: never }, source)
    chosen.push({ PartNumber: part.number, ETag: part.etag, checksums: [] })
  }
  if (isCompleted) await space.objects.completeUpload({ bucket, key, uploadId, chosen })
}

const check = (folder: string, key: Buffer | undefined = masterKey): Promise<RegionReport> =>
  checkRegion({ dataDirectory: folder, masterKey: key }, { clock: systemClock, signal: never })

function change(folder: string, sql: string): void {
  const database = new Database(join(folder, 'metadata', 'metadata.db'))
  database.exec(sql)
  database.close()
}

/** Changes one byte of a file in the blob folders. */
function flip(folder: string, { kind, at }: { kind: 'segments' | 'files'; at: number }): void {
  const files = readdirSync(join(folder, 'blobs', kind), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const [file] = files.map((entry) => join(entry.parentPath, entry.name))
  if (file === undefined) throw new Error(`there are no ${kind}`)
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(file, bytes)
}

describe('a check', () => {
  it('finds nothing in a sound region, and says how much it looked at', async () => {
    const report = await check(await filledFolder())
    expect(report).toMatchObject({ region: 'us-east-1', findings: [], unlisted: 0 })
    expect(report.checked).toMatchObject({ buckets: 2, versions: 10, parts: 4, tasks: 5, links: 1, controlRows: 2, freedBlobs: 0 })
    expect(report.checked.bytes).toBeGreaterThan(5 * 1024 * KiB)
  })

  const where = (key: string): string => `bucket_id = (SELECT id FROM buckets WHERE name = 'sends') AND key = '${key}'`
  it.each([
    ['a record whose bytes changed', 'content', (folder: string) => flip(folder, { kind: 'segments', at: 100 })],
    ['a file whose bytes changed', 'content', (folder: string) => flip(folder, { kind: 'files', at: 100 })],
    ['files that are gone', 'content', (folder: string) => rmSync(join(folder, 'blobs', 'files'), { recursive: true })],
    ['an ETag that is another', 'content', `UPDATE versions SET etag = '${'0'.repeat(32)}' WHERE key = 'small'`],
    [
      'a checksum that is another',
      'content',
      `UPDATE versions SET record = replace(record, '"value":"', '"value":"AA') WHERE key = 'large'`,
    ],
    [
      'a part of an open upload that is another',
      'content',
      `UPDATE parts SET etag = '${'0'.repeat(32)}' WHERE blob_set IN (SELECT id FROM uploads WHERE state = 'open')`,
    ],
    ['a part that is missing', 'version', `DELETE FROM parts WHERE number = 1 AND blob_set IN (SELECT blob_set FROM versions)`],
    ['parts of nothing', 'parts', `UPDATE parts SET blob_set = 'nobody' WHERE blob_set IN (SELECT id FROM uploads WHERE state = 'open')`],
    ['two rows with one blob', 'blob', `UPDATE versions SET blob = (SELECT blob FROM versions WHERE key = 'small') WHERE key = 'empty'`],
    ['a freed blob that a row refers to', 'blob', `INSERT INTO garbage (blob, seq) SELECT blob, 1 FROM versions WHERE key = 'small'`],
    ['a latest version that is not marked', 'latest', `UPDATE versions SET is_latest = 0 WHERE key = 'small'`],
    ['two latest versions', 'latest', `UPDATE versions SET is_latest = 1 WHERE ${where('key')}`],
    ['an age that counts from another time', 'latest', `UPDATE versions SET since_ms = since_ms + 1 WHERE key = 'small'`],
    ['a version without content', 'version', `UPDATE versions SET blob = NULL WHERE key = 'small'`],
    ['a retention that cannot be read', 'version', `UPDATE versions SET record = json_set(record, '$.retention', 1) WHERE key = 'small'`],
    ['a hold that cannot be read', 'version', `UPDATE versions SET record = json_set(record, '$.legalHold', 1) WHERE key = 'small'`],
    ['a task that is gone', 'status', `DELETE FROM tasks WHERE ${where('other')}`],
    [
      'a status that was never settled',
      'status',
      `UPDATE versions SET replication = replace(replication, 'PENDING', 'COMPLETED') WHERE ${where('other')}`,
    ],
    ['a task of nothing', 'task', `UPDATE tasks SET key = 'nobody' WHERE ${where('other')}`],
    ['a key without a ready task', 'task', `UPDATE tasks SET ready = NULL WHERE ${where('key')}`],
    ['a key with two ready tasks', 'task', `UPDATE tasks SET ready = 1 WHERE ${where('key')}`],
    ['pending operations miscounted', 'counter', `UPDATE links SET pending_operations = pending_operations + 1`],
    ['pending bytes miscounted', 'counter', `UPDATE links SET pending_bytes = 0`],
    ['failed operations miscounted', 'counter', `UPDATE links SET failed = 1`],
    ['a row of the control log that was changed', 'control-log', `UPDATE control_log SET time_ms = 1 WHERE position = 1`],
    ['a row of the control log that is gone', 'control-log', `DELETE FROM control_log WHERE position = 1`],
    ['a bucket that nobody named', 'bucket', `DELETE FROM names WHERE name = 'plain'`],
    [
      'a bucket that is gone',
      'bucket',
      `INSERT INTO names (name, id, region, owner_id, created_ms, seq) VALUES ('lost', 'lost-id', 'us-east-1', 'owner', 1, 1)`,
    ],
  ] as const)('finds %s', async (_, kind, how) => {
    const folder = await filledFolder()
    if (typeof how === 'string') change(folder, how)
    else how(folder)
    const { findings } = await check(folder)
    expect(findings.map((finding) => finding.kind)).toContain(kind)
  })

  it('names bucket, key and version of what it finds', async () => {
    const folder = await filledFolder()
    change(folder, `UPDATE versions SET etag = '${'0'.repeat(32)}' WHERE key = 'small'`)
    const { findings } = await check(folder)
    expect(findings).toEqual([
      { kind: 'content', bucket: 'plain', key: 'small', versionId: 'null', what: 'its bytes do not have the MD5 that its ETag says' },
    ])
  })

  it('says that the master key is missing, and what cannot be read without it', async () => {
    const { findings } = await check(await filledFolder(), Buffer.alloc(32, 8))
    expect(findings.map(({ kind, key }) => [kind, key])).toEqual([
      ['master-key', null],
      ['content', 'sealed'],
    ])
  })

  it('finds nothing wrong in a region that writes, deletes, completes uploads and compacts meanwhile', async () => {
    const space = await openSpace({ folder: await ownFolder() })
    try {
      const bucket = await space.bucket('busy')
      await fillReplicating(space)
      space.run(space.reclaim)
      let isOver = false
      const load = async (writer: number): Promise<void> => {
        for (let n = 0; !isOver; n++) {
          const key = `k${writer}-${n % 40}`
          await space.put(bucket, key, bytesFor(`${key} ${n}`, 12 * KiB), { isEncrypted: n % 2 === 0 })
          if (n % 3 === 0) await space.objects.delete({ bucket, key, ownerId: 'owner' })
          if (n % 50 === 0) await putParts(space, bucket, { key: `parts-${writer}`, isCompleted: true })
        }
      }
      const compacting = async (): Promise<void> => {
        while (!isOver) if ((await space.compaction.work(never)) === 'idle') await new Promise((resolve) => setImmediate(resolve))
      }
      const working = Promise.all([...Array.from({ length: 4 }, (_, writer) => load(writer)), compacting()])
      const moved = () => Number(space.compaction.status()['movedBytes'])
      const untilMs = performance.now() + 20_000
      for (let round = 0; (round < 8 || moved() < 200 * KiB) && performance.now() < untilMs; round++) {
        const { findings, checked } = await check(space.folder)
        expect(findings).toEqual([])
        expect(checked.versions).toBeGreaterThan(0)
      }
      isOver = true
      await working
      expect(moved()).toBeGreaterThan(200 * KiB)
    } finally {
      await space.close()
    }
  })
})
