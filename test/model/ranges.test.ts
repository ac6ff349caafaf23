import { describe, expect, it } from 'vitest'
import {
  checkRangeOrPart,
  contentRange,
  parseCopyRange,
  parsePartNumber,
  parseRange,
  partRange,
  rangeLength,
} from '../../src/model/ranges.ts'
import { refused, verdict } from './refused.ts'

describe('parseRange', () => {
  it.each([
    ['bytes=0-4', 0, 4],
    ['bytes=5-', 5, 9],
    ['bytes=-3', 7, 9],
    ['bytes=-30', 0, 9],
    ['bytes=8-99', 8, 9],
    ['bytes=9-9', 9, 9],
    ['bytes=0-99999999999999999999999999', 0, 9],
    ['Bytes=0-0', 0, 0],
  ])('reads %s of 10 bytes', (header, start, endInclusive) => expect(parseRange(header, 10)).toEqual({ start, endInclusive }))

  it.each([
    'bytes=0-1,3-4',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=4-2',
    'items=0-1',
    '0-4',
    'bytes 0-4',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=--1',
    '',
  ])('ignores %j', (header) => expect(parseRange(header, 10)).toBeUndefined())

  it.each([
    ['bytes=10-', 10],
    ['bytes=10-20', 10],
    ['bytes=-0', 10],
    ['bytes=0-0', 0],
    ['bytes=-1', 0],
    ['bytes=0-', 0],
  ])('refuses %s of %i bytes with 416', (header, size) => {
    const error = refused(() => parseRange(header, size))
    expect(error.code).toBe('InvalidRange')
    expect(error.status).toBe(416)
    expect(error.details).toEqual({ ActualObjectSize: size, RangeRequested: header })
    expect(error.headers).toEqual({ 'content-range': `bytes */${size}` })
  })
})

describe('parseCopyRange', () => {
  it('reads first and last', () => expect(parseCopyRange('bytes=0-9', 10)).toEqual({ start: 0, endInclusive: 9 }))

  it.each(['bytes=0-10', 'bytes=10-10', 'bytes=0-', 'bytes=-5', 'bytes=5-2', '0-5', 'bytes=0-1,2-3', ''])(
    'refuses %j with InvalidArgument',
    (header) => expect(verdict(() => parseCopyRange(header, 10))).toBe('InvalidArgument'),
  )
})

describe('partRange', () => {
  const object = { sizeBytes: 12, partSizes: [5, 5, 2] }

  it('finds each part of a multipart object', () => {
    expect([1, 2, 3].map((part) => partRange(part, object))).toEqual([
      { start: 0, endInclusive: 4 },
      { start: 5, endInclusive: 9 },
      { start: 10, endInclusive: 11 },
    ])
  })

  it('answers 416 InvalidPartNumber past the last part', () => {
    const error = refused(() => partRange(4, object))
    expect([error.code, error.status, error.details.ActualPartCount]).toEqual(['InvalidPartNumber', 416, 3])
  })

  it('takes a plain object as its part 1, and has no part 2 of it', () => {
    expect(partRange(1, { sizeBytes: 12 })).toEqual({ start: 0, endInclusive: 11 })
    expect(verdict(() => partRange(2, { sizeBytes: 12 }))).toBe('InvalidPart')
  })

  it('gives an empty part an empty range', () => expect(rangeLength(partRange(1, { sizeBytes: 0, partSizes: [0] }))).toBe(0))
})

describe('part numbers', () => {
  it.each([
    ['1', 1],
    ['10000', 10000],
  ])('accepts %s', (text, number) => expect(parsePartNumber(text)).toBe(number))

  it.each(['0', '-1', '10001', '1.5', 'a', '', '1e3', ' 1', '99999999999'])('refuses %j', (text) =>
    expect(verdict(() => parsePartNumber(text))).toBe('InvalidArgument'),
  )

  it('does not go with a Range', () => {
    expect(verdict(() => checkRangeOrPart('bytes=0-1', 1))).toBe('InvalidRequest')
    expect(verdict(() => checkRangeOrPart('bytes=0-1', undefined))).toBeUndefined()
    expect(verdict(() => checkRangeOrPart(undefined, 1))).toBeUndefined()
  })
})

it('writes Content-Range', () => expect(contentRange({ start: 0, endInclusive: 4 }, 10)).toBe('bytes 0-4/10'))
