import { describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import type { ReplicationConfiguration } from '../../src/model/replication-configuration.ts'
import {
  checkReplicationFacts,
  type DestinationFacts,
  destinationBuckets,
  type ReplicationFacts,
} from '../../src/model/replication-facts.ts'
import { parseRole } from '../../src/model/role.ts'

const arn = 'arn:aws:iam::123456789012:role/replication'

function roleFor(service: string) {
  return parseRole({
    attached: [],
    role: {
      name: 'replication',
      arn,
      id: 'AROAEXAMPLE',
      path: '/',
      accountId: '123456789012',
      createdMs: 0,
      trustPolicy: JSON.stringify({ Statement: { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' } }),
      type: 'role',
      attachedPolicies: [],
      tags: [],
      inlinePolicies: {},
    },
  })
}

function configuration(destination: object = {}): ReplicationConfiguration {
  const rule = (ID: string, bucket: string) => ({
    ID,
    Priority: 1,
    Filter: {},
    Status: 'Enabled' as const,
    DeleteMarkerReplication: { Status: 'Disabled' as const },
    Destination: { Bucket: `arn:aws:s3:::${bucket}`, ...destination },
  })
  return { Role: arn, Rule: [rule('one', 'target'), rule('two', 'target')] }
}

const target: DestinationFacts = { region: 'eu-west-1', versioning: 'Enabled', objectLock: false, ownerAccountId: '123456789012' }
const good: ReplicationFacts = {
  source: { bucket: 'source', region: 'us-east-1', versioning: 'Enabled', objectLock: false },
  destinations: new Map([['target', target]]),
  role: roleFor('s3.amazonaws.com'),
}

function refusal(facts: Partial<ReplicationFacts>, destination: object = {}) {
  try {
    checkReplicationFacts(configuration(destination), { ...good, ...facts })
  } catch (error) {
    if (error instanceof S3Error) return { code: error.code, message: error.message }
    throw error
  }
  return undefined
}

const withTarget = (change: Partial<DestinationFacts>) => ({ destinations: new Map([['target', { ...target, ...change }]]) })

describe('the facts of a configuration', () => {
  it('are taken when all is well', () => {
    expect(refusal({})).toBeUndefined()
    expect(refusal({}, { Account: '123456789012' })).toBeUndefined()
  })

  it('are asked for once a bucket', () => {
    expect(destinationBuckets(configuration())).toEqual(['target'])
  })

  it.each<[string, Partial<ReplicationFacts>, string]>([
    [
      'an unversioned source',
      { source: { ...good.source, versioning: 'Unversioned' } },
      "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
    ],
    [
      'a source with versioning suspended',
      { source: { ...good.source, versioning: 'Suspended' } },
      "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
    ],
    ['a destination that is missing', { destinations: new Map() }, 'Destination bucket must exist.'],
    ['an unversioned destination', withTarget({ versioning: 'Unversioned' }), 'Destination bucket must have versioning enabled.'],
    [
      'a destination with versioning suspended',
      withTarget({ versioning: 'Suspended' }),
      'Destination bucket must have versioning enabled.',
    ],
    [
      'a destination that is the source',
      { source: { ...good.source, bucket: 'target' } },
      'Destination bucket cannot be the same as the source bucket.',
    ],
    ['a destination in the same region', withTarget({ region: 'us-east-1' }), 'replication runs between two regions'],
    ['a source with Object Lock alone', { source: { ...good.source, objectLock: true } }, 'Object Lock'],
    ['a role that does not exist', { role: undefined }, `The role ${arn} does not exist.`],
    ['a role that S3 may not assume', { role: roleFor('ec2.amazonaws.com') }, arn],
  ])('are refused with InvalidRequest for %s', (_name, facts, message) => {
    expect(refusal(facts)).toEqual({ code: 'InvalidRequest', message: expect.stringContaining(message) })
  })

  it('are refused with InvalidArgument for an Account that does not own the destination', () => {
    expect(refusal({}, { Account: '999999999999' })?.code).toBe('InvalidArgument')
    expect(refusal({}, { Account: '' })?.code).toBe('InvalidArgument')
  })
})
