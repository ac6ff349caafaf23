/** What a pass may cost, in statements: as many as are due, whatever the size of the bucket. `scripts/lifecycle` measures the same at full size. */
import { describe, expect, it } from 'vitest'
import type { Statement } from '../../src/metadata/steps.ts'
import type { LifecycleRule } from '../../src/model/lifecycle.ts'
import { type Aging, openAging } from '../metadata/behaviour/aging.ts'

const others = 1500

/** What the next pass costs; none of its statements scans or sorts. */
async function passCost(aging: Aging, seen: Statement[]): Promise<{ readonly statements: number; readonly onVersions: number }> {
  seen.length = 0
  await aging.pass()
  for (const { sql } of new Set(seen)) expect(`${sql}: ${aging.region.plan(sql).join('; ')}`).not.toMatch(/SCAN (?!\(subquery)|TEMP B-TREE/)
  return { statements: seen.length, onVersions: seen.filter(({ sql }) => sql.includes('versions')).length }
}

async function filled(keys: number, rule: Partial<LifecycleRule>): Promise<{ readonly aging: Aging; readonly seen: Statement[] }> {
  const seen: Statement[] = []
  const aging = await openAging('Enabled', (statement) => void seen.push(statement))
  await aging.rules(rule)
  await Promise.all(Array.from({ length: keys }, (_, i) => aging.put(`due/${i}`)))
  aging.days(2)
  await Promise.all(Array.from({ length: others }, (_, i) => aging.put(`new/${i}`)))
  return { aging, seen }
}

describe('a pass', () => {
  it('costs what is due, and the next one nothing', async () => {
    const { aging, seen } = await filled(20, { Expiration: { Days: 1 } })
    const first = await passCost(aging, seen)
    expect(await aging.region.rows('SELECT count(*) AS count FROM versions WHERE is_marker = 1')).toEqual([{ count: 20 }])
    expect(first.statements).toBeLessThan(12 * 20)
    expect((await passCost(aging, seen)).onVersions).toBe(0)
  })

  it('of a rule for lone markers reads no objects', async () => {
    const { aging, seen } = await filled(20, { Expiration: { ExpiredObjectDeleteMarker: true } })
    await aging.delete('marker')
    aging.days(1)
    const { onVersions } = await passCost(aging, seen)
    expect(await aging.versions('marker')).toEqual([])
    expect(onVersions).toBeLessThan(10)
  })

  it('over a bucket without anything due writes its own row and no more', async () => {
    const { aging, seen } = await filled(0, { Filter: { Prefix: 'due/' }, Expiration: { Days: 100 } })
    expect(await passCost(aging, seen)).toMatchObject({ onVersions: 0 })
    expect(await aging.region.rows('SELECT * FROM lifecycle_marks')).toEqual([])
  })
})
