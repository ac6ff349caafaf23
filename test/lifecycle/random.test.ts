/** Random histories: whatever happens to a bucket, after a pass nothing is left that is due, as one finds who reads every version; and nothing else is gone. */
import { describe, expect, it } from 'vitest'
import { previewPage } from '../../src/lifecycle/preview.ts'
import { bucketById } from '../../src/metadata/tables/buckets.ts'
import { Judge } from '../../src/metadata/tables/lifecycle-judge.ts'
import { configurationName } from '../../src/metadata/tables/lifecycle-marks.ts'
import { versionsAfter } from '../../src/metadata/tables/version-rows.ts'
import type { LifecycleRule } from '../../src/model/lifecycle.ts'
import type { ObjectVersion } from '../../src/model/version.ts'
import { type Aging, dayMs, openAging } from '../metadata/behaviour/aging.ts'

const histories = 12
const steps = 120
const keys = ['a', 'b', 'logs/a', 'logs/b']

type Random = () => number

function randomFrom(seed: number): Random {
  let state = seed
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32
  }
}

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T // never empty

const ruleSets: readonly (readonly Partial<LifecycleRule>[])[] = [
  [{ NoncurrentVersionExpiration: { NoncurrentDays: 2, NewerNoncurrentVersions: 2 }, Expiration: { ExpiredObjectDeleteMarker: true } }],
  [
    { Filter: { Tag: { Key: 'kind', Value: 'old' } }, Expiration: { Days: 1 } },
    { Filter: { Prefix: 'logs/' }, Expiration: { Days: 3 } },
  ],
  [{ Filter: { Prefix: 'logs/' }, Expiration: { Days: 2 }, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }],
  [
    { Expiration: { Date: '2026-01-12T00:00:00.000Z' }, NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 1 } },
    { Filter: { Prefix: 'logs/' }, Transition: [{ Days: 1, StorageClass: 'GLACIER' }] },
  ],
]

async function act(aging: Aging, random: Random): Promise<void> {
  const { metadata, bucket, region } = aging
  const key = pick(random, keys)
  const ids = await aging.versions(key)
  const id = pick(random, ids)
  const known = id !== undefined && id !== 'marker'
  const change = async (of: { name: 'tags'; value: { Key: string; Value: string }[] } | { name: 'legalHold'; value: boolean }) =>
    known && (await metadata.commit({ tx: 'setAttribute', bucketId: bucket.id, key, versionId: id, stamp: region.ids.issue(), change: of }))
  const roll = random()
  if (roll < 0.3) await aging.put(key)
  else if (roll < 0.4) await aging.delete(key)
  else if (roll < 0.5 && known) await aging.delete(key, id).catch(refused)
  else if (roll < 0.6) await change({ name: 'tags', value: [{ Key: 'kind', Value: pick(random, ['old', 'new']) }] })
  else if (roll < 0.7) await change({ name: 'legalHold', value: random() < 0.3 })
  else if (roll < 0.8) await aging.receive(key, { lastModifiedMs: aging.clock.nowMs() - Math.floor(random() * 6 * dayMs) })
  else if (roll < 0.82) await aging.rules(...pick(random, ruleSets))
  else aging.days(random())
}

/** Of a version with a legal hold. */
function refused(error: Error & { code?: string }): void {
  if (error.code !== 'AccessDenied') throw error
}

async function everyVersion({ metadata }: Aging): Promise<readonly ObjectVersion[]> {
  return await metadata.read(() => versionsAfter({ bucketId: '', key: '', id: '' }, 10_000))
}

/** What is due, by reading everything. */
async function dueOf(aging: Aging, nowMs = aging.clock.nowMs()) {
  const bucket = await aging.metadata.read(() => bucketById(aging.bucket.id))
  const configuration = bucket?.settings.lifecycle
  if (bucket === undefined || configuration === undefined) throw new Error('the bucket has no rules')
  const found: { version: ObjectVersion; kind: 'act' | 'hold'; action: string }[] = []
  for (const version of await everyVersion(aging)) {
    const judge = new Judge({ bucket, configuration, moment: { nowMs, lockMs: nowMs, dayMs } })
    const judgement = await aging.metadata.read(() => judge.judge(version))
    if (judgement.kind !== 'leave') found.push({ version, kind: judgement.kind, action: judgement.action.kind })
  }
  return found
}

const placeOf = ({ key, id }: { key: string; id: string }): string => `${key} ${id}`

describe('a random history', () => {
  it.each(Array.from({ length: histories }, (_, i) => i + 1))('leaves nothing behind that is due (seed %i)', async (seed) => {
    const random = randomFrom(seed * 7919)
    const aging = await openAging()
    await aging.lock()
    await aging.rules(...(ruleSets[seed % ruleSets.length] ?? []))
    for (let step = 0; step < steps; step++) {
      await act(aging, random)
      if (random() > 0.15) continue
      const before = new Map((await everyVersion(aging)).map((version) => [placeOf(version), version]))
      await aging.again()
      await aging.pass()
      const due = await dueOf(aging)
      const moving = new Set((await aging.region.rows('SELECT key, id FROM moves')).map((row) => placeOf(row as never))) // rows of these columns
      expect(due.filter(({ kind, version }) => kind === 'act' && !moving.has(placeOf(version)))).toEqual([])
      const held = new Set((await aging.region.rows('SELECT key, id FROM lifecycle_again')).map((row) => placeOf(row as never))) // likewise
      const keysNoted = new Set([...held].filter((place) => place.endsWith(' ')).map((place) => place.trimEnd()))
      const forgotten = due.filter(({ kind, version }) => kind === 'hold' && !held.has(placeOf(version)) && !keysNoted.has(version.key))
      expect(forgotten).toEqual([])
      // What has a legal hold is there, whatever the rules are.
      const after = new Set((await everyVersion(aging)).map(placeOf))
      for (const [place, { record }] of before) if (record.legalHold?.value === true) expect(after).toContain(place)
    }
  })
})

describe('a preview', () => {
  it('names what the pass at the next midnight does, each version once', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = randomFrom(seed * 104_729)
      const aging = await openAging()
      await aging.lock()
      await aging.rules(...(ruleSets[seed % ruleSets.length] ?? []))
      for (let step = 0; step < 60; step++) await act(aging, random)
      await aging.pass()
      for (let step = 0; step < 15; step++) await act(aging, random)
      const bucket = await aging.metadata.read(() => bucketById(aging.bucket.id))
      const rules = bucket?.settings.lifecycle
      if (bucket === undefined || rules === undefined) throw new Error('the bucket has no rules')
      const nextMs = (Math.floor(aging.clock.nowMs() / dayMs) + 1) * dayMs
      const due = await dueOf(aging, nextMs)
      const { metadata, clock } = aging
      const named = []
      let after: Awaited<ReturnType<typeof previewPage>>['next']
      do {
        const of = { bucket, rules, configuration: configurationName(rules) }
        const page = await previewPage({ metadata, clock, dayMs }, of, { after, limit: 2 })
        named.push(...page.entries)
        after = page.next
      } while (after !== undefined)
      const moving = new Set((await aging.region.rows('SELECT key, id FROM moves')).map((row) => placeOf(row as never))) // rows of these columns
      const wanted = due
        .filter(({ version }) => !moving.has(placeOf(version)))
        .map(({ version, action }) => `${placeOf(version)} ${action}`)
      const got = named
        .map(({ key, versionId, action }) => `${key} ${versionId} ${action}`)
        .filter((one) => !moving.has(one.slice(0, one.lastIndexOf(' '))))
      expect(new Set(got).size, `seed ${seed}`).toBe(got.length)
      expect(got.toSorted(), `seed ${seed}`).toEqual(wanted.toSorted())
    }
  })
})
