import { describe, expect, it } from 'vitest'
import type {
  ReplicationConfiguration,
  ReplicationRule,
  ReplicationRuleV1,
  ReplicationRuleV2,
} from '../../src/model/replication-configuration.ts'
import { planAttributeChange, planVersion, rulesFor, type VersionFacts } from '../../src/model/replication-rules.ts'
import { pendingState } from '../../src/model/replication-status.ts'

const to = (bucket: string) => ({ Bucket: `arn:aws:s3:::${bucket}` })

function v2(change: Partial<ReplicationRuleV2> = {}): ReplicationRuleV2 {
  return {
    ID: 'one',
    Priority: 1,
    Filter: {},
    Status: 'Enabled',
    DeleteMarkerReplication: { Status: 'Disabled' },
    Destination: to('target'),
    ...change,
  }
}

function v1(change: Partial<ReplicationRuleV1> = {}): ReplicationRuleV1 {
  return { ID: 'one', Prefix: '', Status: 'Enabled', Destination: to('target'), ...change }
}

function configuration(...rules: readonly ReplicationRule[]): ReplicationConfiguration {
  return { Role: 'arn:aws:iam::123456789012:role/replication', Rule: rules }
}

const tag = (Key: string, Value = 'v') => ({ Key, Value })
const object: VersionFacts = {
  key: 'photos/a.jpg',
  tags: [],
  isDeleteMarker: false,
  madeBy: 'user',
  isReplica: false,
  storageClass: 'STANDARD',
  encryption: 'none',
}

function planned(rules: readonly ReplicationRule[], change: Partial<VersionFacts> = {}): readonly string[] {
  return planVersion(configuration(...rules), { ...object, ...change }).map((plan) => `${plan.ruleId}>${plan.destinationBucket}`)
}

describe('filters', () => {
  it.each<[string, ReplicationRule, Partial<VersionFacts>, boolean]>([
    ['V1 with a prefix that the key has', v1({ Prefix: 'photos/' }), {}, true],
    ['V1 with another prefix', v1({ Prefix: 'a.jpg' }), {}, false],
    ['an empty Filter', v2(), {}, true],
    ['a prefix that the key has', v2({ Filter: { Prefix: 'photos/' } }), {}, true],
    ['a prefix in other case', v2({ Filter: { Prefix: 'Photos/' } }), {}, false],
    ['a tag that the object has', v2({ Filter: { Tag: tag('a') } }), { tags: [tag('b'), tag('a')] }, true],
    ['a tag with another value', v2({ Filter: { Tag: tag('a', '1') } }), { tags: [tag('a', '2')] }, false],
    ['a tag that the object has not', v2({ Filter: { Tag: tag('a') } }), {}, false],
    ['two tags, both there', v2({ Filter: { And: { Tag: [tag('a'), tag('b')] } } }), { tags: [tag('a'), tag('b')] }, true],
    ['two tags, one there', v2({ Filter: { And: { Tag: [tag('a'), tag('b')] } } }), { tags: [tag('a')] }, false],
    ['a prefix and a tag, both there', v2({ Filter: { And: { Prefix: 'photos/', Tag: [tag('a')] } } }), { tags: [tag('a')] }, true],
    ['a prefix and a tag, another prefix', v2({ Filter: { And: { Prefix: 'x', Tag: [tag('a')] } } }), { tags: [tag('a')] }, false],
    ['a disabled rule', v2({ Status: 'Disabled' }), {}, false],
  ])('%s: %s', (_name, rule, change, expected) => {
    expect(planned([rule], change)).toEqual(expected ? ['one>target'] : [])
  })
})

describe('several rules', () => {
  it('to one destination: the highest priority that matches', () => {
    const rules = [
      v2({ ID: 'low', Priority: 1 }),
      v2({ ID: 'high', Priority: 9, Filter: { Prefix: 'photos/' } }),
      v2({ ID: 'mid', Priority: 5 }),
    ]
    expect(planned(rules)).toEqual(['high>target'])
    expect(planned(rules, { key: 'other' })).toEqual(['mid>target'])
  })

  it('to different destinations: all', () => {
    const rules = [v2({ ID: 'a' }), v2({ ID: 'b', Destination: to('second') }), v2({ ID: 'c', Priority: 2, Destination: to('second') })]
    expect(planned(rules)).toEqual(['a>target', 'c>second'])
  })

  it('of which the highest is disabled: the next', () => {
    expect(planned([v2({ ID: 'high', Priority: 9, Status: 'Disabled' }), v2({ ID: 'low' })])).toEqual(['low>target'])
  })

  it('in V1: the one with the prefix', () => {
    expect(planned([v1({ ID: 'a', Prefix: 'a/' }), v1({ ID: 'p', Prefix: 'photos/' })])).toEqual(['p>target'])
  })

  it('give the storage class of the chosen one, and none where the rule has none', () => {
    const rule = v2({ Destination: { ...to('target'), StorageClass: 'STANDARD_IA' } })
    expect(rulesFor(configuration(rule), { key: 'k', tags: [] })).toEqual([
      { ruleId: 'one', destinationBucket: 'target', storageClass: 'STANDARD_IA', deleteMarkers: false },
    ])
    expect(planVersion(configuration(v2()), object)).toEqual([{ ruleId: 'one', destinationBucket: 'target' }])
  })
})

describe('what replicates', () => {
  const markers = v2({ DeleteMarkerReplication: { Status: 'Enabled' } })

  it.each<[string, ReplicationRule, Partial<VersionFacts>, boolean]>([
    ['a new version', v2(), {}, true],
    ['a replica', v2(), { isReplica: true }, false],
    ['SSE-S3', v2(), { encryption: 'SSE-S3' }, true],
    ['SSE-C', v2(), { encryption: 'SSE-C' }, true],
    ['SSE-KMS', v2(), { encryption: 'SSE-KMS' }, false],
    ['GLACIER', v2(), { storageClass: 'GLACIER' }, false],
    ['DEEP_ARCHIVE', v2(), { storageClass: 'DEEP_ARCHIVE' }, false],
    ['GLACIER_IR', v2(), { storageClass: 'GLACIER_IR' }, true],
    ["V1: a user's delete marker", v1(), { isDeleteMarker: true }, true],
    ["V1: lifecycle's delete marker", v1(), { isDeleteMarker: true, madeBy: 'lifecycle' }, false],
    ["V2 without DeleteMarkerReplication: a user's", v2(), { isDeleteMarker: true }, false],
    ["V2 with DeleteMarkerReplication: a user's", markers, { isDeleteMarker: true }, true],
    ["V2 with DeleteMarkerReplication: lifecycle's", markers, { isDeleteMarker: true, madeBy: 'lifecycle' }, false],
    ['a replicated delete marker', markers, { isDeleteMarker: true, isReplica: true }, false],
    ['a delete marker outside the prefix', v1({ Prefix: 'x/' }), { isDeleteMarker: true }, false],
  ])('%s: %s', (_name, rule, change, expected) => {
    expect(planned([rule], change)).toEqual(expected ? ['one>target'] : [])
  })

  it('with SSE-KMS: only by the rule that selects it and has a key', () => {
    const selects = v2({
      ID: 'kms',
      SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
      Destination: { ...to('target'), EncryptionConfiguration: { ReplicaKmsKeyID: 'k' } },
    })
    const plain = v2({ ID: 'plain', Priority: 9 })
    expect(planned([selects, plain], { encryption: 'SSE-KMS' })).toEqual(['kms>target'])
    expect(planned([selects, plain])).toEqual(['plain>target'])
  })

  it('of delete markers: what the highest matching rule says', () => {
    const narrow = v2({ ID: 'narrow', Priority: 9, Filter: { Prefix: 'photos/' } })
    expect(planned([narrow, markers], { isDeleteMarker: true })).toEqual([])
    expect(planned([narrow, markers], { isDeleteMarker: true, key: 'other' })).toEqual(['one>target'])
  })

  it('without a configuration: nothing', () => {
    expect(planVersion(undefined, object)).toEqual([])
  })
})

describe('a later change of attributes', () => {
  const change = (rules: readonly ReplicationRule[], state = pendingState([{ destinationBucket: 'target', ruleId: 'one' }])) =>
    state &&
    planAttributeChange(configuration(...rules), { key: object.key, state }).map((plan) => `${plan.ruleId}>${plan.destinationBucket}`)

  it('goes where the version went', () => {
    const both = pendingState([
      { destinationBucket: 'target', ruleId: 'one' },
      { destinationBucket: 'second', ruleId: 'two' },
    ])
    expect(change([v2(), v2({ ID: 'two', Destination: to('second') })], both)).toEqual(['one>target', 'two>second'])
  })

  it('goes nowhere else, even where a rule would now match', () => {
    expect(change([v2(), v2({ ID: 'two', Destination: to('second') })])).toEqual(['one>target'])
  })

  it('goes there also when its tags no longer match', () => {
    expect(change([v2({ Filter: { Tag: tag('gone') } })])).toEqual(['one>target'])
  })

  it('goes by another rule to the same place when its own is gone', () => {
    expect(change([v2({ ID: 'new', Filter: { Prefix: 'photos/' } }), v2({ ID: 'other', Priority: 9, Filter: { Prefix: 'x' } })])).toEqual([
      'new>target',
    ])
  })

  it.each<[string, readonly ReplicationRule[]]>([
    ['is disabled', [v2({ Status: 'Disabled' })]],
    ['leads elsewhere now', [v2({ Destination: to('second') })]],
    ['is gone, and another there is for other keys', [v2({ ID: 'other', Filter: { Prefix: 'x' } })]],
  ])('goes nowhere when its rule %s', (_name, rules) => {
    expect(change(rules)).toEqual([])
  })

  it('goes nowhere when the configuration is gone', () => {
    const state = pendingState([{ destinationBucket: 'target', ruleId: 'one' }])
    expect(state && planAttributeChange(undefined, { key: object.key, state })).toEqual([])
  })
})
