// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so
import { describe, expect, it } from 'vitest'
import { evaluateConditions, parseConditions } from '../../src/model/policy-conditions.ts'
import { PolicyContext } from '../../src/model/policy-context.ts'

type Context = Readonly<Record<string, string | readonly string[]>>

function holds(condition: unknown, context: Context = {}): boolean | 'unknown' {
  return evaluateConditions(parseConditions(condition), { context: new PolicyContext(context), variables: true })
}

const user = (value: string): Context => ({ 'aws:username': value })

describe('operators', () => {
  it.each<[string, unknown, string, boolean | 'unknown']>([
    ['StringEquals', 'ann', 'ann', true],
    ['StringEquals', 'ann', 'Ann', false],
    ['StringEquals', 'a*', 'ann', false],
    ['StringEquals', ['bob', 'ann'], 'ann', true],
    ['StringNotEquals', 'ann', 'ann', false],
    ['StringNotEquals', ['ann', 'bob'], 'bob', false],
    ['StringNotEquals', ['ann', 'bob'], 'eve', true],
    ['StringEqualsIgnoreCase', 'ANN', 'ann', true],
    ['StringNotEqualsIgnoreCase', 'ANN', 'ann', false],
    ['StringLike', 'a*n', 'ann', true],
    ['StringLike', 'a?', 'ann', false],
    ['StringNotLike', 'a*', 'ann', false],
    ['NumericEquals', '10', '10.0', true],
    ['NumericEquals', 10, '10', true],
    ['NumericNotEquals', '10', '10', false],
    ['NumericLessThan', '10', '9', true],
    ['NumericLessThan', '10', '10', false],
    ['NumericLessThanEquals', '10', '10', true],
    ['NumericGreaterThan', '10', '10', false],
    ['NumericGreaterThanEquals', '10', '10', true],
    ['NumericLessThan', '10', 'nine', 'unknown'],
    ['NumericNotEquals', '10', 'nine', 'unknown'],
    ['DateEquals', '2026-01-01T00:00:00Z', '1767225600', true],
    ['DateNotEquals', '2026-01-01', '2026-01-01T00:00Z', false],
    ['DateLessThan', '2026-01-01T01:00:00+02:00', '2025-12-31T22:59:59.999Z', true],
    ['DateLessThan', '2026-01-01T01:00:00+02:00', '2025-12-31T23:00:00Z', false],
    ['DateLessThanEquals', '2026-01-01', '2026-01-01', true],
    ['DateGreaterThan', '2026-01-01', '2026-01-02', true],
    ['DateGreaterThanEquals', '2026-01-01', '2025-12-31', false],
    ['Bool', 'true', 'True', true],
    ['Bool', true, 'true', true],
    ['Bool', 'false', 'true', false],
    ['Bool', 'false', 'maybe', 'unknown'],
    ['BinaryEquals', 'QmluYXJ5', 'QmluYXJ5', true],
    ['BinaryEquals', 'QmluYXJ5', 'qmluYXJ5', false],
    ['IpAddress', ['10.0.0.0/8', '192.0.2.0/24'], '192.0.2.9', true],
    ['IpAddress', '10.0.0.0/8', '192.0.2.9', false],
    ['IpAddress', '10.0.0.0/8', 'nowhere', 'unknown'],
    ['NotIpAddress', '10.0.0.0/8', '10.1.2.3', false],
    ['NotIpAddress', '10.0.0.0/8', '11.1.2.3', true],
    ['ArnEquals', 'arn:aws:s3:::b*', 'arn:aws:s3:::bucket', true],
    ['ArnLike', 'arn:aws:*:::b', 'arn:aws:s3:us-east-1::b', false],
    ['ArnLike', 'arn:aws:iam::*:role/x', 'arn:aws:iam::123456789012:role/x', true],
    ['ArnLike', 'arn:aws:sns:*:*:t:*', 'arn:aws:sns:r:a:t:u:v', true],
    ['ArnNotEquals', 'arn:aws:s3:::b', 'arn:aws:s3:::b', false],
    ['ArnNotLike', 'arn:aws:s3:::b*', 'arn:aws:s3:::c', true],
    ['ArnLike', 'arn:aws:s3:::b', 'not an arn', 'unknown'],
  ])('%s %j on %j: %s', (operator, wanted, requested, expected) => {
    expect(holds({ [operator]: { 'aws:username': wanted } }, user(requested))).toBe(expected)
  })

  it('are all needed, and so are all keys of one', () => {
    const condition = { StringEquals: { 'aws:username': 'a', 'aws:userid': 'b' }, Bool: { 'aws:SecureTransport': 'true' } }
    const met: Context = { 'aws:username': 'a', 'aws:userid': 'b', 'aws:SecureTransport': 'true' }
    expect(holds(condition, met)).toBe(true)
    for (const key of Object.keys(met)) expect(holds(condition, { ...met, [key]: 'false' })).toBe(false)
  })

  it('compare with variables', () => {
    const condition = { StringLike: { 's3:prefix': 'home/${aws:username}/*' } }
    expect(holds(condition, { 'aws:username': 'ann', 's3:prefix': 'home/ann/x' })).toBe(true)
    expect(holds(condition, { 'aws:username': '*', 's3:prefix': 'home/ann/x' })).toBe(false)
    expect(holds(condition, { 's3:prefix': 'home/ann/x' })).toBe(false)
  })
})

describe('a key that the request lacks', () => {
  it.each<[string, unknown, boolean]>([
    ['StringEquals', 'a', false],
    ['StringNotEquals', 'a', true],
    ['StringEqualsIfExists', 'a', true],
    ['NumericLessThan', '1', false],
    ['NumericLessThanIfExists', '1', true],
    ['NotIpAddress', '1.2.3.4', true],
    ['Bool', 'false', false],
    ['BoolIfExists', 'false', true],
    ['ArnLike', 'arn:aws:s3:::*', false],
    ['Null', 'true', true],
    ['Null', 'false', false],
    ['Null', true, true],
    ['ForAnyValue:StringEquals', 'a', false],
    ['ForAnyValue:StringNotEquals', 'a', false],
    ['ForAllValues:StringEquals', 'a', true],
  ])('%s %j: %s', (operator, value, expected) => {
    expect(holds({ [operator]: { 'aws:username': value } })).toBe(expected)
    expect(holds({ [operator]: { 'aws:username': value } }, { 'aws:username': [] })).toBe(expected)
  })

  it('is there for Null when it has a value', () => {
    expect(holds({ Null: { 'aws:username': 'true' } }, user('a'))).toBe(false)
    expect(holds({ Null: { 'aws:username': 'false' } }, user('a'))).toBe(true)
  })

  it('is still compared with IfExists when it is there', () => {
    expect(holds({ StringEqualsIfExists: { 'aws:username': 'a' } }, user('b'))).toBe(false)
  })
})

describe('a key with many values', () => {
  const tagKeys = (...values: string[]): Context => ({ 'aws:TagKeys': values })

  it.each<[string, string[], string[], boolean]>([
    ['ForAnyValue:StringEquals', ['a', 'b'], ['b', 'c'], true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c'], false],
    ['ForAllValues:StringEquals', ['a', 'b'], ['b', 'a'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['b', 'c'], false],
    ['ForAllValues:StringLike', ['a*'], ['ab', 'ac'], true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'c'], true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'b'], false],
    ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'd'], true],
    ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'a'], false],
    ['ForAllValues:StringEqualsIfExists', ['a'], ['a'], true],
  ])('%s %j on %j: %s', (operator, wanted, requested, expected) => {
    expect(holds({ [operator]: { 'aws:TagKeys': wanted } }, tagKeys(...requested))).toBe(expected)
  })

  it('is not decided by a plain operator', () => {
    expect(holds({ StringEquals: { 'aws:TagKeys': 'a' } }, tagKeys('a', 'b'))).toBe('unknown')
  })
})

describe('a key that nobody here knows', () => {
  it.each(['StringEquals', 'StringNotEquals', 'StringEqualsIfExists', 'ForAllValues:StringEquals'])('leaves %s open', (operator) => {
    expect(holds({ [operator]: { 'ec2:Vpc': 'a' } })).toBe('unknown')
  })

  it('is known once the request has it, whatever its case', () => {
    expect(holds({ StringEquals: { 'ec2:VPC': 'a' } }, { 'EC2:Vpc': 'a' })).toBe(true)
  })
})
