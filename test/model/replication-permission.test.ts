import { describe, expect, it } from 'vitest'
import { parseBucketPolicy } from '../../src/model/policy-bucket.ts'
import { type ReplicationRequest, replicationVerdict, sourcePolicyRefusal } from '../../src/model/replication-permission.ts'
import { parseRole } from '../../src/model/role.ts'

interface Statement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | readonly string[]
  readonly Resource: string
  readonly Condition?: unknown
}

// The policy of the AWS user guide.
const initiate: Statement = {
  Effect: 'Allow',
  Action: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
  Resource: 'arn:aws:s3:::source',
}
const read: Statement = {
  Effect: 'Allow',
  Action: [
    's3:GetObjectVersionForReplication',
    's3:GetObjectVersionAcl',
    's3:GetObjectVersionTagging',
    's3:GetObjectRetention',
    's3:GetObjectLegalHold',
  ],
  Resource: 'arn:aws:s3:::source/*',
}
const write: Statement = {
  Effect: 'Allow',
  Action: ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags'],
  Resource: 'arn:aws:s3:::target/*',
}
const guide = [initiate, read, write]
const own: ReplicationRequest['destination'] = { bucket: 'target', isForeign: false, policy: undefined, isShut: false }

const trustS3 = JSON.stringify({ Statement: { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' } })

function verdict(statements: readonly Statement[], change: Partial<ReplicationRequest> & { trust?: string; isSseKms?: boolean } = {}) {
  const { trust = trustS3, isSseKms = false, ...rest } = change
  const role = parseRole({
    attached: [],
    role: {
      name: 'replication',
      arn: 'arn:aws:iam::123456789012:role/replication',
      id: 'AROAEXAMPLE',
      path: '/',
      accountId: '123456789012',
      createdMs: 0,
      trustPolicy: trust,
      type: 'role',
      attachedPolicies: [],
      tags: [],
      inlinePolicies: { p: JSON.stringify({ Version: '2012-10-17', Statement: statements }) },
    },
  })
  return replicationVerdict({
    role,
    source: { bucket: 'source', key: 'photos/a.jpg', ownerId: 'c'.repeat(64), isSseKms },
    destination: own,
    wants: ['object', 'tags'],
    nowMs: Date.UTC(2026, 10, 23),
    ...rest,
  })
}

/** The statements with one action taken out. */
function without(action: string): readonly Statement[] {
  return guide
    .map((statement) => ({ ...statement, Action: [statement.Action].flat().filter((known) => known !== action) }))
    .filter((statement) => statement.Action.length > 0)
}

const deny = (Action: string): Statement => ({ Effect: 'Deny', Action, Resource: '*' })
const yes = { allowed: true, dropTags: false }
const no = (reason: string) => ({ allowed: false, reason })

describe('the role of the user guide', () => {
  it.each<[ReplicationRequest['wants']]>([
    [['object', 'tags']],
    [['object']],
    [['delete']],
    [['changedTags']],
    [['acl']],
    [['changedTags', 'acl']],
    [['object', 'changedTags']],
  ])('may deliver %j', (wants) => {
    expect(verdict(guide, { wants })).toEqual(yes)
  })

  it('may not take the ownership', () => {
    expect(verdict(guide, { wants: ['object', 'ownerOverride'] })).toEqual(no('DstPutObjectNotPermitted'))
    const override: Statement = { Effect: 'Allow', Action: 's3:ObjectOwnerOverrideToBucketOwner', Resource: 'arn:aws:s3:::target/*' }
    expect(verdict([...guide, override], { wants: ['object', 'ownerOverride'] })).toEqual(yes)
  })

  it('is of no use for another bucket', () => {
    expect(verdict(guide, { destination: { ...own, bucket: 'elsewhere' } })).toEqual(no('DstPutObjectNotPermitted'))
    expect(verdict(guide, { source: { bucket: 'elsewhere', key: 'k', ownerId: 'c'.repeat(64), isSseKms: false } })).toEqual(
      no('InitiateReplicationNotPermitted'),
    )
  })
})

describe('a role that lacks something', () => {
  it.each<[string, ReplicationRequest['wants'], string]>([
    ['s3:GetReplicationConfiguration', ['object'], 'InitiateReplicationNotPermitted'],
    ['s3:ListBucket', ['delete'], 'InitiateReplicationNotPermitted'],
    ['s3:GetObjectVersionForReplication', ['object'], 'SrcGetObjectNotPermitted'],
    ['s3:GetObjectVersionAcl', ['object'], 'SrcGetAclNotPermitted'],
    ['s3:GetObjectVersionAcl', ['acl'], 'SrcGetAclNotPermitted'],
    ['s3:GetObjectVersionTagging', ['changedTags'], 'SrcGetTaggingNotPermitted'],
    ['s3:GetObjectRetention', ['object', 'retention'], 'SrcGetRetentionNotPermitted'],
    ['s3:GetObjectLegalHold', ['legalHold'], 'SrcGetLegalHoldNotPermitted'],
    ['s3:ReplicateObject', ['retention'], 'DstPutRetentionNotPermitted'],
    ['s3:ReplicateObject', ['legalHold'], 'DstPutLegalHoldNotPermitted'],
    ['s3:ReplicateObject', ['object'], 'DstPutObjectNotPermitted'],
    ['s3:ReplicateObject', ['changedTags'], 'DstPutTaggingNotPermitted'],
    ['s3:ReplicateObject', ['acl'], 'DstPutAclNotPermitted'],
    ['s3:ReplicateDelete', ['delete'], 'DstDelObjNotPermitted'],
  ])('%s is refused %j as %s, as with an explicit Deny', (action, wants, reason) => {
    expect(verdict(without(action), { wants })).toEqual(no(reason))
    expect(verdict([...guide, deny(action)], { wants })).toEqual(no(reason))
  })

  it('brings a lock with s3:ReplicateObject alone, unless writing it is denied by name', () => {
    const wants = ['object', 'retention', 'legalHold'] as const
    expect(verdict(guide, { wants })).toEqual(yes)
    expect(verdict([...guide, deny('s3:PutObjectRetention')], { wants })).toEqual(no('DstPutRetentionNotPermitted'))
    expect(verdict([...guide, deny('s3:PutObjectLegalHold')], { wants })).toEqual(no('DstPutLegalHoldNotPermitted'))
  })

  it('delivers a delete marker without what only objects need', () => {
    const enough: Statement[] = [initiate, { ...write, Action: 's3:ReplicateDelete' }]
    expect(verdict(enough, { wants: ['delete'] })).toEqual(yes)
  })

  it('does not exist, or may not be assumed: AssumeRoleNotPermitted, before all else', () => {
    expect(verdict(guide, { role: undefined })).toEqual(no('AssumeRoleNotPermitted'))
    const other = trustS3.replace('s3.amazonaws.com', 'ec2.amazonaws.com')
    expect(verdict([deny('*')], { trust: other })).toEqual(no('AssumeRoleNotPermitted'))
  })

  it('names the first thing in the way', () => {
    expect(verdict([deny('*')])).toEqual(no('InitiateReplicationNotPermitted'))
    expect(verdict([initiate])).toEqual(no('SrcGetObjectNotPermitted'))
    expect(verdict([initiate, read])).toEqual(no('DstPutObjectNotPermitted'))
  })
})

describe('s3:GetObjectVersion', () => {
  const plainRead: Statement = { ...read, Action: ['s3:GetObjectVersion', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'] }

  it('does for objects that are not SSE-KMS', () => {
    expect(verdict([initiate, plainRead, write])).toEqual(yes)
    expect(verdict([initiate, plainRead, write], { isSseKms: true })).toEqual(no('SrcGetObjectNotPermitted'))
  })

  it('does not lift a Deny of s3:GetObjectVersionForReplication', () => {
    expect(verdict([initiate, plainRead, write, deny('s3:GetObjectVersionForReplication')])).toEqual(no('SrcGetObjectNotPermitted'))
  })
})

describe('tags', () => {
  it('are carried by s3:ReplicateObject alone', () => {
    expect(verdict(without('s3:ReplicateTags'))).toEqual(yes)
  })

  it('stay behind at an explicit Deny of s3:ReplicateTags, and only they', () => {
    expect(verdict([...guide, deny('s3:ReplicateTags')])).toEqual({ allowed: true, dropTags: true })
    expect(verdict([...guide, deny('s3:ReplicateTags')], { wants: ['object'] })).toEqual(yes)
  })

  it('are refused where they come alone and s3:ReplicateTags is denied: left out, the change would never arrive', () => {
    expect(verdict([...guide, deny('s3:ReplicateTags')], { wants: ['changedTags'] })).toEqual(no('DstPutTaggingNotPermitted'))
    expect(verdict([...guide, deny('s3:ReplicateTags')], { wants: ['object', 'changedTags'] })).toEqual(no('DstPutTaggingNotPermitted'))
    expect(verdict(without('s3:GetObjectVersionTagging'), { wants: ['object', 'changedTags'] })).toEqual(no('SrcGetTaggingNotPermitted'))
  })

  it('stay behind when the role may not read them, as the data goes', () => {
    expect(verdict(without('s3:GetObjectVersionTagging'))).toEqual({ allowed: true, dropTags: true })
  })
})

describe('conditions in the role', () => {
  it('hold as in the user guide for SSE', () => {
    const Condition = { StringLikeIfExists: { 's3:x-amz-server-side-encryption': ['aws:kms', 'AES256'] } }
    expect(verdict([initiate, read, { ...write, Condition }])).toEqual(yes)
  })

  it('may end at a time', () => {
    const until = (date: string) => [initiate, read, { ...write, Condition: { DateLessThan: { 'aws:CurrentTime': date } } }]
    expect(verdict(until('2026-11-24T00:00:00Z'))).toEqual(yes)
    expect(verdict(until('2026-11-22T00:00:00Z'))).toEqual(no('DstPutObjectNotPermitted'))
  })

  it('that nobody here knows allow nothing', () => {
    const Condition = { StringEquals: { 'ec2:Vpc': 'a' } }
    expect(verdict([initiate, read, { ...write, Condition }])).toEqual(no('DstPutObjectNotPermitted'))
  })
})

describe('a destination of another account', () => {
  const roleArn = 'arn:aws:iam::123456789012:role/replication'
  const policyOf = (Effect: 'Allow' | 'Deny', Action: string | readonly string[], principal: unknown = { AWS: roleArn }) =>
    parseBucketPolicy(JSON.stringify({ Statement: { Effect, Principal: principal, Action, Resource: 'arn:aws:s3:::target/*' } }), 'target')
  const foreign = (policy: ReturnType<typeof policyOf> | undefined, isShut = false) => ({
    destination: { bucket: 'target', isForeign: true, policy, isShut },
  })
  const all = ['s3:ReplicateObject', 's3:ReplicateTags']

  it('must let the role in by its bucket policy, which the role needs as well as its own', () => {
    expect(verdict(guide, foreign(undefined))).toEqual(no('DstPutObjectNotPermitted'))
    expect(verdict(guide, foreign(policyOf('Allow', all)))).toEqual(yes)
    expect(verdict([initiate, read], foreign(policyOf('Allow', all)))).toEqual(no('DstPutObjectNotPermitted'))
    expect(verdict(guide, foreign(policyOf('Allow', all, { AWS: '123456789012' })))).toEqual(yes)
    expect(verdict(guide, foreign(policyOf('Allow', all, { CanonicalUser: 'c'.repeat(64) })))).toEqual(yes)
    for (const other of ['arn:aws:iam::123456789012:role/other', 'arn:aws:iam::999999999999:role/replication', '999999999999']) {
      expect(verdict(guide, foreign(policyOf('Allow', all, { AWS: other })))).toEqual(no('DstPutObjectNotPermitted'))
    }
  })

  it('that lets everybody in lets nobody in of another account, when public buckets are restricted', () => {
    expect(verdict(guide, foreign(policyOf('Allow', all, '*')))).toEqual(yes)
    expect(verdict(guide, foreign(policyOf('Allow', all, '*'), true))).toEqual(no('DstPutObjectNotPermitted'))
  })

  it('may deny the tags alone', () => {
    const both = parseBucketPolicy(
      JSON.stringify({
        Statement: [
          { Effect: 'Allow', Principal: { AWS: roleArn }, Action: 's3:ReplicateObject', Resource: 'arn:aws:s3:::target/*' },
          { Effect: 'Deny', Principal: '*', Action: 's3:ReplicateTags', Resource: 'arn:aws:s3:::target/*' },
        ],
      }),
      'target',
    )
    expect(verdict(guide, foreign(both))).toEqual({ allowed: true, dropTags: true })
  })

  it('of the same account needs no policy, may give by it what the role lacks, and may deny by it', () => {
    const inside = (policy: ReturnType<typeof policyOf>) => ({ destination: { ...own, policy } })
    expect(verdict([initiate, read], inside(policyOf('Allow', all)))).toEqual(yes)
    expect(verdict([initiate, read], inside(policyOf('Allow', all, { AWS: '123456789012' })))).toEqual(no('DstPutObjectNotPermitted'))
    expect(verdict(guide, inside(policyOf('Deny', all, '*')))).toEqual(no('DstPutObjectNotPermitted'))
  })
})

describe('the policy of the source bucket', () => {
  const role = { arn: 'arn:aws:iam::123456789012:role/replication', accountId: '123456789012', name: 'replication' }
  const source = { bucket: 'source', key: 'k', ownerId: 'c'.repeat(64) }
  const refusal = (Action: string, Resource: string, isContent = true, principal: unknown = '*', lock = {}) => {
    const policy = parseBucketPolicy(JSON.stringify({ Statement: { Effect: 'Deny', Principal: principal, Action, Resource } }), 'source')
    return sourcePolicyRefusal({ policy, role, source, isContent, lock, nowMs: 0 })
  }

  it('may deny the role what it needs to read', () => {
    expect(refusal('s3:GetObjectVersionForReplication', 'arn:aws:s3:::source/*')).toBe('SrcGetObjectNotPermitted')
    const locked = { retention: {}, legalHold: {} }
    expect(refusal('s3:GetObjectRetention', 'arn:aws:s3:::source/*', false, '*', locked)).toBe('SrcGetRetentionNotPermitted')
    expect(refusal('s3:GetObjectLegalHold', 'arn:aws:s3:::source/*', false, '*', locked)).toBe('SrcGetLegalHoldNotPermitted')
    expect(refusal('s3:GetObject*', 'arn:aws:s3:::source/*', false)).toBe('SrcGetAclNotPermitted')
    expect(refusal('s3:GetObjectVersionForReplication', 'arn:aws:s3:::source/*', false)).toBeUndefined()
    expect(refusal('s3:GetObjectVersionAcl', 'arn:aws:s3:::source/k')).toBe('SrcGetAclNotPermitted')
    expect(refusal('s3:ListBucket', 'arn:aws:s3:::source')).toBe('InitiateReplicationNotPermitted')
    expect(refusal('s3:*', 'arn:aws:s3:::source/*', true, { AWS: role.arn })).toBe('SrcGetObjectNotPermitted')
    expect(refusal('s3:*', 'arn:aws:s3:::source/*', true, { AWS: 'arn:aws:iam::123456789012:role/other' })).toBeUndefined()
    expect(refusal('s3:GetObjectVersionForReplication', 'arn:aws:s3:::source/other')).toBeUndefined()
  })
})
