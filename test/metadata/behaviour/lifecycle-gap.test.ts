/** What changes while a bucket has other rules, or none, and what a clock that steps back leaves behind the marks. */
import { describe, expect, it } from 'vitest'
import { rangesOf } from '../../../src/lifecycle/pass.ts'
import { withMarkerIds } from '../../../src/lifecycle/propose.ts'
import { bucketById } from '../../../src/metadata/tables/buckets.ts'
import { type AgeRange, configurationName } from '../../../src/metadata/tables/lifecycle-marks.ts'
import { type Aging, dayMs, openAging } from './aging.ts'

const ofOld = { Filter: { Tag: { Key: 'kind', Value: 'old' } }, Expiration: { Days: 1 } }

async function tag(aging: Aging, key: string, value: string): Promise<void> {
  const change = { name: 'tags', value: [{ Key: 'kind', Value: value }] } as const
  await aging.metadata.commit({ tx: 'setAttribute', bucketId: aging.bucket.id, key, stamp: aging.region.ids.issue(), change })
}

async function firstRange(aging: Aging): Promise<{ readonly range: AgeRange; readonly configuration: string }> {
  const bucket = await aging.metadata.read(() => bucketById(aging.bucket.id))
  const rules = bucket?.settings.lifecycle
  if (bucket === undefined || rules === undefined) throw new Error('the bucket has no rules')
  const [range] = rangesOf({ bucket, rules }, { nowMs: aging.clock.nowMs(), dayMs })
  if (range === undefined) throw new Error('nothing can be due')
  return { range, configuration: configurationName(rules) }
}

describe('rules that were put anew', () => {
  it('judge what changed while there were none, though they are the same', async () => {
    const aging = await openAging()
    await aging.rules(ofOld)
    await aging.put('a')
    aging.days(3)
    await aging.pass()
    await aging.metadata.commit({ tx: 'setBucketSetting', bucketId: aging.bucket.id, name: 'lifecycle', value: null })
    await tag(aging, 'a', 'old')
    await aging.rules(ofOld)
    aging.days(1)
    await aging.pass()
    await aging.again()
    expect((await aging.versions('a'))[0]).toBe('marker')
  })

  it('judge what changed while there were others', async () => {
    const aging = await openAging()
    await aging.rules(ofOld)
    await aging.put('a')
    aging.days(3)
    await aging.pass()
    await aging.rules({ Expiration: { Days: 300 } })
    await tag(aging, 'a', 'old')
    await aging.rules(ofOld)
    aging.days(1)
    await aging.pass()
    await aging.again()
    expect((await aging.versions('a'))[0]).toBe('marker')
  })

  it('end a pass that was on its way when they were put, for it would go on behind what changed', async () => {
    const aging = await openAging()
    await aging.rules(ofOld)
    await aging.put('a')
    aging.days(3)
    const { range, configuration } = await firstRange(aging)
    const after = { sinceMs: aging.clock.nowMs() - 2 * dayMs, key: 'a', id: '' }
    const step = () =>
      withMarkerIds(aging.region.ids, (ids) => aging.metadata.commit({ tx: 'applyLifecycle', range, configuration, after, dayMs, ...ids }))
    await aging.pass()
    expect(await step()).not.toMatchObject({ state: 'stale' })
    await aging.rules(ofOld)
    expect(await step()).not.toMatchObject({ state: 'stale' })
    await aging.rules({ Expiration: { Days: 300 } })
    await aging.rules(ofOld)
    expect(await step()).toEqual({ state: 'stale' })
  })
})

describe('a clock that steps back at midnight', () => {
  it('takes no mark beyond what was due', async () => {
    const aging = await openAging()
    await aging.rules({ Expiration: { Days: 1 } })
    await aging.put('a')
    aging.days(1.5)
    // It is midnight: the object is due now, and a second ago it was not.
    const { range, configuration } = await firstRange(aging)
    aging.days(-1 / 86_400)
    await withMarkerIds(aging.region.ids, (ids) => aging.metadata.commit({ tx: 'applyLifecycle', range, configuration, dayMs, ...ids }))
    expect(await aging.versions('a')).toHaveLength(1)
    aging.days(1)
    await aging.pass()
    expect((await aging.versions('a'))[0]).toBe('marker')
  })
})

it('a key that changed after it was read for judging is judged once more', async () => {
  const aging = await openAging()
  await aging.rules({ NoncurrentVersionExpiration: { NoncurrentDays: 2, NewerNoncurrentVersions: 1 } })
  for (let i = 0; i < 2; i++) await aging.put('key')
  const noted = () => aging.region.rows("SELECT seq FROM lifecycle_again WHERE id = ''")
  const judge = (seq: number) =>
    withMarkerIds(aging.region.ids, (ids) =>
      aging.metadata.commit({ tx: 'applyLifecycleToKey', bucketId: aging.bucket.id, key: 'key', seq, dayMs, ...ids }),
    )
  const [before] = await noted()
  await aging.put('key')
  await judge(Number(before?.['seq']))
  const [after] = await noted()
  expect(after).toBeDefined()
  await judge(Number(after?.['seq']))
  expect(await noted()).toEqual([])
})
