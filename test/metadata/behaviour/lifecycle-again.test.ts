/** What comes due by something else than time, once the marks have passed it. */
import { describe, expect, it } from 'vitest'
import { versionByOrderedId } from '../../../src/metadata/tables/version-rows.ts'
import { type Aging, dayMs, openAging } from './aging.ts'

const remove = { NoncurrentVersionExpiration: { NoncurrentDays: 2 } }

async function tag(aging: Aging, key: string, value: string): Promise<void> {
  const change = { name: 'tags', value: [{ Key: 'kind', Value: value }] } as const
  await aging.metadata.commit({ tx: 'setAttribute', bucketId: aging.bucket.id, key, stamp: aging.region.ids.issue(), change })
}

describe('what the marks have passed is judged again', () => {
  it('when its tags change so that a rule is for it now', async () => {
    const aging = await openAging()
    await aging.rules({ Filter: { Tag: { Key: 'kind', Value: 'old' } }, Expiration: { Days: 1 } })
    await aging.put('a')
    await aging.put('b')
    aging.days(3)
    await aging.pass()
    await tag(aging, 'a', 'old')
    await tag(aging, 'b', 'new')
    await aging.again()
    expect((await aging.versions('a'))[0]).toBe('marker')
    expect(await aging.versions('b')).toHaveLength(1)
    expect(await aging.region.rows("SELECT key FROM lifecycle_again WHERE id <> ''")).toEqual([])
  })

  it('when it is current again, for what was on top of it is gone', async () => {
    const aging = await openAging()
    await aging.rules({ Expiration: { Days: 2 } })
    const first = await aging.put('key')
    aging.days(1)
    const second = await aging.put('key')
    aging.days(4)
    await aging.rules({ Expiration: { Days: 3 } })
    await aging.pass()
    expect(await aging.versions('key')).toEqual(['marker', second, first])
    const [marker] = await aging.region.rows('SELECT id FROM versions WHERE is_marker = 1')
    await aging.delete('key', String(marker?.['id']))
    expect(await aging.versions('key')).toEqual([second, first])
    await aging.pass()
    expect((await aging.versions('key'))[0]).toBe('marker')
  })

  it('when it arrives late, with a date that the marks have passed', async () => {
    const aging = await openAging()
    await aging.rules({ ...remove, Expiration: { Days: 4 } })
    await aging.receive('key', { lastModifiedMs: aging.clock.nowMs() - 3 * dayMs })
    await aging.receive('single', { lastModifiedMs: aging.clock.nowMs() })
    aging.days(1)
    await aging.pass()
    const old = await aging.receive('late', { lastModifiedMs: aging.clock.nowMs() - 90 * dayMs })
    await aging.pass()
    expect(await aging.versions('late')).toEqual(['marker', old])
  })

  it('when a version arrives late behind others, and shortens the age of the one that it followed', async () => {
    const aging = await openAging()
    await aging.rules(remove)
    const [oldest, middle, newest] = [aging.region.ids.issue(), aging.region.ids.issue(), aging.region.ids.issue()]
    const atMs = aging.clock.nowMs()
    await aging.receive('key', { id: newest, lastModifiedMs: atMs - dayMs })
    await aging.receive('key', { id: oldest, lastModifiedMs: atMs - 9 * dayMs })
    await aging.pass()
    // Its successor came a day ago, as far as is known.
    expect(await aging.versions('key')).toEqual([newest, oldest])
    await aging.receive('key', { id: middle, lastModifiedMs: atMs - 7 * dayMs })
    await aging.receive('other', { lastModifiedMs: atMs })
    expect(await aging.metadata.read(() => versionByOrderedId(aging.bucket.id, 'key', oldest))).toMatchObject({
      sinceMs: atMs - 7 * dayMs,
    })
    await aging.metadata.commit({
      tx: 'applyLifecycle',
      range: { bucketId: aging.bucket.id, scope: 'noncurrent', age: '2', dueUntilMs: atMs - 3 * dayMs },
      configuration: String((await aging.region.rows('SELECT configuration FROM lifecycle_passes'))[0]?.['configuration']),
      dayMs,
      ids: [aging.region.ids.issue()],
    })
    expect(await aging.versions('key')).toEqual([newest, middle])
  })

  it('but not where the bucket has no rules: nothing is noted at all', async () => {
    const aging = await openAging()
    await aging.put('key')
    const id = await aging.put('key')
    await tag(aging, 'key', 'any')
    await aging.delete('key', id)
    await aging.receive('late', { lastModifiedMs: 1000 })
    expect(await aging.region.rows('SELECT * FROM lifecycle_again')).toEqual([])
  })
})

describe('a mark', () => {
  it('lets a pass read only what is new at an age', async () => {
    const aging = await openAging()
    await aging.rules({ Filter: { Prefix: 'logs/' }, Expiration: { Days: 1 } })
    for (let i = 0; i < 300; i++) await aging.put(`data/${i}`)
    aging.days(2)
    await aging.pass()
    const marks = await aging.region.rows('SELECT judged_ms FROM lifecycle_marks')
    expect(marks).toHaveLength(1)
    await aging.pass()
    expect(await aging.region.rows('SELECT judged_ms FROM lifecycle_marks')).toEqual(marks)
    aging.days(1)
    await aging.put('logs/new')
    aging.days(2)
    await aging.pass()
    expect((await aging.versions('logs/new'))[0]).toBe('marker')
  })

  it('is worth nothing under other rules', async () => {
    const aging = await openAging()
    await aging.put('key')
    aging.days(5)
    await aging.rules({ Filter: { Prefix: 'logs/' }, Expiration: { Days: 1 } })
    await aging.pass()
    await aging.rules({ Expiration: { Days: 1 } })
    await aging.pass()
    expect((await aging.versions('key'))[0]).toBe('marker')
  })

  it('is worth nothing when its rules were away meanwhile, not even to a pass that goes on', async () => {
    const aging = await openAging()
    const { metadata, bucket } = aging
    const rules = { Expiration: { Days: 1 } }
    const first = await aging.put('key')
    aging.days(1)
    await aging.put('key')
    await aging.rules(rules)
    aging.days(0.2)
    await aging.pass()
    const [pass] = await aging.region.rows('SELECT configuration FROM lifecycle_passes')
    await metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'lifecycle', value: null })
    await aging.delete('key', (await aging.versions('key'))[0])
    await aging.rules(rules)
    const range = { bucketId: bucket.id, scope: 'current', age: '1', dueUntilMs: aging.clock.nowMs() } as const
    const old = { tx: 'applyLifecycle', range, configuration: String(pass?.['configuration']), dayMs } as const
    expect(await metadata.commit({ ...old, ids: [aging.region.ids.issue()] })).toEqual({ state: 'stale' })
    expect(await aging.versions('key')).toEqual([first])
    aging.days(1)
    await aging.pass()
    expect(await aging.versions('key')).toEqual(['marker', first])
  })

  it('goes back with the clock, so that nothing is left out when that goes on', async () => {
    const aging = await openAging()
    await aging.rules({ Expiration: { Days: 1 } })
    aging.days(30)
    await aging.put('first')
    aging.days(2)
    await aging.pass()
    aging.days(-20)
    const id = await aging.put('key')
    await aging.pass()
    expect(await aging.versions('key')).toEqual([id])
    aging.days(2)
    await aging.pass()
    expect((await aging.versions('key'))[0]).toBe('marker')
  })
})

describe('the time from which lifecycle counts', () => {
  it('is that of the version which took its place, whatever the order in which they arrive', async () => {
    const aging = await openAging()
    const ids = Array.from({ length: 6 }, () => aging.region.ids.issue())
    const dateOf = (i: number): number => aging.clock.nowMs() - (10 - i) * dayMs
    for (const order of [
      [0, 1, 2, 3, 4, 5],
      [5, 4, 3, 2, 1, 0],
      [2, 5, 0, 4, 1, 3],
      [3, 0, 5, 1, 4, 2],
    ]) {
      const key = order.join('')
      for (const i of order) await aging.receive(key, { id: ids[i] ?? '', lastModifiedMs: dateOf(i) })
      const rows = await aging.region.rows('SELECT since_ms, is_latest FROM versions WHERE key = ?1 ORDER BY id DESC', key)
      const wanted = ids.map((_, i) => ({ since_ms: dateOf(Math.min(i + 1, 5)), is_latest: i === 5 ? 1 : 0 }))
      expect(rows).toEqual(wanted)
    }
  })

  it('is its own again when it is current again', async () => {
    const aging = await openAging()
    const firstMs = aging.clock.nowMs()
    const first = await aging.put('key')
    aging.days(1)
    const second = await aging.put('key')
    const sinceOf = async () => (await aging.metadata.read(() => versionByOrderedId(aging.bucket.id, 'key', first)))?.sinceMs
    expect(await sinceOf()).toBe(firstMs + dayMs)
    await aging.delete('key', second)
    expect(await sinceOf()).toBe(firstMs)
  })
})
