import { describe, expect, it } from 'vitest'
import type { Caller, Principal } from '../../src/access/caller.ts'
import { type DecisionFacts, decide } from '../../src/access/decide.ts'
import { allUsers, authenticatedUsers, type Grant, type Permission, permissions } from '../../src/model/acl.ts'
import { objectOwnerships } from '../../src/model/bucket.ts'
import { parseBucketPolicy } from '../../src/model/policy-bucket.ts'
import { type PolicyDocument, parsePolicy } from '../../src/model/policy-document.ts'
import { isPublicPolicy } from '../../src/model/policy-public.ts'
import { chooseSeed, type Random, randomFrom } from '../limits/random.ts'
import { type NaiveCaller, type NaiveCondition, type NaiveGrant, type NaiveStatement, naiveAllows } from './naive.ts'

const rounds = 50_000
const accounts = ['111111111111', '222222222222'] as const
const canonical = (account: string) => account.slice(0, 1).repeat(64)
const root = (account: string) => `arn:aws:iam::${account}:root`
const userArn = (account: string) => `arn:aws:iam::${account}:user/ann`
const roleArn = (account: string) => `arn:aws:iam::${account}:role/r`
const sessionArn = (account: string) => `arn:aws:sts::${account}:assumed-role/r/s`

const bucketActions = ['s3:ListBucket', 's3:GetBucketAcl', 's3:PutBucketAcl', 's3:PutBucketPolicy', 's3:DeleteBucket'] as const
const objectActions = [
  's3:GetObject',
  's3:GetObjectVersion',
  's3:PutObject',
  's3:DeleteObject',
  's3:GetObjectAcl',
  's3:GetObjectTagging',
] as const
const actionPatterns = [
  '*',
  's3:*',
  's3:Get*',
  's3:*Object',
  's3:getobject',
  's3:?etObject*',
  's3:Put*',
  ...bucketActions,
  ...objectActions,
]
const identityResources = ['*', 'arn:aws:s3:::b', 'arn:aws:s3:::b/*', 'arn:aws:s3:::b/k?', 'arn:aws:s3:::*/k1', 'arn:aws:s3:::other/*']
const bucketResources = ['arn:aws:s3:::b', 'arn:aws:s3:::b/*', 'arn:aws:s3:::b/k?', 'arn:aws:s3:::b/*2', 'arn:aws:s3:::b*']
const keys = ['aws:UserAgent', 's3:prefix', 's3:max-keys', 'aws:SecureTransport', 's3:x-amz-acl'] as const

const several = <T>(random: Random, from: readonly T[], max = 2): T[] =>
  Array.from({ length: 1 + random.below(max) }, () => random.pick(from))

function condition(random: Random): NaiveCondition {
  const ifExists = random.oneIn(4) ? 'IfExists' : ''
  if (random.oneIn(6)) return { operator: 'Null', key: random.pick(keys), values: [random.pick(['true', 'false'])] }
  switch (random.below(3)) {
    case 0:
      return { operator: `Bool${ifExists}`, key: 'aws:SecureTransport', values: [random.pick(['true', 'false'])] }
    case 1: {
      const operator = random.pick(['NumericLessThan', 'NumericGreaterThanEquals'])
      return { operator: operator + ifExists, key: 's3:max-keys', values: [random.pick(['5', '100'])] }
    }
    default: {
      const operator = random.pick(['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringEqualsIgnoreCase'])
      const key = random.pick(['aws:UserAgent', 's3:prefix', 's3:x-amz-acl'])
      return { operator: operator + ifExists, key, values: several(random, ['a', 'A', 'a*', 'ab', '?b', 'private']) }
    }
  }
}

function statement(random: Random, isBucket: boolean): NaiveStatement {
  const effect = random.oneIn(4) ? 'Deny' : 'Allow'
  const people = ['*', ...accounts, ...accounts.flatMap((one) => [root(one), userArn(one), roleArn(one), sessionArn(one)])]
  const who = random.oneIn(4) ? ['*'] : several(random, people, 4)
  const resources = several(random, isBucket ? bucketResources : identityResources)
  const actions = several(random, actionPatterns)
  return {
    effect,
    ...(isBucket && (effect === 'Deny' && random.oneIn(3) ? { notPrincipal: who } : { principal: who })),
    ...(random.oneIn(5) ? { notAction: actions } : { action: actions }),
    ...(random.oneIn(5) ? { notResource: resources } : { resource: resources }),
    conditions: random.oneIn(3) ? several(random, [condition(random), condition(random)]) : [],
  }
}

const listOf = (random: Random, isBucket = false, max = 3): NaiveStatement[] =>
  Array.from({ length: random.below(max + 1) }, () => statement(random, isBucket))

function documentText(statements: readonly NaiveStatement[]): string {
  const written = statements.map(({ effect, principal, notPrincipal, action, notAction, resource, notResource, conditions }) => ({
    Effect: effect,
    ...(principal && { Principal: { AWS: principal } }),
    ...(notPrincipal && { NotPrincipal: { AWS: notPrincipal } }),
    ...(action ? { Action: action } : { NotAction: notAction }),
    ...(resource ? { Resource: resource } : { NotResource: notResource }),
    Condition: Object.fromEntries(conditions.map(({ operator, key, values }) => [operator, { [key]: values }])),
  }))
  return JSON.stringify({ Version: '2012-10-17', Statement: written })
}

/** One condition an operator, as JSON has it: of two with one operator the later. */
const asWritten = (statements: readonly NaiveStatement[]): NaiveStatement[] =>
  statements.map((one) => ({ ...one, conditions: [...new Map(one.conditions.map((each) => [each.operator, each])).values()] }))

const read = (statements: readonly NaiveStatement[]): PolicyDocument[] =>
  statements.length === 0 ? [] : [parsePolicy(documentText(statements), 'identity')]

/** A bucket's policy of random statements; one whose actions and resources do not go together is none. */
function readBucket(statements: readonly NaiveStatement[]): PolicyDocument | undefined {
  if (statements.length === 0) return undefined
  try {
    return parseBucketPolicy(documentText(statements), 'b')
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Action does not apply')) return undefined
    throw error
  }
}

function randomCaller(random: Random): NaiveCaller {
  const account = random.pick(accounts)
  const kind = random.pick(['anonymous', 'root', 'user', 'user', 'session'] as const)
  const identity = asWritten(listOf(random))
  switch (kind) {
    case 'anonymous':
      return { kind, account: '', arn: '', identity: [] }
    case 'root':
      return { kind, account, arn: root(account), identity: [] }
    case 'user':
      return { kind, account, arn: userArn(account), identity, ...(random.oneIn(4) && { boundary: asWritten(listOf(random)) }) }
    case 'session': {
      const session = random.oneIn(3) && { session: asWritten(listOf(random)) }
      return { kind, account, arn: sessionArn(account), roleArn: roleArn(account), identity, ...session }
    }
    default:
      return kind satisfies never
  }
}

function toCaller({ kind, account, arn, roleArn: issuerArn, identity, boundary, session }: NaiveCaller): Caller {
  if (kind === 'anonymous') return { kind }
  const principal: Principal = {
    kind,
    accountId: account,
    canonicalId: canonical(account),
    accessKeyId: 'AKIA',
    arn,
    userId: 'id',
    ...(issuerArn !== undefined && { session: { issuerArn, issuerId: issuerArn, kind: 'role', issuedMs: 0, expiresMs: 1 } }),
    permissions: { identity: read(identity), ...(boundary && { boundary: read(boundary) }), ...(session && { session: read(session) }) },
  }
  return principal
}

function toGrant({ to, permission }: NaiveGrant): Grant {
  const group = to === 'all' ? allUsers : to === 'authenticated' ? authenticatedUsers : undefined
  const Grantee: Grant['Grantee'] = group === undefined ? { Type: 'CanonicalUser', ID: canonical(to) } : { Type: 'Group', URI: group }
  return { Grantee, Permission: permission as Permission } // drawn from the permissions
}

const grants = (random: Random): NaiveGrant[] =>
  Array.from({ length: random.below(3) }, () => ({
    to: random.pick([...accounts, 'all', 'authenticated']),
    permission: random.pick(permissions),
  }))

function round(random: Random) {
  const caller = randomCaller(random)
  const isObject = random.below(2) === 0
  const action: string = isObject ? random.pick(objectActions) : random.pick(bucketActions)
  const resource = isObject ? `arn:aws:s3:::b/${random.pick(['k1', 'k2', 'other', '*'])}` : 'arn:aws:s3:::b'
  const bucketAccount = random.pick(accounts)
  const drawn = asWritten(listOf(random, true))
  const policy = readBucket(drawn)
  const values: Record<string, string> = {
    ...(random.oneIn(2) && { 'aws:useragent': random.pick(['a', 'A', 'ab', 'b']) }),
    ...(random.oneIn(2) && { 's3:prefix': random.pick(['a', 'ab', '']) }),
    ...(random.oneIn(2) && { 's3:max-keys': random.pick(['1', '5', '1000']) }),
    ...(random.oneIn(2) && { 'aws:securetransport': random.pick(['true', 'false']) }),
    ...(random.oneIn(2) && { 's3:x-amz-acl': 'private' }),
  }
  const [ignoresPublicAcls, restrictsPublic] = [random.oneIn(3), random.oneIn(3)]
  const ownership = random.pick(objectOwnerships)
  const bucketAcl = grants(random)
  const object = isObject && !random.oneIn(4) ? { account: random.pick(accounts), acl: grants(random) } : undefined
  const naive = {
    caller,
    action,
    resource,
    context: values,
    bucketAccount,
    bucketPolicy: policy === undefined ? [] : drawn,
    ownership,
    ignoresPublicAcls,
    restrictsPublic,
    isPublicPolicy: policy !== undefined && isPublicPolicy(policy),
    bucketAcl,
    object,
  }
  const facts: DecisionFacts = {
    caller: toCaller(caller),
    action,
    resource,
    context: values,
    bucket: {
      ownerId: canonical(bucketAccount),
      policy,
      ownership,
      publicAccessBlock: {
        BlockPublicAcls: false,
        IgnorePublicAcls: ignoresPublicAcls,
        BlockPublicPolicy: false,
        RestrictPublicBuckets: restrictsPublic,
      },
      acl: bucketAcl.map(toGrant),
    },
    object: object && { ownerId: canonical(object.account), acl: object.acl.map(toGrant) },
  }
  return { naive, facts }
}

describe('the decision', () => {
  it(`agrees with a naive reading of the rules on ${rounds} random worlds`, { timeout: 120_000 }, () => {
    const seed = chooseSeed()
    const random = randomFrom(seed)
    const counts = { allow: 0, deny: 0 }
    for (let index = 0; index < rounds; index++) {
      const { naive, facts } = round(random)
      const decision = decide(facts)
      const expected = naiveAllows(naive) ? 'allow' : 'deny'
      if (decision.kind !== expected)
        expect.fail(`seed ${seed}, round ${index}: ${JSON.stringify({ decision, expected, naive }, undefined, 1)}`)
      counts[expected]++
    }
    expect(counts.allow).toBeGreaterThan(rounds / 20)
    expect(counts.deny).toBeGreaterThan(rounds / 20)
  })
})
