import { describe, expect, it } from 'vitest'
import { type ReplicationRequest, replicationVerdict } from '../../src/model/replication-permission.ts'
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
  Action: ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
  Resource: 'arn:aws:s3:::source/*',
}
const write: Statement = {
  Effect: 'Allow',
  Action: ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags'],
  Resource: 'arn:aws:s3:::target/*',
}
const guide = [initiate, read, write]

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
    source: { bucket: 'source', key: 'photos/a.jpg', isSseKms },
    destinationBucket: 'target',
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
    expect(verdict(guide, { destinationBucket: 'elsewhere' })).toEqual(no('DstPutObjectNotPermitted'))
    expect(verdict(guide, { source: { bucket: 'elsewhere', key: 'k', isSseKms: false } })).toEqual(no('InitiateReplicationNotPermitted'))
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
    ['s3:ReplicateObject', ['object'], 'DstPutObjectNotPermitted'],
    ['s3:ReplicateObject', ['changedTags'], 'DstPutTaggingNotPermitted'],
    ['s3:ReplicateObject', ['acl'], 'DstPutAclNotPermitted'],
    ['s3:ReplicateDelete', ['delete'], 'DstDelObjNotPermitted'],
  ])('%s is refused %j as %s, as with an explicit Deny', (action, wants, reason) => {
    expect(verdict(without(action), { wants })).toEqual(no(reason))
    expect(verdict([...guide, deny(action)], { wants })).toEqual(no(reason))
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
