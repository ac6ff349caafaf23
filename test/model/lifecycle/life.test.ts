import { describe, expect, it } from 'vitest'
import type { LifecycleAction, LifecycleConfiguration, LifecycleFacts } from '../../../src/model/lifecycle.ts'
import { agesOf, dueAction } from '../../../src/model/lifecycle-rules.ts'
import type { StorageClass } from '../../../src/model/storage-class.ts'
import type { Tag } from '../../../src/model/tags.ts'
import { chooseSeed, type Random, randomFrom } from '../../limits/random.ts'
import { naiveDue, naivePick } from './naive.ts'
import { randomConfiguration, sizes, someTags } from './random-rules.ts'

const dayMs = 86_400_000
/** Sixty days around 29 February 1972. */
const days = { firstDay: 750, lastDay: 810 }
const seed = chooseSeed()

interface Version {
  readonly isDeleteMarker: boolean
  readonly size: number
  readonly tags: readonly Tag[]
  readonly lastModifiedMs: number
  readonly sinceMs: number
  readonly storageClass: StorageClass
}

/** A key in a bucket with versions: newest first. */
type Key = readonly Version[]

interface World {
  readonly configuration: LifecycleConfiguration
  readonly key: string
  readonly isVersioned: boolean
}

function factsOf({ key }: World, versions: Key, index: number): LifecycleFacts {
  const version = versions[index]
  if (version === undefined) throw new Error('no such version')
  return { ...version, key, isLatest: index === 0, newerNoncurrent: Math.max(0, index - 1), isOnlyVersion: versions.length === 1 }
}

/** A new version on top; what was current counts from now. */
function push(versions: Key, version: Omit<Version, 'sinceMs' | 'lastModifiedMs'>, nowMs: number): Key {
  const [current, ...older] = versions
  const demoted = current === undefined ? [] : [{ ...current, sinceMs: nowMs }, ...older]
  return [{ ...version, lastModifiedMs: nowMs, sinceMs: nowMs }, ...demoted]
}

const marker = { isDeleteMarker: true, size: 0, tags: [], storageClass: 'STANDARD' } as const

function byUser(random: Random, versions: Key, { nowMs, isVersioned }: { readonly nowMs: number; readonly isVersioned: boolean }): Key {
  if (!random.oneIn(4)) return versions
  const kept = isVersioned ? versions : []
  if (random.oneIn(4)) return isVersioned && kept.length > 0 ? push(kept, marker, nowMs) : []
  const tags = someTags.filter(() => random.oneIn(2))
  return push(kept, { isDeleteMarker: false, size: random.pick(sizes), tags, storageClass: 'STANDARD' }, nowMs)
}

/** What an action makes of a key. */
function obeyed(versions: Key, index: number, { action, nowMs, isVersioned }: World & { action: LifecycleAction; nowMs: number }): Key {
  if (action.kind === 'expire' && isVersioned) return push(versions, marker, nowMs)
  if (action.kind !== 'transition') return versions.filter((_, at) => at !== index)
  return versions.map((version, at) => (at === index ? { ...version, storageClass: action.storageClass } : version))
}

/** Does what is due until nothing is, once by the rules and once by the naive model, which must be of one mind at every step. */
function night(world: World, before: Key, nowMs: number, done: (action: LifecycleAction) => void): Key {
  let versions = before
  const now = { nowMs, dayMs }
  for (let index = versions.length - 1; index >= 0; index--) {
    for (let step = 0; step < 20 && index < versions.length; step++) {
      const facts = factsOf(world, versions, index)
      const due = dueAction(world.configuration, facts, now)
      expect(due).toEqual(naivePick(naiveDue(world.configuration, facts, now)))
      if (due === undefined) break
      const ages = agesOf(world.configuration, now)[facts.isLatest ? 'current' : 'noncurrent']
      expect(ages.some(({ dueUntilMs }) => facts.sinceMs <= dueUntilMs)).toBe(true)
      done(due.action)
      versions = obeyed(versions, index, { ...world, action: due.action, nowMs })
      if (due.action.kind !== 'transition') break
    }
  }
  return versions
}

describe('the life of a key under rules', () => {
  it('goes as the naive model says, day by day, with and without versions', { timeout: 60_000 }, () => {
    const random = randomFrom(seed)
    const done = new Map<string, number>()
    for (let life = 0; life < 300; life++) {
      const world: World = {
        configuration: randomConfiguration(random, days),
        key: random.pick(['logs/a', 'photo']),
        isVersioned: !random.oneIn(3),
      }
      let versions: Key = []
      let coldest = new Map<number, number>()
      try {
        for (let day = days.firstDay; day < days.lastDay; day++) {
          const nowMs = day * dayMs + random.pick([0, 0, 1, random.below(dayMs)])
          versions = night(world, versions, nowMs, ({ kind }) => done.set(kind, (done.get(kind) ?? 0) + 1))
          versions = byUser(random, versions, { nowMs, isVersioned: world.isVersioned })
          coldest = onlyColder(versions, coldest)
        }
      } catch (error) {
        throw new Error(`life ${life} of FARSHORE_TEST_SEED=${seed}: ${JSON.stringify(world)}`, { cause: error })
      }
    }
    for (const kind of ['remove', 'expire', 'transition']) expect(done.get(kind), kind).toBeGreaterThan(100)
  })
})

const warmestFirst = ['STANDARD', 'STANDARD_IA', 'INTELLIGENT_TIERING', 'ONEZONE_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE']

/** No version ever comes back from a colder class. */
function onlyColder(versions: Key, before: ReadonlyMap<number, number>): Map<number, number> {
  const now = new Map(versions.map((version) => [version.lastModifiedMs, warmestFirst.indexOf(version.storageClass)]))
  for (const [id, height] of now) expect(height).toBeGreaterThanOrEqual(before.get(id) ?? 0)
  return now
}
