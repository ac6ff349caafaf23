import { describe, expect, it } from 'vitest'
import {
  inlinePolicy,
  inlinePolicyNames,
  mayAssume,
  parseRole,
  type Role,
  withInlinePolicy,
  withoutInlinePolicy,
} from '../../src/model/role.ts'

function trustOf(statement: object): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole', ...statement },
  })
}

function roleOf(trustPolicy = trustOf({})): Role {
  return {
    name: 'replication',
    arn: 'arn:aws:iam::123456789012:role/replication',
    id: 'AROAEXAMPLE',
    path: '/',
    accountId: '123456789012',
    createdMs: 0,
    trustPolicy,
    type: 'role',
    attachedPolicies: [],
    tags: [],
    inlinePolicies: {},
  }
}

const policy = (resource = '*') => JSON.stringify({ Statement: { Effect: 'Allow', Action: 's3:*', Resource: resource } })

describe('inline policies', () => {
  it('are put, replaced, listed in order and taken away', () => {
    const one = withInlinePolicy(roleOf(), { name: 'b', document: policy() })
    const two = withInlinePolicy(one, { name: 'a', document: policy() })
    const replaced = withInlinePolicy(two, { name: 'b', document: policy('arn:aws:s3:::x') })
    expect(inlinePolicyNames(replaced)).toEqual(['a', 'b'])
    expect(inlinePolicy(replaced, 'b')).toBe(policy('arn:aws:s3:::x'))
    expect(inlinePolicyNames(withoutInlinePolicy(replaced, 'a'))).toEqual(['b'])
    expect(inlinePolicyNames(one)).toEqual(['b'])
  })

  it.each(['__proto__', 'constructor', 'toString'])('may be called %s', (name) => {
    expect(inlinePolicy(roleOf(), name)).toBeUndefined()
    const role = withInlinePolicy(roleOf(), { name, document: policy() })
    const stored: Role = JSON.parse(JSON.stringify(role))
    expect(inlinePolicy(stored, name)).toBe(policy())
    expect(parseRole({ role: stored, attached: [] }).policies).toHaveLength(1)
    expect(inlinePolicyNames(withoutInlinePolicy(stored, name))).toEqual([])
  })

  it('are refused when one is malformed, or all together are too large', () => {
    expect(() => withInlinePolicy(roleOf(), { name: 'a', document: '{' })).toThrow(expect.objectContaining({ kind: 'malformed' }))
    const large = policy(`arn:aws:s3:::${'b'.repeat(6000)}`)
    const role = withInlinePolicy(roleOf(), { name: 'a', document: large })
    expect(() => withInlinePolicy(role, { name: 'b', document: large })).toThrow(expect.objectContaining({ kind: 'tooLarge' }))
    expect(() => withInlinePolicy(role, { name: 'a', document: large })).not.toThrow()
  })
})

describe('assuming a role', () => {
  const assume = (trustPolicy: string) =>
    mayAssume(parseRole({ role: roleOf(trustPolicy), attached: [] }), { service: 's3.amazonaws.com', sourceBucket: 'source' })

  it.each<[string, object, boolean]>([
    ['names S3', {}, true],
    ['names S3 among others', { Principal: { Service: ['batchoperations.s3.amazonaws.com', 's3.amazonaws.com'] } }, true],
    ['names another service', { Principal: { Service: 'batchoperations.s3.amazonaws.com' } }, false],
    ['names an account', { Principal: { AWS: '123456789012' } }, false],
    ['names everyone', { Principal: '*' }, false],
    ['allows another way of assuming', { Action: 'sts:AssumeRoleWithWebIdentity' }, false],
    ['asks for this account', { Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } } }, true],
    ['asks for another account', { Condition: { StringEquals: { 'aws:SourceAccount': '999999999999' } } }, false],
    ['asks for the source bucket', { Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::source' } } }, true],
    ['asks for another bucket', { Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::other' } } }, false],
    ['asks for an external id', { Condition: { StringEquals: { 'sts:ExternalId': 'x' } } }, false],
    ['denies', { Effect: 'Deny' }, false],
  ])('when its trust policy %s: %s', (_name, statement, expected) => {
    expect(assume(trustOf(statement))).toBe(expected)
  })

  it('is refused by a Deny of everyone beside an Allow of S3', () => {
    const statements = [
      { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' },
      { Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole' },
    ]
    expect(assume(JSON.stringify({ Statement: statements }))).toBe(false)
  })
})
