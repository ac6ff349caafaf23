import { describe, expect, it } from 'vitest'
import { parsePolicy, policySize } from '../../src/model/policy-document.ts'
import { PolicyError } from '../../src/model/policy-error.ts'

const allow = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' }
const trust = { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }

function identity(statement: unknown, rest: object = {}): string {
  return JSON.stringify({ Version: '2012-10-17', ...rest, Statement: statement })
}

describe('an identity policy', () => {
  it('takes one statement or a list, one action or a list', () => {
    expect(parsePolicy(identity(allow), 'identity')).toEqual({
      kind: 'identity',
      version: '2012-10-17',
      statements: [
        {
          effect: 'Allow',
          actions: { negated: false, patterns: ['s3:getobject'] },
          resources: { negated: false, patterns: ['arn:aws:s3:::b/*'] },
          conditions: [],
        },
      ],
    })
    const listed = parsePolicy(identity([{ ...allow, Sid: 'one', Action: ['s3:*', 'iam:GetRole'] }, allow]), 'identity')
    expect(listed.statements.map(({ actions }) => actions.patterns)).toEqual([['s3:*', 'iam:getrole'], ['s3:getobject']])
  })

  it('takes NotAction and NotResource', () => {
    const [statement] = parsePolicy(identity({ Effect: 'Deny', NotAction: 's3:*', NotResource: '*' }), 'identity').statements
    expect(statement).toMatchObject({ actions: { negated: true }, resources: { negated: true, patterns: ['*'] } })
  })

  it('is of 2008-10-17 when it names no version', () => {
    expect(parsePolicy(JSON.stringify({ Statement: allow }), 'identity').version).toBe('2008-10-17')
  })

  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /invalid Json/],
    ['not an object', '[]', /Syntax errors/],
    ['null', 'null', /Syntax errors/],
    ['no statement', '{"Version":"2012-10-17"}', /^Syntax errors in policy\. Missing required field Statement$/],
    ['nothing at all', '{}', /^Syntax errors in policy\. Missing required field Statement$/],
    ['an empty list of statements', identity([]), /Syntax errors/],
    ['an unknown version', identity(allow, { Version: '2012-10-18' }), /valid version string: "2012-10-17" or "2008-10-17" \(Version\)$/],
    ['an unknown element', identity(allow, { Extra: 1 }), /Syntax errors/],
    ['an unknown element of a statement', identity({ ...allow, Efect: 1 }), /Syntax errors.*no element "Efect" here \(Statement\[0\]\)$/],
    ['an Id that is no text', identity(allow, { Id: 1 }), /Syntax errors/],
    ['no effect', identity({ ...allow, Effect: undefined }), /Syntax errors.*Missing required field Effect \(Statement\[0\]\)$/],
    [
      'an effect in other case',
      identity({ ...allow, Effect: 'allow' }),
      /Syntax errors.*"allow" is neither .* \(Statement\[0\]\.Effect\)$/,
    ],
    ['a Sid with a space', identity({ ...allow, Sid: 'a b' }), /alpha-numeric/],
    [
      'one Sid twice',
      identity([
        { ...allow, Sid: 'a' },
        { ...allow, Sid: 'a' },
      ]),
      /must be unique/,
    ],
    ['no action', identity({ ...allow, Action: undefined }), /must contain actions/],
    ['an empty list of actions', identity({ ...allow, Action: [] }), /must contain actions/],
    ['Action and NotAction', identity({ ...allow, NotAction: 's3:*' }), /Syntax errors/],
    ['an action without its service', identity({ ...allow, Action: 'GetObject' }), /prefaced by a vendor/],
    ['an action that is no text', identity({ ...allow, Action: 1 }), /Syntax errors.*1 is no string \(Statement\[0\]\.Action\)$/],
    ['no resource', identity({ ...allow, Resource: undefined }), /must contain resources/],
    ['a resource that is no ARN', identity({ ...allow, Resource: 'b/*' }), /must be in ARN format/],
    ['an ARN with too few parts', identity({ ...allow, Resource: 'arn:aws:s3:b' }), /must be in ARN format/],
    ['Resource and NotResource', identity({ ...allow, NotResource: '*' }), /Syntax errors/],
    ['a principal', identity({ ...allow, Principal: '*' }), /should not specify a principal/],
    ['a condition that is no object', identity({ ...allow, Condition: [] }), /Syntax errors/],
    [
      'an unknown operator',
      identity({ ...allow, Condition: { StringFoo: { 'aws:username': 'a' } } }),
      /Invalid Condition type : StringFoo/,
    ],
    ['NullIfExists', identity({ ...allow, Condition: { NullIfExists: { 'aws:username': 'true' } } }), /Invalid Condition type/],
    ['a number that is none', identity({ ...allow, Condition: { NumericEquals: { 's3:max-keys': 'ten' } } }), /Invalid value/],
    ['an address that is none', identity({ ...allow, Condition: { IpAddress: { 'aws:SourceIp': '1.2.3' } } }), /Invalid value/],
    ['a date that is none', identity({ ...allow, Condition: { DateLessThan: { 'aws:CurrentTime': 'tomorrow' } } }), /Invalid value/],
    ['a condition key without its service', identity({ ...allow, Condition: { Bool: { SecureTransport: true } } }), /prefaced by a vendor/],
    ['a condition without values', identity({ ...allow, Condition: { Bool: { 'aws:SecureTransport': [] } } }), /Syntax errors/],
    ['a condition on an object', identity({ ...allow, Condition: { Bool: { 'aws:SecureTransport': {} } } }), /Syntax errors/],
  ])('is refused for %s', (_name, text, message) => {
    expect(() => parsePolicy(text, 'identity')).toThrow(
      expect.objectContaining({ kind: 'malformed', message: expect.stringMatching(message) }),
    )
  })

  it('is refused when a name stands twice in one object, however it is spelled', () => {
    const text = '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","\\u0045ffect":"Deny"}}'
    expect(() => parsePolicy(text, 'identity')).toThrow(/^Syntax errors in policy\. The name "Effect" stands twice/)
    // The same name in two objects, and as a value, is no repetition.
    const first = '{"Sid":"Effect","Effect":"Allow","Action":["s3:*","s3:*"],"Resource":"*"}'
    const fine = `{"Statement":[${first},{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`
    expect(parsePolicy(fine, 'identity').statements).toHaveLength(2)
  })

  it('is not led astray by __proto__', () => {
    expect(() => parsePolicy('{"__proto__":{"Statement":[]}}', 'identity')).toThrow(PolicyError)
  })

  it('may have 10,240 characters besides white space, and no more', () => {
    const resources = (count: number) => identity({ ...allow, Resource: [`arn:aws:s3:::${'b'.repeat(count)}`] })
    const room = 10_240 - policySize(resources(0))
    expect(() => parsePolicy(`${' '.repeat(5000)}${resources(room)}`, 'identity')).not.toThrow()
    expect(() => parsePolicy(resources(room + 1), 'identity')).toThrow(expect.objectContaining({ kind: 'tooLarge' }))
    expect(() => parsePolicy(`${' '.repeat(131_072)}${resources(0)}`, 'identity')).toThrow(expect.objectContaining({ kind: 'tooLarge' }))
  })
})

describe('a trust policy', () => {
  it('names who may assume the role', () => {
    const [statement] = parsePolicy(identity(trust), 'trust').statements
    expect(statement?.principals).toEqual({ everyone: false, services: ['s3.amazonaws.com'], aws: [], federated: [] })
    const [open] = parsePolicy(identity({ ...trust, Principal: { AWS: ['123456789012', '*'] } }), 'trust').statements
    expect(open?.principals).toMatchObject({ everyone: true, aws: ['123456789012', '*'] })
  })

  it.each<[string, object, RegExp]>([
    ['no principal', { Principal: undefined }, /Missing required field Principal/],
    ['an empty principal', { Principal: {} }, /Syntax errors/],
    ['an unknown kind of principal', { Principal: { Group: 'a' } }, /Syntax errors/],
    ['a service that is no name', { Principal: { Service: 's3 amazonaws' } }, /Invalid principal in policy: "SERVICE":"s3 amazonaws"/],
    ['an account that is none', { Principal: { AWS: 'me' } }, /Invalid principal in policy: "AWS":"me"/],
    ['a resource', { Resource: '*' }, /Has prohibited field Resource/],
    ['NotPrincipal', { NotPrincipal: '*' }, /Has prohibited field NotPrincipal/],
    ['another action', { Action: 's3:GetObject' }, /only specify STS AssumeRole actions/],
    ['every action', { Action: '*' }, /only specify STS AssumeRole actions/],
    ['NotAction', { Action: undefined, NotAction: 'sts:AssumeRole' }, /only specify STS AssumeRole actions/],
  ])('is refused for %s', (_name, change, message) => {
    expect(() => parsePolicy(identity({ ...trust, ...change }), 'trust')).toThrow(
      expect.objectContaining({ kind: 'malformed', message: expect.stringMatching(message) }),
    )
  })

  it('may have 2,048 characters besides white space', () => {
    const text = identity(Array.from({ length: 30 }, () => trust))
    expect(policySize(text)).toBeGreaterThan(2048)
    expect(() => parsePolicy(text, 'trust')).toThrow(expect.objectContaining({ kind: 'tooLarge' }))
  })
})
