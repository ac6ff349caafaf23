/** A thousand rules: what one transaction may take of the thread. */
import { expect, it } from 'vitest'
import { withMarkerIds } from '../../../src/lifecycle/propose.ts'
import { configurationName } from '../../../src/metadata/tables/lifecycle-marks.ts'
import { dayMs, openAging, rulesOf } from './aging.ts'

const versions = 64

it('of a thousand rules each transaction asks some thousands, and the pass comes to its end', async () => {
  const aging = await openAging()
  const rules = Array.from({ length: 1000 }, (_, i) => ({ Filter: { Prefix: i === 999 ? '' : `other-${i}` }, Expiration: { Days: 1 } }))
  await aging.rules(...rules)
  for (let i = 0; i < versions; i++) await aging.put(`key-${String(i).padStart(2, '0')}`)
  aging.days(3)
  const configuration = configurationName(rulesOf(...rules))
  const range = { bucketId: aging.bucket.id, scope: 'current', age: '1', dueUntilMs: aging.clock.nowMs() - dayMs } as const
  await aging.metadata.commit({ tx: 'beginLifecyclePass', bucketId: aging.bucket.id, configuration, dueMs: aging.clock.nowMs() })
  await withMarkerIds(aging.region.ids, (ids) => aging.metadata.commit({ tx: 'applyLifecycle', range, configuration, dayMs, ...ids }))
  const markers = async (): Promise<number> => (await aging.region.rows('SELECT 1 FROM versions WHERE is_marker = 1')).length
  const first = await markers()
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThanOrEqual(8)
  await aging.pass()
  expect(await markers()).toBe(versions)
})
