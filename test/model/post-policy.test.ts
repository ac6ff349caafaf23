import { describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import { expandedFields, formHeaders } from '../../src/model/post-form.ts'
import { checkPostPolicy, parsePostPolicy } from '../../src/model/post-policy.ts'

const expiration = '2030-01-01T00:00:00.000Z'
const nowMs = Date.parse(expiration) - 1
const policyOf = (conditions: unknown) => parsePostPolicy(Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64'))
const check = (conditions: readonly unknown[], fields: Readonly<Record<string, string>>, at = nowMs) =>
  checkPostPolicy(policyOf([{ bucket: 'b' }, ...conditions]), { fields: new Map(Object.entries(fields)), bucketName: 'b', nowMs: at })

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof S3Error) return `${error.code}: ${error.message}`
    throw error
  }
  return 'nothing'
}

describe('the policy of a form', () => {
  it('takes fields that its conditions speak of, in any case, and names the one that fails', () => {
    expect(check([{ KEY: 'k' }, ['eq', '$Acl', 'private']], { key: 'k', acl: 'private' })).toBeUndefined()
    expect(refusal(() => check([['starts-with', '$Key', 'x/']], { key: 'k' }))).toBe(
      'AccessDenied: Invalid according to Policy: Policy Condition failed: ["starts-with","$Key","x/"]',
    )
    expect(refusal(() => check([], { key: 'k' }))).toBe('AccessDenied: Invalid according to Policy: Extra input fields: key')
  })

  it('does not take the prototype of an object for a field', () => {
    expect(refusal(() => check([['starts-with', '$constructor', '']], {}))).toContain('Policy Condition failed')
    expect(refusal(() => check([], JSON.parse('{"__proto__":"x"}')))).toContain('Extra input fields: __proto__')
  })

  it('ends at its expiration', () => {
    expect(refusal(() => check([], {}, nowMs))).toBe('nothing')
    expect(refusal(() => check([], {}, nowMs + 1))).toContain('Policy expired')
  })

  it('holds all of its ranges together', () => {
    const ranges = [
      ['content-length-range', 1, 10],
      ['Content-Length-Range', '5', 20],
    ]
    expect(check(ranges, {})).toEqual({ minBytes: 5, maxBytes: 10 })
  })

  it.each([
    ['no list', 'x'],
    ['a name twice', undefined],
    ['a number as value', [{ key: 1 }]],
    ['two names in one', [{ key: 'a', acl: 'b' }]],
    ['a field without $', [['eq', 'key', 'a']]],
    ['a range upside down', [['content-length-range', 2, 1]]],
    ['a range of fractions', [['content-length-range', 0, 1.5]]],
    ['a null', [null]],
    ['too many conditions', Array.from({ length: 1001 }, () => ({ key: 'k' }))],
  ])('is refused with %s', (_what, conditions) => {
    const twice = () => parsePostPolicy(Buffer.from(`{"expiration":"${expiration}","conditions":[],"conditions":[]}`).toString('base64'))
    expect(refusal(conditions === undefined ? twice : () => policyOf(conditions))).toMatch(/^InvalidPolicyDocument: Invalid Policy: /)
  })

  it.each(['', '!', '====', Buffer.from([0xff, 0xfe]).toString('base64'), 'bnVsbA=='])('is refused as %j', (text) => {
    expect(refusal(() => parsePostPolicy(text))).toMatch(/^InvalidPolicyDocument/)
  })
})

describe('the fields of a form', () => {
  const variable = ['$', '{filename}'].join('')

  it.each([
    ['a.txt', 'a.txt'],
    ['C:\\x\\a.txt', 'a.txt'],
    ['/x/y/a$&.txt', 'a$&.txt'],
    ['dir/', ''],
    ['', ''],
  ])('get the name of the file %j as %j', (fileName, name) => {
    const fields = expandedFields(new Map([['key', `u/${variable}/${variable}`]]), fileName)
    expect(fields.get('key')).toBe(`u/${name}/${name}`)
  })

  it('become headers only where they mean something', () => {
    const fields = new Map(
      Object.entries({ key: 'k', acl: 'private', host: 'x', 'x-amz-meta-a': ' ü ', 'if-match': 'x', 'x-ignore-a': '\n' }),
    )
    expect(formHeaders(fields)).toEqual({ 'x-amz-acl': 'private', 'x-amz-meta-a': Buffer.from('ü').toString('latin1') })
  })
})
