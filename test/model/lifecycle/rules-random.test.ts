import { describe, expect, it } from 'vitest'
import type { LifecycleConfiguration, LifecycleFacts } from '../../../src/model/lifecycle.ts'
import { agesOf, dueAction, expiryOf, nextAction, uploadExpiry } from '../../../src/model/lifecycle-rules.ts'
import type { StorageClass } from '../../../src/model/storage-class.ts'
import { chooseSeed, type Random, randomFrom } from '../../limits/random.ts'
import { naiveDue, naivePick } from './naive.ts'
import { type Days, keys, randomConfiguration, sizes, someTags } from './random-rules.ts'

const realDayMs = 86_400_000
/** A whole day, around 29 February 1972; one that divides it, and one that does not. */
const spans = [
  { dayMs: realDayMs, firstDay: 770, lastDay: 800 },
  { dayMs: 3_600_000, firstDay: 0, lastDay: 4 },
  { dayMs: 7_000_000, firstDay: 0, lastDay: 4 },
] as const
const seed = chooseSeed()
const classes: readonly StorageClass[] = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'INTELLIGENT_TIERING',
  'ONEZONE_IA',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
]

interface Span extends Days {
  readonly dayMs: number
}

/** At a midnight, beside one, or anywhere. */
function randomTime(random: Random, { dayMs, firstDay, lastDay }: Span): number {
  const nights = Math.floor(((lastDay - firstDay) * realDayMs) / dayMs)
  const midnightMs = (Math.floor((firstDay * realDayMs) / dayMs) + random.below(nights)) * dayMs
  return midnightMs + random.pick([0, 1, dayMs - 1, random.below(dayMs)])
}

function randomFacts(random: Random, span: Span): LifecycleFacts {
  const isLatest = random.oneIn(2)
  const isDeleteMarker = random.oneIn(4)
  const lastModifiedMs = randomTime(random, span)
  return {
    key: random.pick(keys),
    size: isDeleteMarker ? 0 : random.pick(sizes),
    tags: isDeleteMarker ? [] : someTags.filter(() => random.oneIn(2)),
    isLatest,
    isDeleteMarker,
    storageClass: isDeleteMarker ? 'STANDARD' : random.pick(classes),
    lastModifiedMs,
    sinceMs: isLatest ? lastModifiedMs : lastModifiedMs + random.below(5 * span.dayMs),
    newerNoncurrent: isLatest ? 0 : random.below(4),
    isOnlyVersion: isLatest && random.oneIn(2),
  }
}

function rounds(count: number, run: (random: Random, span: Span) => void): void {
  const random = randomFrom(seed)
  for (let round = 0; round < count; round++) {
    try {
      run(random, spans[round % spans.length] ?? spans[0])
    } catch (error) {
      throw new Error(`round ${round} of FARSHORE_TEST_SEED=${seed}`, { cause: error })
    }
  }
}

const kindOf = (due: ReturnType<typeof naivePick>) => due && { ruleId: due.ruleId, kind: due.action.kind }

describe('lifecycle rules, by chance and against the naive model', () => {
  it('say what is due of any version at any time', { timeout: 60_000 }, () => {
    const seen = new Map<string, number>()
    rounds(15_000, (random, span) => {
      const configuration = randomConfiguration(random, span)
      const facts = randomFacts(random, span)
      const now = { nowMs: facts.sinceMs + random.below(16 * span.dayMs), dayMs: span.dayMs }
      const expected = naivePick(naiveDue(configuration, facts, now))
      expect(dueAction(configuration, facts, now)).toEqual(expected)
      const kind = expected?.action.kind ?? 'nothing'
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    })
    for (const kind of ['remove', 'expire', 'transition', 'nothing']) expect(seen.get(kind), kind).toBeGreaterThan(250)
  })

  it('say what is next, and when an object expires', { timeout: 60_000 }, () => {
    rounds(2_500, (random, span) => {
      const { dayMs } = span
      const configuration = randomConfiguration(random, span)
      const facts = randomFacts(random, span)
      const nowMs = facts.sinceMs + random.below(3 * dayMs)
      const next = nextAction(configuration, facts, { nowMs, dayMs })
      const expiry = expiryOf(configuration, facts, { dayMs })
      const at = (ms: number) => naiveDue(configuration, facts, { nowMs: ms, dayMs })
      if (next === undefined) expect(at(farOff(span))).toEqual([])
      else {
        // It is what is picked at its time, or now when that is over, and before that there is nothing.
        expect({ ruleId: next.ruleId, kind: next.kind }).toEqual(kindOf(naivePick(at(Math.max(nowMs, next.dueMs)))))
        expect(at(next.dueMs).map(kindOf)).toContainEqual({ ruleId: next.ruleId, kind: next.kind })
        if (next.dueMs > nowMs) expect(at(next.dueMs - 1)).toEqual([])
      }
      const expires = (ms: number) => at(ms).find((one) => one.action.kind === 'expire')
      if (expiry === undefined) expect(expires(farOff(span))).toBeUndefined()
      else {
        expect(expires(expiry.dueMs)?.ruleId).toBe(expiry.ruleId)
        expect(expires(expiry.dueMs - 1)).toBeUndefined()
      }
    })
  })

  it('name ages of which none is missing and none is early', { timeout: 60_000 }, () => {
    rounds(6_000, (random, span) => {
      const configuration = randomConfiguration(random, span)
      const facts = randomFacts(random, span)
      const now = { nowMs: facts.sinceMs + random.below(16 * span.dayMs), dayMs: span.dayMs }
      const ages = agesOf(configuration, now)[facts.isLatest ? 'current' : 'noncurrent']
      expect(new Set(ages.map(({ age }) => age)).size).toBe(ages.length)
      const isRead = ages.some(({ dueUntilMs }) => facts.sinceMs <= dueUntilMs)
      if (naiveDue(configuration, facts, now).length > 0) expect(isRead).toBe(true)
      // Whatever a rule is for comes in time to be read by its age, and no sooner.
      for (const { age, dueUntilMs } of ages) {
        const time = age.startsWith('date:') ? { Date: `${age.slice(5)}T00:00:00.000Z` } : { Days: Number(age) }
        const plain: LifecycleConfiguration = { ...configuration, Rule: [{ ID: 'plain', Status: 'Enabled', Filter: {}, Expiration: time }] }
        const isDueAt = (sinceMs: number) =>
          naiveDue(plain, { ...facts, isLatest: true, isDeleteMarker: false, lastModifiedMs: sinceMs, sinceMs }, now).length > 0
        if (dueUntilMs >= 0) expect([isDueAt(dueUntilMs), isDueAt(dueUntilMs + 1)]).toEqual([true, false])
      }
    })
  })

  it('abort open uploads at the first midnight that a rule gives', () => {
    rounds(5_000, (random, span) => {
      const configuration = randomConfiguration(random, span)
      const [key, initiatedMs] = [random.pick(keys), randomTime(random, span)]
      const expected = configuration.Rule.filter(({ Status }) => Status === 'Enabled')
        .filter((rule) => key.startsWith(rule.Prefix ?? rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? ''))
        .flatMap(({ ID, AbortIncompleteMultipartUpload: abort }) => (abort ? [{ ruleId: ID, days: abort.DaysAfterInitiation }] : []))
        .reduce<{ ruleId: string; days: number } | undefined>((least, one) => (least && least.days <= one.days ? least : one), undefined)
      const found = uploadExpiry(configuration, { key, initiatedMs }, { dayMs: span.dayMs })
      expect(found?.ruleId).toBe(expected?.ruleId)
      if (found === undefined || expected === undefined) return
      expect(found.dueMs % span.dayMs).toBe(0)
      const ageMs = found.dueMs - initiatedMs - expected.days * span.dayMs
      expect(ageMs >= 0 && ageMs < span.dayMs).toBe(true)
    })
  })
})

function farOff({ dayMs, lastDay }: Span): number {
  return lastDay * realDayMs + 60 * dayMs
}
