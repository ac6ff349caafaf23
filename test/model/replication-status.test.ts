import { describe, expect, it } from 'vitest'
import { failureClass, failureReasons, failureText, isFailureReason } from '../../src/model/replication-reasons.ts'
import {
  type DestinationStatus,
  headerStatus,
  pendingAgain,
  pendingState,
  type SourceState,
  withDestinationStatus,
} from '../../src/model/replication-status.ts'

function stateOf(...statuses: readonly DestinationStatus[]): SourceState {
  return { role: 'source', destinations: Object.fromEntries(statuses.map((status, index) => [`bucket-${index}`, { status, ruleId: 'r' }])) }
}

describe('x-amz-replication-status', () => {
  it.each<[readonly DestinationStatus[], string]>([
    [['PENDING'], 'PENDING'],
    [['COMPLETED'], 'COMPLETED'],
    [['FAILED'], 'FAILED'],
    [['COMPLETED', 'COMPLETED'], 'COMPLETED'],
    [['COMPLETED', 'PENDING'], 'PENDING'],
    [['PENDING', 'FAILED'], 'FAILED'],
    [['COMPLETED', 'FAILED', 'COMPLETED'], 'FAILED'],
  ])('of %j is %s', (statuses, expected) => {
    expect(headerStatus(stateOf(...statuses))).toBe(expected)
  })

  it('is REPLICA on a replica, and absent where no rule chose the version', () => {
    expect(headerStatus({ role: 'replica', sourceRegion: 'us-east-1', sourceBucket: 'source' })).toBe('REPLICA')
    expect(headerStatus(undefined)).toBeUndefined()
    expect(headerStatus(stateOf())).toBeUndefined()
  })
})

describe('the state of a version', () => {
  it('begins PENDING at every planned destination, and is absent without any', () => {
    const state = pendingState([
      { destinationBucket: 'a', ruleId: '1' },
      { destinationBucket: 'b', ruleId: '2' },
    ])
    expect(state?.destinations).toEqual({ a: { status: 'PENDING', ruleId: '1' }, b: { status: 'PENDING', ruleId: '2' } })
    expect(pendingState([])).toBeUndefined()
  })

  it('changes at one destination and keeps the rest', () => {
    const before = stateOf('PENDING', 'PENDING')
    const after = withDestinationStatus(before, { destinationBucket: 'bucket-1', status: 'COMPLETED' })
    expect(after.destinations).toEqual({ 'bucket-0': { status: 'PENDING', ruleId: 'r' }, 'bucket-1': { status: 'COMPLETED', ruleId: 'r' } })
    expect(headerStatus(before)).toBe('PENDING')
  })

  it('takes the rule by which it was planned again', () => {
    const after = withDestinationStatus(stateOf('COMPLETED'), { destinationBucket: 'bucket-0', status: 'PENDING', ruleId: 'new' })
    expect(after.destinations['bucket-0']).toEqual({ status: 'PENDING', ruleId: 'new' })
  })

  it('is PENDING again where a change of attributes goes, and as it was elsewhere', () => {
    const again = pendingAgain(stateOf('COMPLETED', 'COMPLETED'), [{ destinationBucket: 'bucket-0', ruleId: 'new' }])
    expect(again).toEqual({
      role: 'source',
      destinations: { 'bucket-0': { status: 'PENDING', ruleId: 'new' }, 'bucket-1': { status: 'COMPLETED', ruleId: 'r' } },
    })
    const replica = { role: 'replica', sourceRegion: 'us-east-1', sourceBucket: 'source' } as const
    expect(pendingAgain(replica, [{ destinationBucket: 'bucket-0', ruleId: 'new' }])).toBe(replica)
  })

  it('does not invent a destination', () => {
    const state = stateOf('COMPLETED')
    for (const destinationBucket of ['other', 'constructor']) {
      expect(withDestinationStatus(state, { destinationBucket, status: 'FAILED' })).toBe(state)
    }
  })
})

describe('reasons', () => {
  it.each(['DstUnreachable', 'DstChecksumMismatch', 'DstOutOfCapacity', 'DstBehind'] as const)('%s passes by itself', (reason) => {
    expect(failureClass(reason)).toBe('transient')
  })

  it.each([
    'AssumeRoleNotPermitted',
    'InitiateReplicationNotPermitted',
    'DstBucketNotFound',
    'DstBucketUnversioned',
    'DstPutObjectNotPermitted',
    'SrcGetAclNotPermitted',
    'DstKmsKeyNotFound',
  ] as const)('%s is a refusal', (reason) => {
    expect(failureClass(reason)).toBe('refused')
  })

  it('are each told in one sentence, and known by name', () => {
    for (const [reason, [, text]] of Object.entries(failureReasons)) {
      expect(text).toMatch(/^The .*[^.]\.$|^Versioning .*\.$|^What .*\.$/)
      expect(isFailureReason(reason) && failureText(reason)).toBe(text)
    }
    expect(isFailureReason('toString')).toBe(false)
  })
})
