import aws4 from 'aws4'
import { describe, expect, it } from 'vitest'
import { canonicalHeaders, canonicalQuery, canonicalS3Path, canonicalServicePath, queryPairs } from '../../../src/s3/auth/canonical.ts'
import { SigningKeys } from '../../../src/s3/auth/signing-keys.ts'
import { accessKeyId, headOf, secretAccessKey, signingKey, verify } from './requests.ts'

const query = (raw: string) => canonicalQuery(queryPairs(raw))

describe('the canonical path of S3', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    ['/b/a//b/', '/b/a//b/'],
    ['/b/./../c', '/b/./../c'],
    ['/b/a+b', '/b/a%2Bb'],
    ['/b/a%20b', '/b/a%20b'],
    ['/b/a b', '/b/a%20b'],
    ['/b/%7e%2d%41', '/b/~-A'],
    ['/b/%c3%a9', '/b/%C3%A9'],
    ['/b/\xc3\xa9', '/b/%C3%A9'],
    ['/b/a%2Fb', '/b/a/b'],
    ['/b/100%', '/b/100%25'],
    ['/b/%zz%4', '/b/%25zz%254'],
    ['/b/%2525', '/b/%2525'],
    ["/b/!*'();:@&=$,[]", '/b/%21%2A%27%28%29%3B%3A%40%26%3D%24%2C%5B%5D'],
  ])('of %s is %s', (raw, canonical) => {
    expect(canonicalS3Path(raw)).toBe(canonical)
  })
})

describe('the canonical path of other services', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    ['//', '/'],
    ['/a/../..', '/'],
    ['/a//b/./c/../d/', '/a/b/d/'],
    ['/a%20b', '/a%2520b'],
  ])('of %s is %s', (raw, canonical) => {
    expect(canonicalServicePath(raw)).toBe(canonical)
  })
})

describe('the canonical query', () => {
  it.each([
    ['', ''],
    ['acl', 'acl='],
    ['acl=', 'acl='],
    ['b=2&a=1', 'a=1&b=2'],
    ['a=2&a=1', 'a=1&a=2'],
    ['a=1&&b=2&', 'a=1&b=2'],
    // By name, not by "name=value": '-' and '.' come before '='.
    ['a-b=1&a=2&a.b=3&aB=4', 'a=2&a-b=1&a.b=3&aB=4'],
    ['prefix=a+b', 'prefix=a%20b'],
    ['prefix=a%2Bb', 'prefix=a%2Bb'],
    ['prefix=a/b%2fc', 'prefix=a%2Fb%2Fc'],
    ['a=b=c', 'a=b%3Dc'],
    ['a=100%&b=%e9', 'a=100%25&b=%E9'],
  ])('of %s is %s', (raw, canonical) => {
    expect(query(raw)).toBe(canonical)
  })
})

describe('canonical headers', () => {
  it('are trimmed, collapsed, joined when repeated, and in the order of their names', () => {
    const raw = ['X-Amz-B', '  two   words\t here ', 'Host', 'h', 'x-amz-a', '1', 'X-AMZ-A', ' 2 ', 'Other', 'x']
    expect(canonicalHeaders(raw, ['host', 'x-amz-a', 'x-amz-b'])).toEqual({
      text: 'host:h\nx-amz-a:1,2\nx-amz-b:two words here\n',
      notSigned: [],
    })
  })

  it('keep the bytes of a value that is not ASCII', () => {
    // U+00A0 in UTF-8 is C2 A0, and A0 alone is white space to JavaScript.
    const value = Buffer.from('\u00a0à', 'utf8').toString('latin1')
    expect(canonicalHeaders(['Host', value], ['host']).text).toBe(`host:${value}\n`)
  })
})

/** Written as the AWS SDKs write keys: every byte but the unreserved ones escaped. */
function encoded(key: string): string {
  return key
    .split('/')
    .map((part) => encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`))
    .join('/')
}

const oddKeys = [
  'plain.txt',
  'a b',
  'a+b',
  'a%20b',
  'a%2Fb',
  'a//b',
  '/leading',
  'trailing/',
  'a/./b',
  'a/../b',
  'quotes\'"`',
  "x!*'();:@&=$,?#[]",
  '~tilde-dash_dot.',
  'é ü 漢字 😀',
  'é (decomposed)',
  '\u0001\u007f',
  '__proto__',
]
const oddQueries = [
  '',
  'acl',
  'list-type=2&prefix=a%2Fb%20c&delimiter=%2F',
  'versionId=null&response-content-disposition=attachment%3B%20filename%3D%22a%20b%22',
  'prefix=%C3%A9%2B&marker=%F0%9F%98%80',
  'uploads=',
  'partNumber=1&uploadId=a-b_c.d~e',
  'a-b=1&a=2',
]

describe('what aws4 signs', () => {
  it.each(oddKeys)('is accepted for the key %j with every query', (key) => {
    for (const rawQuery of oddQueries) {
      const path = `/bucket/${encoded(key)}${rawQuery === '' ? '' : `?${rawQuery}`}`
      const request = { method: 'PUT', path, service: 's3', region: 'us-east-1', headers: { Host: 'h', 'X-Amz-Date': '20130524T000000Z' } }
      const { headers = {} } = aws4.sign(request, { accessKeyId, secretAccessKey })
      const pairs = Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
      expect(verify(headOf(`PUT ${path}`, pairs)).kind).toBe('signed')
    }
  })

  it.each(oddKeys)('is accepted when the wire escapes more or less than the signer did, for the key %j', (key) => {
    const request = {
      method: 'GET',
      path: `/b/${encoded(key)}`,
      service: 's3',
      region: 'us-east-1',
      headers: { Host: 'h', 'X-Amz-Date': '20130524T000000Z' },
    }
    const { headers = {} } = aws4.sign(request, { accessKeyId, secretAccessKey })
    const pairs = Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
    const everyByte = [...Buffer.from(key)].map((byte) => (byte === 0x2f ? '/' : `%${byte.toString(16).padStart(2, '0')}`)).join('')
    const latin1 = Buffer.from(key)
      .toString('latin1')
      .replace(/[%? ]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
    for (const path of [everyByte, latin1]) expect(verify(headOf(`GET /b/${path}`, pairs)).kind).toBe('signed')
  })
})

describe('signing keys', () => {
  const of = { secretAccessKey, date: '20130524', region: 'us-east-1', service: 's3' }

  it('are derived once and kept', () => {
    const keys = new SigningKeys()
    expect(keys.get(of)).toEqual(signingKey)
    expect(keys.get({ ...of })).toBe(keys.get(of))
    expect(keys.get({ ...of, service: 'sts' })).not.toEqual(signingKey)
  })

  it('make room by forgetting the one used longest ago', () => {
    const keys = new SigningKeys(2)
    const first = keys.get(of)
    const second = keys.get({ ...of, region: 'eu-west-1' })
    expect(keys.get(of)).toBe(first)
    keys.get({ ...of, region: 'eu-north-1' })
    expect(keys.size).toBe(2)
    expect(keys.get(of)).toBe(first)
    expect(keys.get({ ...of, region: 'eu-west-1' })).not.toBe(second)
  })
})
