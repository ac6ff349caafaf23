/** After any history, what the tables promise each other must hold. The history is random; its seed is printed and can be given again. */
import { describe, expect, it } from 'vitest'
import type { Settlement } from '../../../src/metadata/tables/settlements.ts'
import type { Bucket } from '../../../src/model/bucket.ts'
import { openRegion, type Region, replicationTo } from './region.ts'

const steps = 1500

describe('the tables after a random history', () => {
  it('keep latest marks, ready marks, counters, statuses and garbage true', { timeout: 120_000 }, async () => {
    const seed = Number(process.env['FARSHORE_TEST_SEED'] ?? Date.now() % 1_000_000)
    process.stdout.write(`seed ${seed}: FARSHORE_TEST_SEED=${seed} repeats this history\n`)
    const random = mulberry32(seed)
    const region = await openRegion()
    const bucket = await region.bucket('random')
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
    await region.metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'replication', value: replicationTo('one', 'two') })
    for (let step = 0; step < steps; step++) {
      await act(region, bucket, random)
      if (step % 100 === 99) await checkInvariants(region)
    }
    await checkInvariants(region)
    const [tasks] = await region.rows('SELECT count(*) AS n FROM tasks')
    expect(Number(tasks?.['n'])).toBeGreaterThan(0)
  })
})

async function act(region: Region, bucket: Bucket, random: () => number): Promise<void> {
  const key = `key-${Math.floor(random() * 12)}`
  const dice = random()
  if (dice < 0.3) {
    await region.put(bucket, key, { size: Math.floor(random() * 1000) })
  } else if (dice < 0.38) {
    await region.metadata.commit({ tx: 'deleteObject', bucketId: bucket.id, key, id: region.ids.issue(), ownerId: 'o' })
  } else if (dice < 0.5) {
    const version = await pick(region, random, 'SELECT key, id FROM versions')
    if (version === undefined) return
    await region.metadata.commit({
      tx: 'deleteVersion',
      bucketId: bucket.id,
      key: String(version['key']),
      versionId: String(version['id']),
    })
  } else if (dice < 0.65) {
    const version = await pick(region, random, 'SELECT key, id FROM versions WHERE is_marker = 0')
    if (version === undefined) return
    await region.metadata.commit({
      tx: 'setAttribute',
      bucketId: bucket.id,
      key: String(version['key']),
      versionId: String(version['id']),
      stamp: region.ids.issue(),
      change: { name: 'tags', value: [{ Key: 'k', Value: String(random()) }] },
    })
  } else if (dice < 0.98) {
    await settleSome(region, random)
  } else {
    await region.metadata.commit({ tx: 'redriveFailed', bucketId: bucket.id, limit: 100 })
  }
}

async function settleSome(region: Region, random: () => number): Promise<void> {
  const rows = await region.rows(`SELECT * FROM tasks WHERE ready IS NOT NULL OR state = 'failed' ORDER BY ready LIMIT 5`)
  const settlements = rows.map((row): Settlement => {
    const dice = random()
    const fault = { reason: 'DstUnreachable', message: 'away', nextAttemptMs: 1 }
    return {
      bucketId: String(row['bucket_id']),
      key: String(row['key']),
      versionId: String(row['version_id']),
      destination: String(row['destination']),
      // Now and then a settlement of what was sent before the version changed again.
      revision: Number(row['revision']) - (random() < 0.15 ? 1 : 0),
      outcome:
        dice < 0.6
          ? { kind: 'completed' }
          : dice < 0.8
            ? { kind: 'failed', ...fault }
            : { kind: 'retry', ...fault, needsContent: dice < 0.85 },
    }
  })
  if (settlements.length > 0) await region.metadata.commit({ tx: 'settle', settlements })
}

async function checkInvariants(region: Region): Promise<void> {
  const none = async (promise: string, sql: string): Promise<void> => expect(await region.rows(sql), promise).toEqual([])
  await none(
    'the newest version of a key, and only it, is the latest',
    `SELECT key, id FROM versions AS v WHERE is_latest <>
       (id = (SELECT min(id) FROM versions AS o WHERE o.bucket_id = v.bucket_id AND o.key = v.key))`,
  )
  await none(
    'of the waiting tasks of a key at a destination exactly one is ready',
    `SELECT destination, bucket_id, key FROM tasks WHERE state = 'waiting'
     GROUP BY destination, bucket_id, key HAVING count(ready) <> 1`,
  )
  await none('a failed task holds no ready mark', `SELECT key FROM tasks WHERE state = 'failed' AND ready IS NOT NULL`)
  await none(
    'counters are what a full count gives',
    `SELECT * FROM (
       SELECT l.bucket_id, l.destination, l.rule_id, pending_operations, pending_bytes, failed,
         (SELECT count(*) FROM tasks t WHERE t.bucket_id = l.bucket_id AND t.destination = l.destination AND t.rule_id = l.rule_id AND t.state = 'waiting') AS operations,
         (SELECT coalesce(sum(content_bytes), 0) FROM tasks t WHERE t.bucket_id = l.bucket_id AND t.destination = l.destination AND t.rule_id = l.rule_id AND t.state = 'waiting') AS bytes,
         (SELECT count(*) FROM tasks t WHERE t.bucket_id = l.bucket_id AND t.destination = l.destination AND t.rule_id = l.rule_id AND t.state = 'failed') AS failures
       FROM links l) WHERE pending_operations <> operations OR pending_bytes <> bytes OR failed <> failures`,
  )
  await none(
    'every task has a version',
    `SELECT t.key FROM tasks t LEFT JOIN versions v ON v.bucket_id = t.bucket_id AND v.key = t.key AND v.id = t.version_id WHERE v.id IS NULL`,
  )
  await none('no blob is both freed and referred to', 'SELECT g.blob FROM garbage g JOIN versions v ON v.blob = g.blob')
  await none(
    'a version is PENDING or FAILED at a destination exactly when a task says so',
    `SELECT v.key, v.id, d.key AS destination, json_extract(d.value, '$.status') AS status, t.state
     FROM versions v, json_each(v.replication, '$.destinations') d
     LEFT JOIN tasks t ON t.bucket_id = v.bucket_id AND t.key = v.key AND t.version_id = v.id AND t.destination_name = d.key
     WHERE json_extract(d.value, '$.status') <> CASE t.state WHEN 'waiting' THEN 'PENDING' WHEN 'failed' THEN 'FAILED' ELSE 'COMPLETED' END`,
  )
}

async function pick(region: Region, random: () => number, sql: string): Promise<Record<string, unknown> | undefined> {
  const rows = await region.rows(sql)
  return rows[Math.floor(random() * rows.length)]
}

/** A small repeatable source of chance: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
