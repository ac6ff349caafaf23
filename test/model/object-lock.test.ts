import { describe, expect, it } from 'vitest'
import {
  checkRemoval,
  defaultRetentionFrom,
  mayChangeRetention,
  mergedRetention,
  type Retention,
  readLegalHold,
  readRetention,
  removalRefusal,
} from '../../src/model/object-lock.ts'
import { checkBucketLock, checkRetainUntil, parseLockHeaders } from '../../src/model/object-lock-input.ts'
import { refused, verdict } from './refused.ts'

const nowMs = Date.UTC(2026, 0, 1)
const later = nowMs + 1000
const muchLater = nowMs + 2000
const past = nowMs - 1
const kept = (mode: Retention['mode'], untilMs: number) => ({ retention: { stamp: 's', value: { mode, untilMs } } })
const version = (record: object, isDeleteMarker = false) => ({ isDeleteMarker, record })

describe('removalRefusal', () => {
  it.each([
    ['nothing', {}, undefined, undefined],
    ['a retention that was taken away', { retention: { stamp: 's', value: null } }, undefined, undefined],
    ['a hold that is off', { legalHold: { stamp: 's', value: false } }, undefined, undefined],
    ['a hold', { legalHold: { stamp: 's', value: true } }, 'legalHold', 'legalHold'],
    ['COMPLIANCE', kept('COMPLIANCE', later), 'COMPLIANCE', 'COMPLIANCE'],
    ['COMPLIANCE that is over', kept('COMPLIANCE', past), undefined, undefined],
    ['COMPLIANCE that is over at this millisecond', kept('COMPLIANCE', nowMs), undefined, undefined],
    ['GOVERNANCE', kept('GOVERNANCE', later), 'GOVERNANCE', undefined],
    ['a hold beside GOVERNANCE', { ...kept('GOVERNANCE', later), legalHold: { stamp: 's', value: true } }, 'legalHold', 'legalHold'],
    ['a retention that is no object', { retention: 'x' }, 'unreadable', 'unreadable'],
    ['a retention without a value', { retention: { stamp: 's' } }, 'unreadable', 'unreadable'],
    ['a mode that is none', { retention: { value: { mode: 'governance', untilMs: past } } }, 'unreadable', 'unreadable'],
    ['a date that is none', { retention: { value: { mode: 'GOVERNANCE', untilMs: '0' } } }, 'unreadable', 'unreadable'],
    ['a date beyond numbers', { retention: { value: { mode: 'GOVERNANCE', untilMs: Number.NaN } } }, 'unreadable', 'unreadable'],
    ['a date before 1970', { retention: { value: { mode: 'GOVERNANCE', untilMs: -1 } } }, 'unreadable', 'unreadable'],
    ['a date after 9999', { retention: { value: { mode: 'GOVERNANCE', untilMs: 1e15 } } }, 'unreadable', 'unreadable'],
    ['null in place of a retention', { retention: null }, 'unreadable', 'unreadable'],
    ['a hold of another form', { legalHold: { value: 'OFF' } }, 'unreadable', 'unreadable'],
    ['null in place of a hold', { legalHold: null }, 'unreadable', 'unreadable'],
  ])('of a version with %s', (_, record, plain, bypassed) => {
    const locked = version(record as object)
    expect(removalRefusal(locked, { nowMs, bypass: false })).toBe(plain)
    expect(removalRefusal(locked, { nowMs, bypass: true })).toBe(bypassed)
    expect(verdict(() => checkRemoval(locked, { nowMs, bypass: true }))).toBe(bypassed === undefined ? undefined : 'AccessDenied')
  })

  it('never locks a delete marker', () => {
    expect(removalRefusal(version(kept('COMPLIANCE', later), true), { nowMs, bypass: false })).toBeUndefined()
  })
})

describe('mayChangeRetention', () => {
  const governance = (untilMs: number): Retention => ({ mode: 'GOVERNANCE', untilMs })
  const compliance = (untilMs: number): Retention => ({ mode: 'COMPLIANCE', untilMs })
  it.each([
    ['none', {}, null, true, true],
    ['none to some', {}, compliance(later), true, true],
    ['COMPLIANCE, extended', kept('COMPLIANCE', later), compliance(muchLater), true, true],
    ['COMPLIANCE, said again', kept('COMPLIANCE', later), compliance(later), true, true],
    ['COMPLIANCE, shortened', kept('COMPLIANCE', later), compliance(later - 1), false, false],
    ['COMPLIANCE, taken away', kept('COMPLIANCE', later), null, false, false],
    ['COMPLIANCE to GOVERNANCE', kept('COMPLIANCE', later), governance(muchLater), false, false],
    ['COMPLIANCE that is over, shortened', kept('COMPLIANCE', past), governance(later), true, true],
    ['GOVERNANCE, extended', kept('GOVERNANCE', later), governance(muchLater), true, true],
    ['GOVERNANCE, shortened', kept('GOVERNANCE', later), governance(later - 1), false, true],
    ['GOVERNANCE, taken away', kept('GOVERNANCE', later), null, false, true],
    ['GOVERNANCE to COMPLIANCE', kept('GOVERNANCE', later), compliance(muchLater), false, true],
    ['what cannot be read', { retention: { value: 7 } }, compliance(muchLater), false, false],
  ])('of %s', (_, record, next, plain, bypassed) => {
    expect(mayChangeRetention(record, next, { nowMs, bypass: false })).toBe(plain)
    expect(mayChangeRetention(record, next, { nowMs, bypass: true })).toBe(bypassed)
  })
})

describe('mergedRetention', () => {
  const arrived = (value: Retention | null) => ({ stamp: 'newer', value })
  it.each([
    ['none', {}, arrived(null), 'arrived'],
    ['GOVERNANCE', kept('GOVERNANCE', later), arrived(null), 'arrived'],
    ['COMPLIANCE that is over', kept('COMPLIANCE', past), arrived(null), 'arrived'],
    ['COMPLIANCE, taken away there', kept('COMPLIANCE', later), arrived(null), 'standing'],
    ['COMPLIANCE, shorter there', kept('COMPLIANCE', later), arrived({ mode: 'COMPLIANCE', untilMs: later - 1 }), 'standing'],
    ['COMPLIANCE, weaker there', kept('COMPLIANCE', later), arrived({ mode: 'GOVERNANCE', untilMs: muchLater }), 'standing'],
    ['COMPLIANCE, longer there', kept('COMPLIANCE', later), arrived({ mode: 'COMPLIANCE', untilMs: muchLater }), 'arrived'],
    ['what cannot be read', { retention: { value: 7 } }, arrived(null), 'standing'],
  ] as const)('of %s', (_, standing, newer, expected) => {
    const record = standing as { retention?: { readonly value: unknown } }
    expect(mergedRetention(record, newer, nowMs)).toBe(expected === 'arrived' ? newer : record.retention)
  })
})

describe('a default retention', () => {
  it('counts days of 24 hours, and years of the calendar', () => {
    const from = Date.UTC(2028, 1, 29, 12)
    const years = { mode: 'COMPLIANCE', period: { unit: 'Years', count: 4 } } as const
    expect(defaultRetentionFrom({ mode: 'GOVERNANCE', period: { unit: 'Days', count: 36_500 } }, from).untilMs).toBe(
      from + 36_500 * 86_400_000,
    )
    expect(defaultRetentionFrom(years, from)).toEqual({ mode: 'COMPLIANCE', untilMs: Date.UTC(2032, 1, 29, 12) })
  })

  it.each([
    [{ Days: 1 }, undefined],
    [{ Days: 36_500 }, undefined],
    [{ Years: 100 }, undefined],
    [{ Days: 0 }, 'InvalidArgument'],
    [{ Days: -1 }, 'InvalidArgument'],
    [{ Days: 36_501 }, 'InvalidArgument'],
    [{ Years: 0 }, 'InvalidArgument'],
    [{ Years: 101 }, 'InvalidArgument'],
    [{ Days: 1, Years: 1 }, 'MalformedXML'],
    [{}, 'MalformedXML'],
  ])('of %j', (period, code) => {
    expect(verdict(() => checkBucketLock({ DefaultRetention: { Mode: 'GOVERNANCE', ...period } }))).toBe(code)
  })
})

describe('lock headers', () => {
  const date = '2030-01-01T00:00:00Z'
  it('are read together', () => {
    const headers = {
      'x-amz-object-lock-mode': 'COMPLIANCE',
      'x-amz-object-lock-retain-until-date': '2030-01-01T01:00:00.5+01:00',
      'x-amz-object-lock-legal-hold': 'ON',
    }
    expect(parseLockHeaders(headers)).toEqual({ retention: { mode: 'COMPLIANCE', untilMs: Date.UTC(2030, 0, 1) + 500 }, legalHold: true })
    expect(parseLockHeaders({ 'x-amz-object-lock-legal-hold': 'OFF' })).toEqual({ legalHold: false })
    expect(parseLockHeaders({})).toEqual({})
  })

  it.each([
    [{ 'x-amz-object-lock-mode': 'GOVERNANCE' }, 'InvalidRequest'],
    [{ 'x-amz-object-lock-retain-until-date': date }, 'InvalidRequest'],
    [{ 'x-amz-object-lock-mode': 'governance', 'x-amz-object-lock-retain-until-date': date }, 'InvalidArgument'],
    [{ 'x-amz-object-lock-mode': 'GOVERNANCE', 'x-amz-object-lock-retain-until-date': 'tomorrow' }, 'InvalidArgument'],
    [{ 'x-amz-object-lock-mode': 'GOVERNANCE', 'x-amz-object-lock-retain-until-date': '2030-13-01T00:00:00Z' }, 'InvalidArgument'],
    [{ 'x-amz-object-lock-legal-hold': 'on' }, 'InvalidArgument'],
  ])('refuses %j', (headers, code) => expect(verdict(() => parseLockHeaders(headers))).toBe(code))

  it('name a date ahead', () => {
    expect(refused(() => checkRetainUntil({ mode: 'GOVERNANCE', untilMs: nowMs }, nowMs)).code).toBe('InvalidArgument')
    expect(verdict(() => checkRetainUntil({ mode: 'GOVERNANCE', untilMs: later }, nowMs))).toBeUndefined()
    expect(verdict(() => checkRetainUntil({ mode: 'GOVERNANCE', untilMs: Date.UTC(9999, 11, 31, 1) }, nowMs))).toBe('InvalidArgument')
    expect(verdict(() => checkRetainUntil(null, nowMs))).toBeUndefined()
  })
})

it('tells what stands from what was never set', () => {
  expect([readRetention({}), readRetention(kept('GOVERNANCE', past))]).toEqual([undefined, { mode: 'GOVERNANCE', untilMs: past }])
  expect([readLegalHold({}), readLegalHold({ legalHold: { value: true } })]).toEqual([false, true])
})
