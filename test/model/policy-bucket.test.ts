import { describe, expect, it } from 'vitest'
import { parseBucketPolicy } from '../../src/model/policy-bucket.ts'
import { names, spares, type Who } from '../../src/model/policy-principals.ts'
import { isPublicPolicy } from '../../src/model/policy-public.ts'

const arn = 'arn:aws:s3:::b'
const statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${arn}/*` }

const parse = (changes: object) =>
  parseBucketPolicy(JSON.stringify({ Version: '2012-10-17', Statement: [statement, { ...statement, ...changes }] }), 'b')

describe('the policy of a bucket', () => {
  it.each<[string, object]>([
    [
      'accounts, users, roles, sessions and services',
      {
        Principal: {
          AWS: ['111111111111', 'arn:aws:iam::111111111111:user/p/a', 'arn:aws:sts::111111111111:assumed-role/r/s'],
          Service: 's3.amazonaws.com',
        },
      },
    ],
    ['canonical users and providers', { Principal: { CanonicalUser: 'a'.repeat(64), Federated: 'cognito-identity.amazonaws.com' } }],
    ['NotPrincipal in a Deny', { Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: '111111111111' } }],
    ['NotAction and NotResource', { Action: undefined, NotAction: 's3:Put*', Resource: undefined, NotResource: arn }],
    [
      'conditions',
      { Condition: { 'ForAnyValue:StringLikeIfExists': { 's3:RequestObjectTagKeys': ['a*'] }, Null: { 'aws:username': true } } },
    ],
  ])('takes %s', (_, changes) => {
    expect(parse(changes).statements).toHaveLength(2)
  })

  it.each<[string, object, RegExp]>([
    ['no principal', { Principal: undefined }, /Missing required field Principal \(Statement\[1\]\.Principal\)/],
    ['both principals', { NotPrincipal: '*' }, /not both/],
    ['NotPrincipal in an Allow', { Principal: undefined, NotPrincipal: '*' }, /Statement\[1\]\.NotPrincipal/],
    ['a user with a wildcard', { Principal: { AWS: 'arn:aws:iam::111111111111:user/*' } }, /Invalid principal in policy/],
    ['an account of eleven digits', { Principal: { AWS: '11111111111' } }, /Invalid principal in policy/],
    ['a canonical id too short', { Principal: { CanonicalUser: 'abc' } }, /Invalid principal in policy/],
    ['a text that is no *', { Principal: 'me' }, /Invalid principal in policy: "me" is not "\*"; .* \(Statement\[1\]\.Principal\)$/],
    ['nobody', { Principal: { AWS: [] } }, /Invalid principal in policy/],
    ['no action', { Action: undefined }, /Missing required field Action/],
    ['an unknown action', { Action: 's3:GetOject' }, /invalid action "s3:GetOject" \(Statement\[1\]\.Action\)/],
    ['no resource', { Resource: undefined }, /Missing required field Resource/],
    ['everything', { Resource: '*' }, /invalid resource "\*"/],
    ['another bucket', { Resource: `${arn}b/*` }, /invalid resource/],
    ['an object action on the bucket', { Resource: arn }, /does not apply to any resource/],
    ['a bucket action on objects', { Action: 's3:ListBucket' }, /does not apply to any resource/],
    ['an unknown operator', { Condition: { StringSame: { 'aws:username': 'a' } } }, /StringSame. \(Statement\[1\]\.Condition\)/],
    ['a date that is none', { Condition: { DateLessThan: { 'aws:CurrentTime': 'soon' } } }, /Statement\[1\]\.Condition/],
    ['a Principal element too many', { Extra: 1 }, /Syntax errors.*Statement\[1\]/],
  ])('refuses %s, and says where', (_, changes, message) => {
    expect(() => parse(changes)).toThrow(message)
  })
})

describe('principals', () => {
  const of = (Principal: unknown) =>
    parse({ Effect: 'Deny', Principal }).statements[1]?.principals ?? { everyone: false, services: [], aws: [], federated: [] }
  const account = { accountId: '111111111111', canonicalId: 'a'.repeat(64) }
  const user: Who = { ...account, arn: 'arn:aws:iam::111111111111:user/ann' }
  const session: Who = { ...account, arn: 'arn:aws:sts::111111111111:assumed-role/r/s', issuerArn: 'arn:aws:iam::111111111111:role/r' }

  it.each<[string, unknown, Who, string | undefined]>([
    ['everyone', '*', user, 'everyone'],
    ['everyone, the anonymous too', { AWS: '*' }, {}, 'everyone'],
    ['the account by number', { AWS: '111111111111' }, user, 'account'],
    ['the account by its root', { AWS: 'arn:aws:iam::111111111111:root' }, session, 'account'],
    ['the account by canonical id', { CanonicalUser: 'a'.repeat(64) }, user, 'account'],
    ['the user', { AWS: ['*', user.arn] }, user, 'itself'],
    ['the role of a session', { AWS: session.issuerArn }, session, 'issuer'],
    ['the session', { AWS: session.arn }, session, 'itself'],
    ['another session of the role', { AWS: `${session.arn}2` }, session, undefined],
    ['another account', { AWS: '222222222222' }, user, undefined],
    ['a service', { Service: 's3.amazonaws.com' }, { service: 's3.amazonaws.com' }, 'itself'],
    ['no provider', { Federated: 'accounts.google.com' }, session, undefined],
    ['the account, and not the anonymous', { AWS: '111111111111' }, {}, undefined],
  ])('name %s', (_, principal, who, naming) => {
    expect(names(of(principal), who)).toBe(naming)
  })

  it.each<[string, unknown, Who, boolean]>([
    ['the account alone: not its users', { AWS: '111111111111' }, user, false],
    ['the user alone: not the user', { AWS: user.arn }, user, false],
    ['account and user', { AWS: ['111111111111', user.arn] }, user, true],
    ['account and role: not its session', { AWS: ['111111111111', session.issuerArn] }, session, false],
    ['account, role and session', { AWS: ['111111111111', session.issuerArn, session.arn] }, session, true],
    ['nobody anonymous', { AWS: '111111111111' }, {}, false],
  ])('of a NotPrincipal spare %s', (_, principal, who, expected) => {
    expect(spares(of(principal), who)).toBe(expected)
  })
})

describe('a public policy', () => {
  it.each<[string, object, boolean]>([
    ['for everyone', {}, true],
    ['for an account', { Principal: { AWS: '111111111111' } }, false],
    ['that denies', { Effect: 'Deny' }, false],
    ['for fixed addresses', { Condition: { IpAddress: { 'aws:SourceIp': ['192.0.2.0/24', '2001:db8::/32'] } } }, false],
    ['for half of all addresses', { Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/1' } } }, true],
    ['for one account by condition', { Condition: { StringEquals: { 'aws:PrincipalAccount': '111111111111' } } }, false],
    ['for accounts by wildcard', { Condition: { StringLike: { 'aws:PrincipalAccount': '1*' } } }, true],
    ['for all but one', { Condition: { StringNotEquals: { 'aws:PrincipalAccount': '111111111111' } } }, true],
    ['for whoever says nothing', { Condition: { StringEqualsIfExists: { 'aws:PrincipalAccount': '111111111111' } } }, true],
    ['for a referer', { Condition: { StringEquals: { 'aws:Referer': 'https://a' } } }, true],
    ['for sessions of one role', { Condition: { StringLike: { 'aws:userid': 'AROAEXAMPLE:*' } } }, false],
  ])('%s: %s is %s', (_, changes, expected) => {
    const text = JSON.stringify({ Statement: { ...statement, ...changes } })
    expect(isPublicPolicy(parseBucketPolicy(text, 'b'))).toBe(expected)
  })
})
