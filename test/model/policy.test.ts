// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so
import { describe, expect, it } from 'vitest'
import { evaluate, type PolicyRequest } from '../../src/model/policy.ts'
import { parsePolicy } from '../../src/model/policy-document.ts'

type Statement = Readonly<Record<string, unknown>>

function verdict(statements: Statement | readonly Statement[], request: Partial<PolicyRequest> = {}, version = '2012-10-17'): string {
  const document = parsePolicy(JSON.stringify({ Version: version, Statement: statements }), 'identity')
  return evaluate([document], { action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', ...request })
}

const all = { Effect: 'Allow', Action: '*', Resource: '*' }
const none = { Effect: 'Deny', Action: '*', Resource: '*' }

describe('evaluation', () => {
  it('denies what nothing allows, allows what a statement allows, and lets a Deny win in any order', () => {
    expect(evaluate([], { action: 's3:GetObject', resource: '*' })).toBe('implicitDeny')
    expect(verdict(all)).toBe('allow')
    expect(verdict([all, none])).toBe('explicitDeny')
    expect(verdict([none, all])).toBe('explicitDeny')
  })

  it('lets a Deny of one document win over an Allow of another', () => {
    const parse = (statement: Statement) => parsePolicy(JSON.stringify({ Statement: statement }), 'identity')
    expect(evaluate([parse(all), parse(none)], { action: 's3:GetObject', resource: '*' })).toBe('explicitDeny')
  })

  it.each([
    ['s3:GetObject', 'allow'],
    ['S3:getobject', 'allow'],
    ['s3:Get*', 'allow'],
    ['s3:GetObjec?', 'allow'],
    ['s3:*', 'allow'],
    ['*', 'allow'],
    ['s3:GetObjectVersion', 'implicitDeny'],
    ['s3:Get', 'implicitDeny'],
    ['iam:*', 'implicitDeny'],
  ])('action %s: %s', (action, expected) => {
    expect(verdict({ ...all, Action: action })).toBe(expected)
  })

  it.each([
    ['arn:aws:s3:::b/k', 'allow'],
    ['arn:aws:s3:::b/*', 'allow'],
    ['arn:aws:s3:::?/k', 'allow'],
    ['arn:aws:s3:::*', 'allow'],
    ['arn:aws:s3:::b', 'implicitDeny'],
    ['arn:aws:s3:::b/', 'implicitDeny'],
    ['arn:aws:s3:::B/k', 'implicitDeny'],
  ])('resource %s: %s', (resource, expected) => {
    expect(verdict({ ...all, Resource: resource })).toBe(expected)
  })

  it('takes NotAction and NotResource as all but these', () => {
    expect(verdict({ Effect: 'Allow', NotAction: 's3:Put*', Resource: '*' })).toBe('allow')
    expect(verdict({ Effect: 'Allow', NotAction: ['iam:*', 's3:Get*'], Resource: '*' })).toBe('implicitDeny')
    expect(verdict({ Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::other/*' })).toBe('allow')
    expect(verdict({ Effect: 'Allow', Action: '*', NotResource: ['arn:aws:s3:::other/*', 'arn:aws:s3:::b/*'] })).toBe('implicitDeny')
  })
})

describe('variables', () => {
  const home = { ...all, Resource: 'arn:aws:s3:::${aws:username}/*' }

  it('are replaced by what the request holds', () => {
    expect(verdict(home, { context: { 'aws:username': 'b' } })).toBe('allow')
    expect(verdict(home, { context: { 'AWS:UserName': 'b' } })).toBe('allow')
    expect(verdict(home, { context: { 'aws:username': 'c' } })).toBe('implicitDeny')
  })

  it('never bring wildcards of their own', () => {
    expect(verdict(home, { context: { 'aws:username': '*' } })).toBe('implicitDeny')
    expect(
      verdict(
        { ...all, Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::1:user/${aws:username}' } } },
        {
          context: { 'aws:username': '*', 'aws:PrincipalArn': 'arn:aws:iam::1:user/x' },
        },
      ),
    ).toBe('implicitDeny')
  })

  it('open nothing when the request lacks them, in Resource or in NotResource', () => {
    expect(verdict(home)).toBe('implicitDeny')
    expect(verdict({ Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::${aws:username}/*' })).toBe('implicitDeny')
    expect(verdict([all, { ...home, Effect: 'Deny' }])).toBe('allow')
    expect(verdict([all, { Effect: 'Deny', Action: '*', Resource: 'arn:aws:s3:::${saml:sub}/*' }])).toBe('explicitDeny')
  })

  it('may have a default, and stand for a wildcard character', () => {
    expect(verdict({ ...all, Resource: "arn:aws:s3:::${aws:username, 'b'}/*" })).toBe('allow')
    expect(verdict({ ...all, Resource: 'arn:aws:s3:::b/${*}' })).toBe('implicitDeny')
    expect(verdict({ ...all, Resource: 'arn:aws:s3:::b/${*}' }, { resource: 'arn:aws:s3:::b/*' })).toBe('allow')
    expect(verdict({ ...all, Resource: 'arn:aws:s3:::b/${$}${?}' }, { resource: 'arn:aws:s3:::b/$?' })).toBe('allow')
  })

  it('are plain text in a policy of 2008-10-17', () => {
    expect(verdict(home, { context: { 'aws:username': 'b' } }, '2008-10-17')).toBe('implicitDeny')
    expect(verdict(home, { resource: 'arn:aws:s3:::${aws:username}/k' }, '2008-10-17')).toBe('allow')
  })
})

describe('what nobody here can tell', () => {
  const unknownKey = { StringEquals: { 'ec2:Vpc': 'a' } }

  it('makes no Allow and is no escape from a Deny', () => {
    expect(verdict({ ...all, Condition: unknownKey })).toBe('implicitDeny')
    expect(verdict({ ...all, Condition: { StringNotEquals: { 'ec2:Vpc': 'a' } } })).toBe('implicitDeny')
    expect(verdict({ ...all, Condition: { StringEqualsIfExists: { 'ec2:Vpc': 'a' } } })).toBe('implicitDeny')
    expect(verdict([all, { ...none, Condition: unknownKey }])).toBe('explicitDeny')
  })

  it('does not matter where another condition already fails', () => {
    const condition = { ...unknownKey, Bool: { 'aws:SecureTransport': 'true' } }
    expect(verdict([all, { ...none, Condition: condition }], { context: { 'aws:SecureTransport': 'false' } })).toBe('allow')
  })

  it('is also an operator that a stored policy has and this server does not know', () => {
    const document = (effect: 'Allow' | 'Deny') => ({
      kind: 'identity' as const,
      version: '2012-10-17' as const,
      statements: [
        {
          effect,
          actions: { negated: false, patterns: ['*'] },
          resources: { negated: false, patterns: ['*'] },
          conditions: [{ operator: 'StringSounds', ifExists: true, key: 'aws:username', values: ['a'] }],
        },
      ],
    })
    const request = { action: 's3:GetObject', resource: '*', context: { 'aws:username': 'a' } }
    expect(evaluate([document('Allow')], request)).toBe('implicitDeny')
    expect(evaluate([document('Deny')], request)).toBe('explicitDeny')
  })
})
