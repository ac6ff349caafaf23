import { describe, expect, it } from 'vitest'
import { checkBucketTags, checkObjectTags, parseTaggingHeader, type Tag } from '../../src/model/tags.ts'
import { verdict } from './refused.ts'

const many = (count: number): Tag[] => Array.from({ length: count }, (_, i) => ({ Key: `k${i}`, Value: '' }))

describe('tags', () => {
  it('takes 10 on an object and refuses 11 with BadRequest', () => {
    expect(verdict(() => checkObjectTags(many(10)))).toBeUndefined()
    expect(verdict(() => checkObjectTags(many(11)))).toBe('BadRequest')
  })

  it('takes 50 on a bucket and refuses 51', () => {
    expect(verdict(() => checkBucketTags(many(50)))).toBeUndefined()
    expect(verdict(() => checkBucketTags(many(51)))).toBe('BadRequest')
  })

  it.each([
    [{ Key: 'k'.repeat(128), Value: 'v'.repeat(256) }],
    [{ Key: 'Ünï 0+-=._:/@', Value: '東京' }],
    [{ Key: '__proto__', Value: 'x' }],
    [{ Key: 'awsome', Value: 'aws:x' }],
  ])('takes %j', (tag) => expect(verdict(() => checkObjectTags([tag]))).toBeUndefined())

  it.each([
    [{ Key: '', Value: '' }],
    [{ Key: 'k'.repeat(129), Value: '' }],
    [{ Key: 'k', Value: 'v'.repeat(257) }],
    [{ Key: 'a<b', Value: '' }],
    [{ Key: 'a', Value: 'b&c' }],
    [{ Key: 'a\n', Value: '' }],
    [{ Key: 'a', Value: '\0' }],
    [{ Key: 'aws:x', Value: '' }],
    [{ Key: 'AWS:x', Value: '' }],
  ])('refuses %j with InvalidTag', (tag) => {
    expect(verdict(() => checkObjectTags([tag]))).toBe('InvalidTag')
    expect(verdict(() => checkBucketTags([tag]))).toBe('InvalidTag')
  })

  it('refuses a repeated key', () => {
    expect(
      verdict(() =>
        checkObjectTags([
          { Key: 'a', Value: '1' },
          { Key: 'a', Value: '2' },
        ]),
      ),
    ).toBe('InvalidTag')
  })
})

describe('x-amz-tagging', () => {
  it.each<[string, Tag[]]>([
    ['', []],
    [
      'a=1&b=2',
      [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ],
    ],
    ['a', [{ Key: 'a', Value: '' }]],
    ['a=b=c', [{ Key: 'a', Value: 'b=c' }]],
    ['a+b=c%20d%2Be', [{ Key: 'a b', Value: 'c d+e' }]],
    ['caf%C3%A9=\u00c3\u00a9', [{ Key: 'café', Value: 'é' }]],
    ['&a=1&', [{ Key: 'a', Value: '1' }]],
  ])('reads %j', (header, tags) => expect(parseTaggingHeader(header)).toEqual(tags))

  it.each([
    ['a=%zz', 'InvalidArgument'],
    ['a=%FF', 'InvalidArgument'],
    ['=1', 'InvalidTag'],
    ['a=1&a=2', 'InvalidTag'],
    [
      many(11)
        .map(({ Key }) => `${Key}=`)
        .join('&'),
      'BadRequest',
    ],
  ])('refuses %j with %s', (header, code) => expect(verdict(() => parseTaggingHeader(header))).toBe(code))
})
