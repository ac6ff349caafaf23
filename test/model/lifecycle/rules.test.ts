import { describe, expect, it } from 'vitest'
import type { LifecycleConfiguration, LifecycleFacts, LifecycleRule } from '../../../src/model/lifecycle.ts'
import { agesOf, dueAction, expiryOf, nextAction, uploadExpiry } from '../../../src/model/lifecycle-rules.ts'

const dayMs = 86_400_000
const ms = (iso: string) => Date.parse(iso)

type Given = Partial<LifecycleRule>

function configured(...rules: readonly Given[]): LifecycleConfiguration {
  return {
    Rule: rules.map((rule, index) => ({
      ID: `rule-${index + 1}`,
      Status: 'Enabled',
      ...(rule.Prefix === undefined && { Filter: {} }),
      ...rule,
    })),
    transitionDefaultMinimumObjectSize: 'all_storage_classes_128K',
  }
}

function current(at: string, more: Partial<LifecycleFacts> = {}): LifecycleFacts {
  return {
    key: 'logs/1',
    size: 1_000_000,
    tags: [],
    isLatest: true,
    isDeleteMarker: false,
    storageClass: 'STANDARD',
    lastModifiedMs: ms(at),
    sinceMs: ms(at),
    newerNoncurrent: 0,
    isOnlyVersion: false,
    ...more,
  }
}

const noncurrent = (since: string, more: Partial<LifecycleFacts> = {}) =>
  current('2020-01-01T00:00:00Z', { isLatest: false, sinceMs: ms(since), ...more })
const marker = (at: string, more: Partial<LifecycleFacts> = {}) =>
  current(at, { isDeleteMarker: true, size: 0, isOnlyVersion: true, ...more })

const due = (configuration: LifecycleConfiguration, facts: LifecycleFacts, now: string) =>
  dueAction(configuration, facts, { nowMs: ms(now), dayMs })
const expiryDate = (configuration: LifecycleConfiguration, facts: LifecycleFacts) => {
  const expiry = expiryOf(configuration, facts, { dayMs })
  return expiry && new Date(expiry.dueMs).toISOString()
}

describe('when days are over', () => {
  it.each([
    // AWS's own example: 15 January 2014 10:30, three days later, rounded up.
    ['in the middle of a day', '2014-01-15T10:30:00Z', 3, '2014-01-19'],
    ['a moment before midnight', '2014-01-15T23:59:59.999Z', 1, '2014-01-17'],
    ['at midnight', '2014-01-15T00:00:00.000Z', 1, '2014-01-16'],
    ['a moment after midnight', '2014-01-15T00:00:00.001Z', 1, '2014-01-17'],
    ['the day before a leap day', '2024-02-28T12:00:00Z', 1, '2024-03-01'],
    ['a leap day', '2024-02-29T12:00:00Z', 365, '2025-03-01'],
    ['the end of February without one', '2023-02-28T12:00:00Z', 1, '2023-03-02'],
    ['the day on which clocks go forward elsewhere', '2026-03-29T01:30:00Z', 1, '2026-03-31'],
    ['the last day of a year', '2026-12-31T18:00:00Z', 1, '2027-01-02'],
  ])('counts whole days from %s', (_, at, Days, expected) => {
    expect(expiryDate(configured({ Expiration: { Days } }), current(at))).toBe(`${expected}T00:00:00.000Z`)
  })

  it('acts from that midnight on, and not a moment before', () => {
    const configuration = configured({ Expiration: { Days: 3 } })
    const facts = current('2014-01-15T10:30:00Z')
    expect(due(configuration, facts, '2014-01-18T23:59:59.999Z')).toBeUndefined()
    expect(due(configuration, facts, '2014-01-19T00:00:00.000Z')).toEqual({ action: { kind: 'expire' }, ruleId: 'rule-1' })
  })

  it('takes no day as the next midnight', () => {
    const configuration = configured({ Transition: [{ Days: 0, StorageClass: 'GLACIER' }] })
    expect(due(configuration, current('2014-01-15T10:30:00Z'), '2014-01-15T23:59:59Z')).toBeUndefined()
    expect(due(configuration, current('2014-01-15T10:30:00Z'), '2014-01-16T00:00:00Z')?.action).toEqual({
      kind: 'transition',
      storageClass: 'GLACIER',
    })
  })

  it('counts short days as it counts long ones', () => {
    const configuration = configured({ Expiration: { Days: 2 } })
    expect(expiryOf(configuration, current('2026-01-01T00:00:12Z'), { dayMs: 10_000 })?.dueMs).toBe(ms('2026-01-01T00:00:40Z'))
  })

  it('is on a date for what is older, and for what comes later at its first midnight', () => {
    const configuration = configured({ Expiration: { Date: '2026-02-01T00:00:00.000Z' } })
    expect(expiryDate(configuration, current('2026-01-05T10:00:00Z'))).toBe('2026-02-01T00:00:00.000Z')
    expect(expiryDate(configuration, current('2026-02-05T10:00:00Z'))).toBe('2026-02-06T00:00:00.000Z')
  })

  it('counts a noncurrent version from when the next one came, and a current one from its Last-Modified', () => {
    const configuration = configured({ Expiration: { Days: 1 }, NoncurrentVersionExpiration: { NoncurrentDays: 30 } })
    const facts = noncurrent('2026-05-01T08:00:00Z')
    expect(due(configuration, facts, '2026-05-31T23:59:59Z')).toBeUndefined()
    expect(due(configuration, facts, '2026-06-01T00:00:00Z')).toEqual({ action: { kind: 'remove' }, ruleId: 'rule-1' })
    const replica = current('2026-05-01T08:00:00Z', { sinceMs: ms('2026-05-20T00:00:00Z') })
    expect(expiryDate(configuration, replica)).toBe('2026-05-03T00:00:00.000Z')
  })
})

describe('which objects a rule is for', () => {
  const expires = (rule: Given, more: Partial<LifecycleFacts> = {}) =>
    due(configured({ Expiration: { Days: 1 }, ...rule }), current('2026-01-01T00:00:00Z', more), '2026-02-01T00:00:00Z') !== undefined
  const a = { Key: 'a', Value: '1' }
  const b = { Key: 'b', Value: '2' }

  it.each<[string, Given, Partial<LifecycleFacts>, boolean]>([
    ['an old prefix', { Prefix: 'logs/' }, {}, true],
    ['an old prefix of others', { Prefix: 'log2' }, {}, false],
    ['a disabled rule', { Status: 'Disabled' }, {}, false],
    ['a prefix', { Filter: { Prefix: 'logs/' } }, {}, true],
    ['a prefix in another case', { Filter: { Prefix: 'Logs/' } }, {}, false],
    ['a prefix that is not at the beginning', { Filter: { Prefix: 'ogs/' } }, {}, false],
    ['a tag', { Filter: { Tag: a } }, { tags: [b, a] }, true],
    ['a tag of another value', { Filter: { Tag: a } }, { tags: [{ Key: 'a', Value: '2' }] }, false],
    ['two tags of which one is there', { Filter: { And: { Tag: [a, b] } } }, { tags: [a] }, false],
    ['two tags', { Filter: { And: { Prefix: 'logs', Tag: [a, b] } } }, { tags: [b, a] }, true],
    ['larger than its size', { Filter: { ObjectSizeGreaterThan: 1_000_000 } }, {}, false],
    ['larger than a byte less', { Filter: { ObjectSizeGreaterThan: 999_999 } }, {}, true],
    ['smaller than its size', { Filter: { ObjectSizeLessThan: 1_000_000 } }, {}, false],
    ['smaller than a byte more', { Filter: { And: { ObjectSizeGreaterThan: 1, ObjectSizeLessThan: 1_000_001 } } }, {}, true],
  ])('%s', (_, rule, facts, expected) => {
    expect(expires(rule, facts)).toBe(expected)
  })
})

describe('markers', () => {
  const now = '2026-03-01T00:00:00Z'
  const remove = { action: { kind: 'remove' }, ruleId: 'rule-1' }

  it('go at the next midnight when they stand alone and ExpiredObjectDeleteMarker says so', () => {
    const configuration = configured({ Expiration: { ExpiredObjectDeleteMarker: true } })
    expect(due(configuration, marker('2026-02-28T23:00:00Z'), now)).toEqual(remove)
    expect(due(configuration, marker('2026-02-28T23:00:00Z', { isOnlyVersion: false }), now)).toBeUndefined()
    expect(due(configured({ Expiration: { ExpiredObjectDeleteMarker: false } }), marker('2026-02-01T00:00:00Z'), now)).toBeUndefined()
  })

  it('go when they stand alone and the days or the date of an Expiration are over', () => {
    expect(due(configured({ Expiration: { Days: 10 } }), marker('2026-02-20T00:00:00Z'), now)).toBeUndefined()
    expect(due(configured({ Expiration: { Days: 10 } }), marker('2026-02-19T00:00:00Z'), now)).toEqual(remove)
    expect(due(configured({ Expiration: { Date: now } }), marker('2026-02-20T00:00:00Z'), now)).toEqual(remove)
  })

  it('are never chosen by tag, nor by size while they are current', () => {
    const byTag = configured({ Filter: { Tag: { Key: 'a', Value: '1' } }, Expiration: { Days: 1 } })
    const bySize = configured({ Filter: { ObjectSizeLessThan: 1 }, Expiration: { Days: 1 } })
    for (const configuration of [byTag, bySize]) expect(due(configuration, marker('2026-01-01T00:00:00Z'), now)).toBeUndefined()
  })

  it('go as versions without data once they are noncurrent, and never move', () => {
    const rule: Given = {
      Filter: { ObjectSizeLessThan: 1 },
      NoncurrentVersionExpiration: { NoncurrentDays: 5 },
      NoncurrentVersionTransition: [{ NoncurrentDays: 0, StorageClass: 'GLACIER' }],
    }
    const old = noncurrent('2026-02-26T00:00:00Z', { isDeleteMarker: true, size: 0 })
    expect(due(configured(rule), old, now)).toBeUndefined()
    expect(due(configured(rule), old, '2026-03-03T00:00:00Z')).toEqual(remove)
  })

  it('leave expired objects alone: ExpiredObjectDeleteMarker expires none', () => {
    expect(due(configured({ Expiration: { ExpiredObjectDeleteMarker: true } }), current('2020-01-01T00:00:00Z'), now)).toBeUndefined()
  })
})

describe('when several actions are due', () => {
  const now = '2027-01-01T00:00:00Z'
  const old = current('2026-01-01T00:00:00Z')

  it('an object expires and is not moved', () => {
    const configuration = configured({ Transition: [{ Days: 30, StorageClass: 'STANDARD_IA' }] }, { Expiration: { Days: 30 } })
    expect(due(configuration, old, now)).toEqual({ action: { kind: 'expire' }, ruleId: 'rule-2' })
  })

  it('a noncurrent version is removed and not moved', () => {
    const configuration = configured(
      { NoncurrentVersionTransition: [{ NoncurrentDays: 1, StorageClass: 'GLACIER' }] },
      { NoncurrentVersionExpiration: { NoncurrentDays: 300 } },
    )
    expect(due(configuration, noncurrent('2026-01-01T00:00:00Z'), now)?.action.kind).toBe('remove')
  })

  it('the shorter of two expirations counts, and of equals the rule listed first', () => {
    const two = configured({ Expiration: { Days: 20 } }, { Expiration: { Days: 10 } }, { Expiration: { Days: 10 } })
    expect(expiryOf(two, old, { dayMs })).toEqual({ ruleId: 'rule-2', dueMs: ms('2026-01-11T00:00:00Z') })
  })

  it('the coldest class is chosen, across rules too', () => {
    const configuration = configured(
      {
        Transition: [
          { Days: 30, StorageClass: 'STANDARD_IA' },
          { Days: 90, StorageClass: 'GLACIER' },
        ],
      },
      { Transition: [{ Days: 5, StorageClass: 'GLACIER_IR' }] },
    )
    expect(due(configuration, old, now)).toEqual({ action: { kind: 'transition', storageClass: 'GLACIER' }, ruleId: 'rule-1' })
    expect(due(configuration, old, '2026-02-15T00:00:00Z')?.action).toEqual({ kind: 'transition', storageClass: 'GLACIER_IR' })
    expect(due(configuration, { ...old, storageClass: 'GLACIER' }, now)).toBeUndefined()
  })

  it('One Zone-IA goes on to an archive, and not to Glacier Instant Retrieval', () => {
    const configuration = configured({ Transition: [{ Days: 1, StorageClass: 'GLACIER_IR' }] })
    expect(due(configuration, { ...old, storageClass: 'ONEZONE_IA' }, now)).toBeUndefined()
  })

  it('so many newer noncurrent versions are kept', () => {
    const configuration = configured({ NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 } })
    const at = (newerNoncurrent: number) => due(configuration, noncurrent('2026-01-01T00:00:00Z', { newerNoncurrent }), now)
    expect([at(0), at(1)]).toEqual([undefined, undefined])
    expect(at(2)?.action.kind).toBe('remove')
  })
})

describe('small objects', () => {
  const to = (StorageClass: 'GLACIER' | 'DEEP_ARCHIVE' | 'STANDARD_IA' | 'GLACIER_IR') => ({ Transition: [{ Days: 30, StorageClass }] })
  const moves = (configuration: LifecycleConfiguration, size: number) =>
    due(configuration, current('2026-01-01T00:00:00Z', { size }), '2027-01-01T00:00:00Z') !== undefined

  it('stay where they are below 128 KiB', () => {
    expect([moves(configured(to('GLACIER')), 131_071), moves(configured(to('GLACIER')), 131_072)]).toEqual([false, true])
  })

  it('move to the archives when the minimum varies by class', () => {
    const varies = (rule: Given) => ({ ...configured(rule), transitionDefaultMinimumObjectSize: 'varies_by_storage_class' }) as const
    expect((['GLACIER', 'DEEP_ARCHIVE', 'GLACIER_IR', 'STANDARD_IA'] as const).map((name) => moves(varies(to(name)), 1))).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it('move when their rule names a size of its own', () => {
    expect(moves(configured({ ...to('STANDARD_IA'), Filter: { ObjectSizeGreaterThan: 10 } }), 11)).toBe(true)
    expect(moves(configured({ ...to('STANDARD_IA'), Filter: { And: { Prefix: 'logs/', ObjectSizeLessThan: 12 } } }), 11)).toBe(true)
  })
})

describe('what comes next, and by which age', () => {
  it('names the first of what is to come', () => {
    const configuration = configured({ Transition: [{ Days: 30, StorageClass: 'GLACIER' }], Expiration: { Days: 60 } })
    const facts = current('2026-01-01T00:00:00Z')
    const next = (now: string, more: Partial<LifecycleFacts> = {}) =>
      nextAction(configuration, { ...facts, ...more }, { nowMs: ms(now), dayMs })
    expect(next('2026-01-02T00:00:00Z')).toEqual({ ruleId: 'rule-1', dueMs: ms('2026-01-31T00:00:00Z'), kind: 'transition' })
    expect(next('2026-02-02T00:00:00Z', { storageClass: 'GLACIER' })).toMatchObject({ kind: 'expire', dueMs: ms('2026-03-02T00:00:00Z') })
    expect(next('2026-04-01T00:00:00Z')).toMatchObject({ kind: 'expire' })
    expect(nextAction(configured({ NoncurrentVersionExpiration: { NoncurrentDays: 1 } }), facts, { nowMs: 0, dayMs })).toBeUndefined()
  })

  it('names ages once, those of enabled rules, with the latest time that is due', () => {
    const configuration = configured(
      { Expiration: { Days: 30 }, Transition: [{ Days: 10, StorageClass: 'GLACIER' }] },
      { Prefix: 'x', Expiration: { Days: 30 }, NoncurrentVersionExpiration: { NoncurrentDays: 7 } },
      { Expiration: { Date: '2026-02-01T00:00:00.000Z' } },
      { Expiration: { Date: '2026-12-01T00:00:00.000Z' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } },
      { Status: 'Disabled', Expiration: { Days: 1 } },
      { Expiration: { ExpiredObjectDeleteMarker: true } },
    )
    expect(agesOf(configuration, { nowMs: ms('2026-03-31T15:00:00Z'), dayMs })).toEqual({
      current: [
        { age: '30', dueUntilMs: ms('2026-03-01T00:00:00Z') },
        { age: '10', dueUntilMs: ms('2026-03-21T00:00:00Z') },
        { age: 'date:2026-02-01', dueUntilMs: ms('2026-03-31T00:00:00Z') },
        { age: '0', dueUntilMs: ms('2026-03-31T00:00:00Z') },
      ],
      noncurrent: [{ age: '7', dueUntilMs: ms('2026-03-24T00:00:00Z') }],
      uploads: [{ age: '2', dueUntilMs: ms('2026-03-29T00:00:00Z') }],
    })
  })

  it('aborts an upload by the shortest rule of its prefix', () => {
    const configuration = configured(
      { Filter: { Prefix: 'a/' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
      { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 9 } },
    )
    const at = (key: string) => uploadExpiry(configuration, { key, initiatedMs: ms('2026-01-01T12:00:00Z') }, { dayMs })
    expect(at('a/1')).toEqual({ ruleId: 'rule-1', dueMs: ms('2026-01-09T00:00:00Z') })
    expect(at('b/1')).toEqual({ ruleId: 'rule-2', dueMs: ms('2026-01-11T00:00:00Z') })
    expect(uploadExpiry(configured({ Expiration: { Days: 1 } }), { key: 'a', initiatedMs: 0 }, { dayMs })).toBeUndefined()
  })
})
