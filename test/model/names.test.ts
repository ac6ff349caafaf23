import { describe, expect, it } from 'vitest'
import { checkBucketName, checkKey, checkKeyText, compareKeys, decodePathKey, keyAfter, prefixEnd } from '../../src/model/names.ts'
import { verdict } from './refused.ts'

describe('checkBucketName', () => {
  it.each([
    'abc',
    'my-bucket',
    'my.bucket.1',
    '1abc',
    'a'.repeat(63),
    'a.-b',
    '1.2.3',
    'amzn-s3-demo-bucket',
    '__proto__'.replace(/_/g, 'x'),
  ])('accepts %s', (name) => expect(verdict(() => checkBucketName(name))).toBeUndefined())

  it.each([
    '',
    'ab',
    'a'.repeat(64),
    'Abc',
    'a_b',
    '__proto__',
    '-abc',
    'abc-',
    '.abc',
    'abc.',
    'a..b',
    '192.168.5.4',
    '1.2.3.4444',
    'xn--abc',
    'sthree-abc',
    'sthree-configurator',
    'abc-s3alias',
    'abc--ol-s3',
    'abc.mrap',
    'abc--x-s3',
    'abc--table-s3',
    'abc\n',
    'a/b',
    'a%20b',
    'bücket',
    '..',
    'a b c',
  ])('refuses %j with InvalidBucketName', (name) => expect(verdict(() => checkBucketName(name))).toBe('InvalidBucketName'))
})

describe('checkKey', () => {
  it.each([
    'a',
    'a//b',
    'a/',
    '/a',
    '//',
    '.',
    './a',
    'a/./b',
    'a/..',
    'a/../b',
    'a/b/../../c',
    'a//../..',
    '...',
    '__proto__',
    '\u0001',
    'é',
    '😀',
    '..a/..b',
  ])('takes %j as it is', (key) => expect(verdict(() => checkKey(key))).toBeUndefined())

  it('takes 1024 bytes of UTF-8 and refuses 1025, counted in bytes', () => {
    expect(verdict(() => checkKey('é'.repeat(512)))).toBeUndefined()
    expect(verdict(() => checkKey(`${'é'.repeat(512)}a`))).toBe('KeyTooLongError')
  })

  it.each(['..', '../a', 'a/../../b', 'a/b/../../../c', './../a'])('refuses %j, which climbs above the bucket', (key) =>
    expect(verdict(() => checkKey(key))).toBe('InvalidURI'),
  )

  it.each(['', 'a\0b', '\0', '\ud800', 'a\udc00', '\udc00\ud800'])('refuses %j with InvalidArgument', (key) =>
    expect(verdict(() => checkKey(key))).toBe('InvalidArgument'),
  )
})

describe('checkKeyText', () => {
  it('lets a prefix be empty or climb, but not be longer than a key or ill-formed', () => {
    expect(verdict(() => checkKeyText('prefix', ''))).toBeUndefined()
    expect(verdict(() => checkKeyText('prefix', '../'))).toBeUndefined()
    expect(verdict(() => checkKeyText('prefix', 'a'.repeat(1025)))).toBe('KeyTooLongError')
    expect(verdict(() => checkKeyText('prefix', '\ud800'))).toBe('InvalidArgument')
    expect(verdict(() => checkKeyText('prefix', '\0'))).toBe('InvalidArgument')
  })
})

describe('decodePathKey', () => {
  it.each([
    ['a+b', 'a+b'],
    ['a%2Bb', 'a+b'],
    ['a%20b', 'a b'],
    ['a%252Bb', 'a%2Bb'],
    ['a//b/', 'a//b/'],
    ['%C3%A9', 'é'],
    ['%f0%9f%98%80', '😀'],
    // Node shows raw bytes of the request line as latin1.
    ['\u00c3\u00a9', 'é'],
    ['e%CC%81', 'e\u0301'],
  ])('reads %s as %s', (raw, key) => expect(decodePathKey(raw)).toBe(key))

  it.each(['%', '%2', '%zz', '%FF', '%C0%AF', '%ED%A0%80', '%C3', '\u00e9', '%F4%90%80%80', '\ud800'])(
    'refuses %s with InvalidURI',
    (raw) => expect(verdict(() => decodePathKey(raw))).toBe('InvalidURI'),
  )
})

/** Texts around every edge of UTF-8 and UTF-16. */
const points = [0x01, 0x2f, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff].map((point) => String.fromCodePoint(point))
const texts = ['', ...points, ...points.flatMap((a) => points.map((b) => a + b)), ...points.map((a) => `aa${a}z`)]

describe('compareKeys', () => {
  it('orders as the UTF-8 bytes do, for every pair around the edges', () => {
    for (const a of texts) {
      for (const b of texts) {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b))
        if (Math.sign(compareKeys(a, b)) !== expected) expect.fail(`${JSON.stringify(a)} against ${JSON.stringify(b)}`)
      }
    }
  })

  it('puts U+FFFF before an emoji, which sort() does not', () => {
    expect(['😀', '\uffff'].sort(compareKeys)).toEqual(['\uffff', '😀'])
    expect(['😀', '\uffff'].sort()).toEqual(['😀', '\uffff'])
  })
})

describe('prefixEnd', () => {
  it('divides the texts above a prefix from the texts that have it, for every pair around the edges', () => {
    for (const prefix of texts) {
      const end = prefixEnd(prefix)
      for (const key of texts) {
        if (compareKeys(key, prefix) < 0) continue
        const isBelow = end === undefined || compareKeys(key, end) < 0
        if (isBelow !== key.startsWith(prefix)) expect.fail(`${JSON.stringify(key)} with prefix ${JSON.stringify(prefix)}`)
      }
    }
  })

  it('has no end for no prefix, and for the highest', () => {
    expect(prefixEnd('')).toBeUndefined()
    expect(prefixEnd('\u{10ffff}\u{10ffff}')).toBeUndefined()
    expect(prefixEnd('a\u{10ffff}')).toBe('b')
    expect(prefixEnd('\ud7ff')).toBe('\ue000')
  })
})

describe('keyAfter', () => {
  it('is above the key and not above any other key that is', () => {
    for (const key of texts) {
      expect(compareKeys(keyAfter(key), key)).toBeGreaterThan(0)
      for (const other of texts) if (compareKeys(other, key) > 0) expect(compareKeys(keyAfter(key), other)).toBeLessThanOrEqual(0)
    }
  })
})
