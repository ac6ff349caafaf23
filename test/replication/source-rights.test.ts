import { describe, expect, it } from 'vitest'
import type { Grant, Permission } from '../../src/model/acl.ts'
import type { Bucket, BucketSettings } from '../../src/model/bucket.ts'
import { readBucketPolicy } from '../../src/model/policy-bucket.ts'
import { sourceRefusal } from '../../src/replication/source-rights.ts'

const ownerId = 'a'.repeat(64)
const writerId = 'b'.repeat(64)

function bucketWith(settings: BucketSettings): Bucket {
  const facts = { id: 'id', name: 'source', region: 'us-east-1', ownerId, createdMs: 0 }
  return { ...facts, state: 'active', versioning: 'Enabled', settings }
}

function refusal(settings: BucketSettings, of: { owner?: string; acl?: readonly Grant[]; isContent?: boolean; isDeleteMarker?: boolean }) {
  const { owner = writerId, acl = [], isContent = true, isDeleteMarker = false } = of
  const bucket = bucketWith(settings)
  const version = { isDeleteMarker, record: { ownerId: owner, acl: { stamp: '', value: acl } } }
  return sourceRefusal({ bucket, policy: readBucketPolicy(bucket), version, task: { key: 'k', isContent }, nowMs: 0 })
}

const grant = (Permission: Permission): Grant => ({ Grantee: { Type: 'CanonicalUser', ID: ownerId }, Permission })

describe('what another account has written into the source bucket', () => {
  it('leaves only when its owner lets the bucket’s owner read it and its ACL', () => {
    const settings = { ownership: 'ObjectWriter' } as const
    expect(refusal(settings, {})).toBe('SrcGetObjectNotPermitted')
    expect(refusal(settings, { acl: [grant('READ')] })).toBe('SrcGetObjectNotPermitted')
    expect(refusal(settings, { acl: [grant('READ_ACP')] })).toBe('SrcGetObjectNotPermitted')
    expect(refusal(settings, { acl: [grant('READ'), grant('READ_ACP')] })).toBeUndefined()
    expect(refusal(settings, { acl: [grant('FULL_CONTROL')] })).toBeUndefined()
  })

  it('is the bucket owner’s where ACLs are off, and what the owner wrote always is', () => {
    expect(refusal({ ownership: 'BucketOwnerEnforced' }, {})).toBeUndefined()
    expect(refusal({ ownership: 'ObjectWriter' }, { owner: ownerId })).toBeUndefined()
  })

  it('is not read for a marker, nor for a change of its attributes', () => {
    expect(refusal({ ownership: 'ObjectWriter' }, { isDeleteMarker: true })).toBeUndefined()
    expect(refusal({ ownership: 'ObjectWriter' }, { isContent: false })).toBeUndefined()
  })
})

describe('a lock that cannot be read', () => {
  const of = (lock: object) => {
    const bucket = bucketWith({})
    const record = { ownerId, acl: { stamp: '', value: [] }, ...lock }
    const version = { isDeleteMarker: false, record }
    return sourceRefusal({ bucket, policy: undefined, version, task: { key: 'k', isContent: true }, nowMs: 0 })
  }
  const stamp = '0'.repeat(32)

  it('keeps its version from leaving without it', () => {
    expect(of({ retention: { stamp, value: { mode: 'COMPLIANCE', untilMs: 1 } }, legalHold: { stamp, value: true } })).toBeUndefined()
    expect(of({ retention: { stamp, value: 1 } })).toBe('SrcGetRetentionNotPermitted')
    expect(of({ retention: { stamp: 'when', value: null } })).toBe('SrcGetRetentionNotPermitted')
    expect(of({ legalHold: { stamp, value: 'ON' } })).toBe('SrcGetLegalHoldNotPermitted')
    expect(of({ legalHold: { value: true } })).toBe('SrcGetLegalHoldNotPermitted')
  })
})

describe('the policy of the source bucket', () => {
  const role = 'arn:aws:iam::123456789012:role/replicator'
  const rule = { ID: 'r', Status: 'Enabled', Prefix: '', Destination: { Bucket: 'arn:aws:s3:::far' } } as const
  const replication = { configuration: { Role: role, Rule: [rule] }, destinations: {} }
  const denying = (AWS: string) =>
    JSON.stringify({ Statement: { Effect: 'Deny', Principal: { AWS }, Action: 's3:Get*', Resource: 'arn:aws:s3:::source/*' } })

  it('may keep the role of the rule out, and another role is not it', () => {
    expect(refusal({ replication, policy: denying(role) }, { owner: ownerId })).toBe('SrcGetObjectNotPermitted')
    expect(refusal({ replication, policy: denying(`${role}-2`) }, { owner: ownerId })).toBeUndefined()
  })
})
