import { describe, expect, it } from 'vitest'
import { checkCopySourceConditions, checkDeleteConditions, checkReadConditions, checkWriteConditions } from '../../src/model/conditions.ts'
import { parseHttpDate } from '../../src/model/http-date.ts'
import { refused, verdict } from './refused.ts'

const lastModifiedMs = Date.UTC(2026, 10, 23, 8, 0, 0, 700)
const current = { etag: 'abc-2', lastModifiedMs }
const atThatSecond = 'Mon, 23 Nov 2026 08:00:00 GMT'
const before = 'Mon, 23 Nov 2026 07:59:59 GMT'
const after = 'Mon, 23 Nov 2026 08:00:01 GMT'

describe('checkReadConditions', () => {
  it.each([
    [{}, undefined],
    [{ ifMatch: '"abc-2"' }, undefined],
    [{ ifMatch: 'abc-2' }, undefined],
    [{ ifMatch: '"x", "abc-2"' }, undefined],
    [{ ifMatch: '*' }, undefined],
    [{ ifMatch: '"x"' }, 'PreconditionFailed'],
    [{ ifMatch: 'W/"abc-2"' }, 'PreconditionFailed'],
    [{ ifMatch: '"ABC-2"' }, 'PreconditionFailed'],
    [{ ifMatch: '' }, 'PreconditionFailed'],
    [{ ifNoneMatch: '"abc-2"' }, 'NotModified'],
    [{ ifNoneMatch: 'W/"abc-2"' }, 'NotModified'],
    [{ ifNoneMatch: '"x","abc-2"' }, 'NotModified'],
    [{ ifNoneMatch: '*' }, 'NotModified'],
    [{ ifNoneMatch: '"x"' }, undefined],
    [{ ifModifiedSince: before }, undefined],
    [{ ifModifiedSince: atThatSecond }, 'NotModified'],
    [{ ifModifiedSince: after }, 'NotModified'],
    [{ ifUnmodifiedSince: before }, 'PreconditionFailed'],
    [{ ifUnmodifiedSince: atThatSecond }, undefined],
    [{ ifUnmodifiedSince: '2026-11-23T07:59:59Z' }, 'PreconditionFailed'],
    [{ ifModifiedSince: 'yesterday' }, undefined],
    [{ ifUnmodifiedSince: 'yesterday' }, undefined],
    // An ETag silences its date.
    [{ ifMatch: '"abc-2"', ifUnmodifiedSince: before }, undefined],
    [{ ifNoneMatch: '"abc-2"', ifModifiedSince: before }, 'NotModified'],
    [{ ifNoneMatch: '"x"', ifModifiedSince: after }, undefined],
    // A failed If-Match is told before a matching If-None-Match.
    [{ ifMatch: '"x"', ifNoneMatch: '"abc-2"' }, 'PreconditionFailed'],
  ])('%j → %s', (conditions, code) => expect(verdict(() => checkReadConditions(conditions, current))).toBe(code))

  it('carries ETag and Last-Modified on a 304', () => {
    const error = refused(() => checkReadConditions({ ifNoneMatch: '*' }, current))
    expect(error.status).toBe(304)
    expect(error.headers).toEqual({ etag: '"abc-2"', 'last-modified': atThatSecond })
  })

  it('names the condition that failed', () => {
    expect(refused(() => checkReadConditions({ ifUnmodifiedSince: before }, current)).details).toEqual({ Condition: 'If-Unmodified-Since' })
  })
})

it.each([[{ ifNoneMatch: '"abc-2"' }], [{ ifModifiedSince: after }], [{ ifMatch: '"x"' }], [{ ifUnmodifiedSince: before }]])(
  'answers 412, never 304, for a copy source under %j',
  (conditions) => expect(refused(() => checkCopySourceConditions(conditions, current)).status).toBe(412),
)

it('copies a source whose conditions hold', () => {
  expect(verdict(() => checkCopySourceConditions({ ifMatch: '"abc-2"', ifUnmodifiedSince: before }, current))).toBeUndefined()
})

describe('checkWriteConditions', () => {
  const object = { etag: 'abc', isDeleteMarker: false }
  const marker = { etag: '', isDeleteMarker: true }

  it.each([
    [{}, object, undefined],
    [{ ifNoneMatch: '*' }, object, 'PreconditionFailed'],
    [{ ifNoneMatch: '*' }, marker, undefined],
    [{ ifNoneMatch: '*' }, undefined, undefined],
    [{ ifNoneMatch: '"abc"' }, object, 'PreconditionFailed'],
    [{ ifNoneMatch: '"x"' }, object, undefined],
    [{ ifMatch: '"abc"' }, object, undefined],
    [{ ifMatch: '*' }, object, undefined],
    [{ ifMatch: '"x"' }, object, 'PreconditionFailed'],
    [{ ifMatch: '"abc"' }, marker, 'NoSuchKey'],
    [{ ifMatch: '"abc"' }, undefined, 'NoSuchKey'],
    [{ ifMatch: '*' }, undefined, 'NoSuchKey'],
    [{ ifMatch: '"abc"', ifNoneMatch: '*' }, object, 'PreconditionFailed'],
  ])('%j over %j → %s', (conditions, existing, code) => expect(verdict(() => checkWriteConditions(conditions, existing))).toBe(code))

  it('names the missing key', () =>
    expect(refused(() => checkWriteConditions({ ifMatch: '*' }, undefined, 'k')).details).toEqual({ Key: 'k' }))
})

it.each([
  ['"abc"', { etag: 'abc', isDeleteMarker: false }, undefined],
  ['"x"', { etag: 'abc', isDeleteMarker: false }, 'PreconditionFailed'],
  ['"x"', undefined, undefined],
  ['"x"', { etag: '', isDeleteMarker: true }, undefined],
])('deletes under If-Match %s over %j → %s', (ifMatch, existing, code) =>
  expect(verdict(() => checkDeleteConditions({ ifMatch }, existing))).toBe(code),
)

describe('parseHttpDate', () => {
  const known = Date.UTC(1994, 10, 6, 8, 49, 37)
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', known],
    ['Sun, 6 Nov 1994 08:49:37 GMT', known],
    ['Sun, 06 Nov 1994 08:49:37 +0000', known],
    ['1994-11-06T08:49:37Z', known],
    ['1994-11-06T08:49:37.250Z', known + 250],
    ['1994-11-06T08:49:37+00:00', known],
  ])('reads %s', (text, ms) => expect(parseHttpDate(text)).toBe(ms))

  it.each([
    '',
    'now',
    '784111777',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    '1994-11-06',
    '1994-13-06T08:49:37Z',
    '1994-11-06T25:49:37Z',
  ])('passes over %j', (text) => expect(parseHttpDate(text)).toBeUndefined())
})
