import { describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import { checkReplicationConfiguration } from '../../src/model/replication-configuration-check.ts'
import type { ReplicationConfigurationInput, ReplicationDestinationInput, ReplicationRuleInput } from '../../src/model/replication-input.ts'

const role = 'arn:aws:iam::123456789012:role/replication'
const target: ReplicationDestinationInput = { Bucket: 'arn:aws:s3:::target' }
const v1: ReplicationRuleInput = { ID: 'one', Prefix: '', Status: 'Enabled', Destination: target }
const v2: ReplicationRuleInput = {
  ID: 'one',
  Priority: '1',
  Filter: {},
  Status: 'Enabled',
  DeleteMarkerReplication: { Status: 'Disabled' },
  Destination: target,
}
const tag = (Key: string, Value = 'v') => ({ Key, Value })

function check(...rules: readonly ReplicationRuleInput[]) {
  return checkInput({ Role: role, Rule: rules })
}

function checkInput(input: ReplicationConfigurationInput) {
  return checkReplicationConfiguration(input, { makeId: (index) => `made-${index}` })
}

function refusal(run: () => unknown): { code: string; message: string } | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof S3Error) return { code: error.code, message: error.message }
    throw error
  }
  return undefined
}

const wrongVersion = (what: string) =>
  `${what} for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.`

describe('a configuration that is taken', () => {
  it('is V1 when a rule has no Filter, and stays so', () => {
    expect(check({ ...v1, Prefix: 'photos/', Status: 'Disabled' })).toEqual({
      Role: role,
      Rule: [{ ID: 'one', Prefix: 'photos/', Status: 'Disabled', Destination: { Bucket: 'arn:aws:s3:::target' } }],
    })
  })

  it('keeps an empty Filter, also through JSON', () => {
    const expected = {
      ID: 'one',
      Priority: 1,
      Filter: {},
      Status: 'Enabled',
      DeleteMarkerReplication: { Status: 'Disabled' },
      Destination: { Bucket: 'arn:aws:s3:::target' },
    }
    expect(JSON.parse(JSON.stringify(check(v2)))).toEqual({ Role: role, Rule: [expected] })
  })

  it.each<[string, NonNullable<ReplicationRuleInput['Filter']>]>([
    ['a prefix', { Prefix: 'a/' }],
    ['an empty prefix', { Prefix: '' }],
    ['a tag', { Tag: tag('a', '') }],
    ['tags', { And: { Tag: [tag('a'), tag('b')] } }],
    ['a prefix and a tag', { And: { Prefix: 'a/', Tag: [tag('a')] } }],
  ])('keeps a Filter of %s as it was put', (_name, Filter) => {
    expect(check({ ...v2, Filter }).Rule[0]?.Filter).toEqual(Filter)
  })

  it('keeps what is there and turned off', () => {
    const rule: ReplicationRuleInput = {
      ...v2,
      SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Disabled' }, ReplicaModifications: { Status: 'Disabled' } },
      ExistingObjectReplication: { Status: 'Disabled' },
      DeleteMarkerReplication: { Status: 'Enabled' },
      Destination: {
        ...target,
        Account: '123456789012',
        StorageClass: 'STANDARD_IA',
        ReplicationTime: { Status: 'Disabled', Time: { Minutes: '15' } },
        Metrics: { Status: 'Disabled', EventThreshold: { Minutes: '15' } },
      },
    }
    expect(check(rule).Rule[0]).toEqual({
      ...rule,
      Priority: 1,
      Destination: {
        ...rule.Destination,
        ReplicationTime: { Status: 'Disabled', Time: { Minutes: 15 } },
        Metrics: { Status: 'Disabled', EventThreshold: { Minutes: 15 } },
      },
    })
  })

  it('gets an ID for each rule that has none', () => {
    const { ID: _, ...noId } = v2
    const ids = check({ ...noId, Priority: '1' }, { ...v2, Priority: '2' }, { ...v2, ID: '', Priority: '3' }).Rule.map((rule) => rule.ID)
    expect(ids).toEqual(['made-0', 'one', 'made-2'])
  })

  it('may have an ID of 255 characters, a prefix of 1024 bytes and 1000 rules', () => {
    const many = Array.from({ length: 1000 }, (_, index) => ({ ...v2, ID: `${index}`.padEnd(255, 'i'), Priority: `${index}` }))
    expect(check(...many).Rule).toHaveLength(1000)
    expect(refusal(() => check({ ...v1, Prefix: 'ü'.repeat(512) }))).toBeUndefined()
  })

  it('may use a priority again for another destination', () => {
    expect(check(v2, { ...v2, ID: 'two', Destination: { Bucket: 'arn:aws:s3:::other' } }).Rule).toHaveLength(2)
  })
})

describe('a configuration that is refused', () => {
  it.each<[string, ReplicationConfigurationInput, string, string | RegExp]>([
    ['no role', { Rule: [v2] }, 'MalformedXML', /well-formed/],
    ['an empty role', { Role: '', Rule: [v2] }, 'MalformedXML', /well-formed/],
    ['a role that is no ARN', { Role: 'replication', Rule: [v2] }, 'InvalidArgument', /Role/],
    ['no rule', { Role: role }, 'MalformedXML', /well-formed/],
    ['an empty list of rules', { Role: role, Rule: [] }, 'MalformedXML', /well-formed/],
    ['1001 rules', { Role: role, Rule: Array.from({ length: 1001 }, () => v2) }, 'InvalidRequest', /1000/],
  ])('for %s', (_name, input, code, message) => {
    expect(refusal(() => checkInput(input))).toEqual({ code, message: expect.stringMatching(message) })
  })

  it.each<[string, readonly ReplicationRuleInput[], string, string]>([
    ['no Status', [{ ...v2, Status: undefined }], 'MalformedXML', 'well-formed'],
    ['an unknown Status', [{ ...v2, Status: 'enabled' }], 'MalformedXML', 'well-formed'],
    ['no Destination', [{ ...v2, Destination: undefined }], 'MalformedXML', 'well-formed'],
    ['a Destination without Bucket', [{ ...v2, Destination: {} }], 'MalformedXML', 'well-formed'],
    ['V2 fields without Filter or Prefix', [{ ...v2, Filter: undefined }], 'MalformedXML', 'well-formed'],
    ['neither Filter nor Prefix', [{ ...v1, Prefix: undefined }], 'MalformedXML', 'well-formed'],
    ['both Filter and Prefix', [{ ...v2, Prefix: '' }], 'MalformedXML', 'well-formed'],
    ['a bad bucket ARN', [{ ...v2, Destination: { Bucket: 'target' } }], 'InvalidArgument', 'Invalid bucket ARN.'],
    ['an unknown storage class', [{ ...v2, Destination: { ...target, StorageClass: 'COLD' } }], 'MalformedXML', 'well-formed'],
    ['an ID of 256 characters', [{ ...v2, ID: 'i'.repeat(256) }], 'InvalidArgument', 'Rule Id cannot be greater than 255'],
    ['an ID that is not ASCII', [{ ...v2, ID: 'régle' }], 'InvalidArgument', 'ASCII'],
    ['an ID twice', [v2, { ...v2, Priority: '2' }], 'InvalidRequest', 'Rule Id must be unique'],
    ['a V1 prefix over 1024 bytes', [{ ...v1, Prefix: 'p'.repeat(1025) }], 'InvalidArgument', '1024'],
    ['a V2 prefix over 1024 bytes', [{ ...v2, Filter: { Prefix: 'ü'.repeat(513) } }], 'InvalidArgument', '1024'],
    [
      'a prefix in And over 1024 bytes',
      [{ ...v2, Filter: { And: { Prefix: 'p'.repeat(1025), Tag: [tag('a')] } } }],
      'InvalidArgument',
      '1024',
    ],
    ['no Priority in V2', [{ ...v2, Priority: undefined }], 'InvalidRequest', wrongVersion('Priority must be specified')],
    [
      'no DeleteMarkerReplication in V2',
      [{ ...v2, DeleteMarkerReplication: undefined }],
      'InvalidRequest',
      wrongVersion('DeleteMarkerReplication must be specified'),
    ],
    ['a Priority that is no number', [{ ...v2, Priority: 'high' }], 'MalformedXML', 'well-formed'],
    ['an empty Priority', [{ ...v2, Priority: '' }], 'MalformedXML', 'well-formed'],
    ['a Priority with a fraction', [{ ...v2, Priority: '1.5' }], 'MalformedXML', 'well-formed'],
    ['a Priority below 0', [{ ...v2, Priority: '-1' }], 'InvalidRequest', 'between 0 and 2147483647'],
    ['a Priority above 32 bits', [{ ...v2, Priority: '2147483648' }], 'InvalidRequest', 'between 0 and 2147483647'],
    ['a Priority twice for one destination', [v2, { ...v2, ID: 'two' }], 'InvalidRequest', 'Found duplicate priority 1.'],
    ['Priority in V1', [{ ...v1, Priority: '1' }], 'InvalidRequest', wrongVersion('Priority cannot be used')],
    [
      'DeleteMarkerReplication in V1',
      [{ ...v1, DeleteMarkerReplication: { Status: 'Disabled' } }],
      'InvalidRequest',
      wrongVersion('DeleteMarkerReplication cannot be used'),
    ],
    [
      'ReplicationTime in V1',
      [{ ...v1, Destination: { ...target, ReplicationTime: { Status: 'Disabled', Time: { Minutes: '15' } } } }],
      'InvalidRequest',
      wrongVersion('ReplicationTime cannot be used'),
    ],
    ['a V2 rule beside a V1 rule', [v1, { ...v2, ID: 'two' }], 'InvalidRequest', wrongVersion('Priority cannot be used')],
    [
      'two destinations in V1',
      [
        { ...v1, Prefix: 'a' },
        { ...v1, ID: 'two', Prefix: 'b', Destination: { Bucket: 'arn:aws:s3:::other' } },
      ],
      'InvalidRequest',
      'Number of distinct destination bucket ARNs cannot exceed 1',
    ],
    [
      'overlapping prefixes in V1',
      [
        { ...v1, Prefix: 'b/' },
        { ...v1, ID: 'two', Prefix: 'a/' },
        { ...v1, ID: 'three', Prefix: 'b/c' },
      ],
      'InvalidRequest',
      "Found overlapping prefixes 'b/' and 'b/c'",
    ],
    ['one prefix twice in V1', [v1, { ...v1, ID: 'two' }], 'InvalidRequest', "Found overlapping prefixes '' and ''"],
    ['two members in a Filter', [{ ...v2, Filter: { Prefix: 'a', Tag: tag('a') } }], 'MalformedXML', 'well-formed'],
    ['an And without a tag', [{ ...v2, Filter: { And: { Prefix: 'a' } } }], 'MalformedXML', 'well-formed'],
    ['a tag without a Key', [{ ...v2, Filter: { Tag: { Value: 'v' } } }], 'MalformedXML', 'well-formed'],
    ['a tag with an empty Key', [{ ...v2, Filter: { Tag: tag('') } }], 'InvalidTag', 'TagKey'],
    [
      'a tag key twice',
      [{ ...v2, Filter: { And: { Tag: [tag('a', '1'), tag('a', '2')] } } }],
      'InvalidRequest',
      'Duplicate Tag Keys are not allowed.',
    ],
    [
      'more tags than an object can have',
      [{ ...v2, Filter: { And: { Tag: Array.from({ length: 11 }, (_, index) => tag(`${index}`)) } } }],
      'InvalidRequest',
      'more than 10 tags',
    ],
    [
      'delete markers with a tag',
      [{ ...v2, DeleteMarkerReplication: { Status: 'Enabled' }, Filter: { Tag: tag('a') } }],
      'InvalidRequest',
      'Delete marker replication is not supported if any Tag filter is specified.',
    ],
    [
      'delete markers with a tag inside And',
      [{ ...v2, DeleteMarkerReplication: { Status: 'Enabled' }, Filter: { And: { Prefix: 'a', Tag: [tag('a')] } } }],
      'InvalidRequest',
      'Delete marker replication is not supported if any Tag filter is specified.',
    ],
    ['DeleteMarkerReplication without Status', [{ ...v2, DeleteMarkerReplication: {} }], 'InvalidArgument', 'DeleteMarkerReplication'],
    [
      'ExistingObjectReplication without Status',
      [{ ...v2, ExistingObjectReplication: {} }],
      'InvalidArgument',
      'ExistingObjectReplication',
    ],
    ['an unknown Status of a member', [{ ...v2, DeleteMarkerReplication: { Status: 'On' } }], 'MalformedXML', 'well-formed'],
    ['empty criteria', [{ ...v2, SourceSelectionCriteria: {} }], 'InvalidRequest', 'cannot be empty'],
    [
      'criteria without Status',
      [{ ...v2, SourceSelectionCriteria: { ReplicaModifications: {} } }],
      'InvalidArgument',
      'ReplicaModifications must have a Status.',
    ],
    [
      'SSE-KMS objects without a key',
      [{ ...v2, SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } } }],
      'InvalidRequest',
      'ReplicaKmsKeyID must be specified',
    ],
  ])('for %s', (_name, rules, code, message) => {
    expect(refusal(() => check(...rules))).toEqual({ code, message: expect.stringContaining(message) })
  })

  const time = (Status: string | undefined, Minutes = '15') => ({ Status, Time: { Minutes } })
  const metrics = (Status: string | undefined, Minutes = '15') => ({ Status, EventThreshold: { Minutes } })
  it.each<[string, ReplicationDestinationInput, string, string]>([
    ['ReplicationTime without Metrics', { ReplicationTime: time('Enabled') }, 'InvalidRequest', 'both ReplicationTime and Metrics'],
    ['Metrics without ReplicationTime', { Metrics: metrics('Enabled') }, 'InvalidRequest', 'both ReplicationTime and Metrics'],
    ['another Status in each', { ReplicationTime: time('Enabled'), Metrics: metrics('Disabled') }, 'InvalidRequest', 'same Status'],
    [
      'no Status of ReplicationTime',
      { ReplicationTime: time(undefined), Metrics: metrics('Enabled') },
      'InvalidArgument',
      'ReplicationTime',
    ],
    ['no Status of Metrics', { ReplicationTime: time('Enabled'), Metrics: metrics(undefined) }, 'InvalidArgument', 'Metrics'],
    ['14 minutes', { ReplicationTime: time('Enabled', '14'), Metrics: metrics('Enabled') }, 'InvalidArgument', '15'],
    ['a threshold of 16 minutes', { ReplicationTime: time('Enabled'), Metrics: metrics('Enabled', '16') }, 'InvalidArgument', '15'],
    ['no minutes', { ReplicationTime: { Status: 'Enabled', Time: {} }, Metrics: metrics('Enabled') }, 'InvalidArgument', '15'],
    ['minutes that are no number', { ReplicationTime: time('Enabled', 'x'), Metrics: metrics('Enabled') }, 'MalformedXML', 'well-formed'],
    ['no Time', { ReplicationTime: { Status: 'Enabled' }, Metrics: metrics('Enabled') }, 'MalformedXML', 'well-formed'],
    ['no threshold', { ReplicationTime: time('Enabled'), Metrics: { Status: 'Enabled' } }, 'InvalidArgument', 'threshold'],
    [
      'an owner override without Account',
      { AccessControlTranslation: { Owner: 'Destination' } },
      'InvalidRequest',
      'Account must be specified',
    ],
    ['an unknown owner', { Account: '123456789012', AccessControlTranslation: { Owner: 'Source' } }, 'MalformedXML', 'well-formed'],
    ['an EncryptionConfiguration without a key', { EncryptionConfiguration: {} }, 'MalformedXML', 'well-formed'],
  ])('for %s in the destination', (_name, destination, code, message) => {
    const rule = { ...v2, Destination: { ...target, ...destination } }
    expect(refusal(() => check(rule))).toEqual({ code, message: expect.stringContaining(message) })
  })
})

describe('what is valid and not done here', () => {
  const key = { EncryptionConfiguration: { ReplicaKmsKeyID: 'arn:aws:kms:eu-west-1:123456789012:key/k' } }
  const inDestination = (destination: ReplicationDestinationInput): ReplicationRuleInput => ({
    ...v2,
    Destination: { ...target, ...destination },
  })

  it.each<[string, ReplicationRuleInput]>([
    ['SseKmsEncryptedObjects', { ...inDestination(key), SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } } }],
    ['EncryptionConfiguration', inDestination(key)],
    ['ReplicaModifications', { ...v2, SourceSelectionCriteria: { ReplicaModifications: { Status: 'Enabled' } } }],
    ['ExistingObjectReplication', { ...v2, ExistingObjectReplication: { Status: 'Enabled' } }],
    [
      'ReplicationTime',
      inDestination({
        ReplicationTime: { Status: 'Enabled', Time: { Minutes: '15' } },
        Metrics: { Status: 'Enabled', EventThreshold: { Minutes: '15' } },
      }),
    ],
    ['StorageClass OUTPOSTS', inDestination({ StorageClass: 'OUTPOSTS' })],
  ])('is refused by name: %s', (element, rule) => {
    expect(refusal(() => check(rule))).toEqual({
      code: 'NotImplemented',
      message: `${element} in a replication rule is not implemented.`,
    })
  })

  it('comes after every other refusal', () => {
    const invalid = { ...v2, ID: 'two', Priority: '2', Status: 'no' }
    expect(refusal(() => check({ ...v2, ExistingObjectReplication: { Status: 'Enabled' } }, invalid))?.code).toBe('MalformedXML')
  })
})
