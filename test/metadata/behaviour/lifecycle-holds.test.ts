import { describe, expect, it } from 'vitest'
import type { SettlementOutcome } from '../../../src/metadata/tables/settlements.ts'
import { newestVersion } from '../../../src/metadata/tables/version-rows.ts'
import { type Aging, dayMs, openAging } from './aging.ts'
import { replicationTo } from './region.ts'

const hourMs = dayMs / 24
const retention = (id: string, mode: 'GOVERNANCE' | 'COMPLIANCE', untilMs: number) => ({
  retention: { stamp: id, value: { mode, untilMs } },
})

/** A bucket that replicates, with one version that is due to expire. */
async function pending(): Promise<{ aging: Aging; id: string; settle(outcome: SettlementOutcome): Promise<void> }> {
  const aging = await openAging()
  const { metadata, bucket } = aging
  await metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'replication', value: replicationTo('far') })
  const id = await aging.put('key')
  await aging.rules({ Expiration: { Days: 1 } })
  aging.days(2)
  return {
    aging,
    id,
    async settle(outcome) {
      const [row] = await aging.region.rows('SELECT revision FROM tasks WHERE version_id = ?1', id)
      const task = { bucketId: bucket.id, key: 'key', versionId: id, destination: 'id-far' }
      await metadata.commit({ tx: 'settle', settlements: [{ ...task, revision: Number(row?.['revision']), outcome }] })
    },
  }
}

describe('a version that is due', () => {
  it('is left alone while its replication is pending, and goes when that is over', async () => {
    const { aging, id, settle } = await pending()
    await aging.pass()
    expect(await aging.held()).toEqual([{ key: 'key', due_ms: aging.clock.nowMs() + hourMs, reason: 'replication pending' }])
    await aging.again()
    expect(await aging.versions('key')).toEqual([id])
    await settle({ kind: 'completed' })
    await aging.again()
    expect(await aging.versions('key')).toEqual(['marker', id])
    expect(await aging.held()).toEqual([])
  })

  it('is left alone while its replication has failed, and looked at again every hour', async () => {
    const { aging, id, settle } = await pending()
    await settle({ kind: 'failed', reason: 'DstBucketNotFound', message: '', nextAttemptMs: Number.MAX_SAFE_INTEGER })
    await aging.pass()
    expect(await aging.held()).toMatchObject([{ reason: 'replication failed' }])
    aging.days(1 / 24)
    await aging.again()
    expect(await aging.held()).toEqual([{ key: 'key', due_ms: aging.clock.nowMs() + hourMs, reason: 'replication failed' }])
    expect(await aging.versions('key')).toEqual([id])
  })

  it('is not removed when it was overwritten while it was held back', async () => {
    const { aging, id, settle } = await pending()
    await aging.pass()
    const next = await aging.put('key')
    await settle({ kind: 'completed' })
    await aging.again()
    expect(await aging.versions('key')).toEqual([next, id])
    expect(await aging.held()).toEqual([])
  })

  it.each(['GOVERNANCE', 'COMPLIANCE'] as const)('stays until its %s retention is over', async (mode) => {
    const aging = await openAging()
    await aging.lock()
    await aging.rules({ NoncurrentVersionExpiration: { NoncurrentDays: 1 } })
    const untilMs = aging.clock.nowMs() + 5 * dayMs
    const locked = await aging.put('key', retention('0', mode, untilMs))
    const current = await aging.put('key')
    aging.days(3)
    await aging.pass()
    expect(await aging.versions('key')).toEqual([current, locked])
    expect(await aging.held()).toEqual([{ key: 'key', due_ms: untilMs, reason: 'retention' }])
    aging.days(1.9)
    await aging.again()
    expect(await aging.versions('key')).toEqual([current, locked])
    aging.days(0.1)
    await aging.again()
    expect(await aging.versions('key')).toEqual([current])
  })

  it('stays as long as it has a legal hold, and when nobody can read its lock', async () => {
    const aging = await openAging()
    await aging.lock()
    await aging.rules({ NoncurrentVersionExpiration: { NoncurrentDays: 1 } })
    await aging.put('held', { legalHold: { stamp: '0', value: true } })
    await aging.put('strange', { retention: { stamp: '0', value: { mode: 'NONE', untilMs: 0 } as never } }) // no such mode
    await aging.put('free', { legalHold: { stamp: '0', value: false } })
    for (const key of ['held', 'strange', 'free']) await aging.put(key)
    aging.days(3)
    await aging.pass()
    const due_ms = aging.clock.nowMs() + dayMs
    expect(await aging.held()).toEqual([
      { key: 'held', due_ms, reason: 'legal hold' },
      { key: 'strange', due_ms, reason: 'unreadable lock' },
    ])
    expect(await aging.versions('held')).toHaveLength(2)
    expect(await aging.versions('free')).toHaveLength(1)
    aging.days(1)
    await aging.again()
    expect(await aging.versions('held')).toHaveLength(2)
  })

  it('goes at once when its hold is released', async () => {
    const aging = await openAging()
    await aging.lock()
    await aging.rules({ NoncurrentVersionExpiration: { NoncurrentDays: 1 } })
    const versionId = await aging.put('key', { legalHold: { stamp: '0', value: true } })
    const current = await aging.put('key')
    aging.days(3)
    await aging.pass()
    const { metadata, bucket, region } = aging
    const change = { name: 'legalHold', value: false } as const
    await metadata.commit({ tx: 'setAttribute', bucketId: bucket.id, key: 'key', versionId, stamp: region.ids.issue(), change })
    await aging.again()
    expect(await aging.versions('key')).toEqual([current])
  })

  it('gets its marker and moves to another class though it is locked: it stays what it is', async () => {
    const aging = await openAging()
    await aging.lock()
    const untilMs = aging.clock.nowMs() + 1000 * dayMs
    const expired = await aging.put('expired/key', retention('0', 'COMPLIANCE', untilMs))
    await aging.put('moved/key', retention('0', 'COMPLIANCE', untilMs))
    await aging.rules(
      { Filter: { Prefix: 'expired/' }, Expiration: { Days: 1 } },
      { Filter: { Prefix: 'moved/' }, Transition: [{ Days: 1, StorageClass: 'GLACIER' }] },
    )
    aging.days(2)
    await aging.pass()
    expect(await aging.versions('expired/key')).toEqual(['marker', expired])
    expect(await aging.region.rows('SELECT key FROM moves')).toEqual([{ key: 'moved/key' }])
    expect(await aging.held()).toEqual([])
  })

  it('is left alone under rules that were put after the pass over it began', async () => {
    const aging = await openAging()
    const id = await aging.put('key')
    await aging.rules({ Expiration: { Days: 1 } })
    aging.days(2)
    const range = { bucketId: aging.bucket.id, scope: 'current', age: '1', dueUntilMs: aging.clock.nowMs() } as const
    const old = { tx: 'applyLifecycle', range, configuration: 'another', dayMs, ids: [aging.region.ids.issue()] } as const
    expect(await aging.metadata.commit(old)).toEqual({ state: 'stale' })
    expect(await aging.versions('key')).toEqual([id])
    expect(await aging.region.rows('SELECT * FROM lifecycle_marks')).toEqual([])
  })

  it('is left alone in a bucket that is about to go, and nothing is remembered of one that is gone', async () => {
    const aging = await openAging()
    const { metadata, bucket } = aging
    await aging.lock()
    await aging.rules({ Expiration: { Days: 1 } })
    const id = await aging.put('key', { legalHold: { stamp: '0', value: true } })
    aging.days(2)
    await aging.pass()
    await metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'lifecycle', value: null })
    expect(await metadata.commit({ tx: 'forgetLifecycle', bucketId: bucket.id, limit: 10 })).toEqual({ isMore: false })
    for (const table of ['lifecycle_marks', 'lifecycle_again', 'lifecycle_passes'])
      expect(await aging.region.rows(`SELECT * FROM ${table}`)).toEqual([])
    expect(await aging.versions('key')).toEqual(['marker', id])
    expect(await metadata.read(() => newestVersion(bucket.id, 'key'))).toMatchObject({ isDeleteMarker: true })
  })
})
