import { describe, expect, it } from 'vitest'
import { parseDefaultMinimumObjectSize } from '../../../src/model/lifecycle-configuration.ts'
import type { LifecycleFilterInput, LifecycleRuleInput } from '../../../src/model/lifecycle-input.ts'
import { refused } from '../refused.ts'
import { a, argument, b, check, idle, malformed, noncurrent, notMidnight, positive, refusal, request, simple } from './put-rules.ts'

describe('a configuration that is taken', () => {
  it('is kept in the order in which S3 gives it back, and without what was not said', () => {
    const rule: LifecycleRuleInput = {
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: '7' },
      NoncurrentVersionTransition: [
        { NoncurrentDays: '30', StorageClass: 'STANDARD_IA' },
        { NoncurrentDays: '60', NewerNoncurrentVersions: '3', StorageClass: 'GLACIER' },
      ],
      NoncurrentVersionExpiration: { NoncurrentDays: '365', NewerNoncurrentVersions: '100' },
      Transition: [
        { Days: '30', StorageClass: 'STANDARD_IA' },
        { Days: '60', StorageClass: 'GLACIER' },
        { Days: '150', StorageClass: 'DEEP_ARCHIVE' },
      ],
      Expiration: { Days: '365' },
      Status: 'Enabled',
      Filter: { Prefix: 'logs/' },
      ID: 'one',
    }
    expect(JSON.stringify(check(rule))).toBe(
      JSON.stringify({
        Rule: [
          {
            ID: 'one',
            Filter: { Prefix: 'logs/' },
            Status: 'Enabled',
            Expiration: { Days: 365 },
            Transition: [
              { Days: 30, StorageClass: 'STANDARD_IA' },
              { Days: 60, StorageClass: 'GLACIER' },
              { Days: 150, StorageClass: 'DEEP_ARCHIVE' },
            ],
            NoncurrentVersionExpiration: { NoncurrentDays: 365, NewerNoncurrentVersions: 100 },
            NoncurrentVersionTransition: [
              { NoncurrentDays: 30, StorageClass: 'STANDARD_IA' },
              { NoncurrentDays: 60, NewerNoncurrentVersions: 3, StorageClass: 'GLACIER' },
            ],
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
        ],
        transitionDefaultMinimumObjectSize: 'all_storage_classes_128K',
      }),
    )
  })

  it('has made-up IDs where there are none', () => {
    expect(check({ ...simple, ID: undefined }, { ...simple, ID: '' }, simple).Rule.map(({ ID }) => ID)).toEqual(['made-1', 'made-2', 'one'])
  })

  it.each<[string, LifecycleFilterInput, unknown]>([
    ['nothing', {}, {}],
    ['an empty prefix', { Prefix: '' }, { Prefix: '' }],
    ['a tag', { Tag: a }, { Tag: a }],
    ['a tag without a value', { Tag: { Key: 'a', Value: '' } }, { Tag: { Key: 'a', Value: '' } }],
    ['a least size', { ObjectSizeGreaterThan: '0' }, { ObjectSizeGreaterThan: 0 }],
    ['a largest size', { ObjectSizeLessThan: '1' }, { ObjectSizeLessThan: 1 }],
    ['two tags', { And: { Tag: [a, b] } }, { And: { Tag: [a, b] } }],
    ['an empty prefix and a tag', { And: { Prefix: '', Tag: [a] } }, { And: { Prefix: '', Tag: [a] } }],
    [
      'both sizes',
      { And: { ObjectSizeGreaterThan: '1', ObjectSizeLessThan: '2' } },
      { And: { ObjectSizeGreaterThan: 1, ObjectSizeLessThan: 2 } },
    ],
  ])('filters by %s', (_, Filter, expected) => {
    expect(check({ ...simple, Filter }).Rule[0]?.Filter).toEqual(expected)
  })

  it('may be of the older form, with prefixes that do not meet, or that meet in different actions', () => {
    const old = { Status: 'Enabled', Expiration: { Days: '1' } }
    const rules = check(
      { ...old, Prefix: 'a' },
      { ...old, Prefix: 'b' },
      { ...idle, Filter: undefined, Prefix: 'a/', Transition: glacier('0') },
    )
    expect(rules.Rule.map(({ Prefix, Filter }) => [Prefix, Filter])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['a/', undefined],
    ])
  })

  it.each([
    ['2027-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2027-01-01T00:00:00Z', '2027-01-01T00:00:00.000Z'],
    ['2027-01-01T00:00:00+00:00', '2027-01-01T00:00:00.000Z'],
    ['2027-01-01T02:00:00+02:00', '2027-01-01T00:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ])('reads the date %s', (date, kept) => {
    expect(check({ ...simple, Expiration: { Date: date } }).Rule[0]?.Expiration).toEqual({ Date: kept })
  })

  it('may have 1000 rules, and rules of the newer form that overlap', () => {
    const rules = Array.from({ length: 1000 }, (_, index) => ({ ...simple, ID: `${index}` }))
    expect(check(...rules).Rule).toHaveLength(1000)
  })

  it('may move by dates that grow, and then expire', () => {
    const Transition = [
      { Date: '2027-01-01T00:00:00Z', StorageClass: 'STANDARD_IA' },
      { Date: '2027-02-01T00:00:00Z', StorageClass: 'GLACIER' },
    ]
    expect(check({ ...idle, Transition, Expiration: { Date: '2027-02-02T00:00:00Z' } }).Rule[0]?.Transition).toHaveLength(2)
  })
})

function glacier(Days: string) {
  return [{ Days, StorageClass: 'GLACIER' }]
}

describe('a configuration is refused', () => {
  it.each<[string, readonly LifecycleRuleInput[], readonly string[]]>([
    ['without rules', [], malformed],
    [
      'with 1001 rules',
      Array.from({ length: 1001 }, (_, index) => ({ ...simple, ID: `${index}` })),
      request('The number of lifecycle rules must not exceed the allowed limit of 1000 rules.'),
    ],
    ['with one ID twice', [simple, simple], argument('Rule ID must be unique. Found same ID for more than one rule')],
    ['with an ID of 256 characters', [{ ...simple, ID: 'x'.repeat(256) }], argument('ID length should not exceed allowed limit of 255')],
    ['without a Status', [{ ...simple, Status: undefined }], malformed],
    ['with a Status in lower case', [{ ...simple, Status: 'enabled' }], malformed],
    ['with neither Filter nor Prefix', [{ ...simple, Filter: undefined }], malformed],
    ['with both Filter and Prefix', [{ ...simple, Prefix: '' }], malformed],
    [
      'of both forms, the older first',
      [
        { ...simple, Filter: undefined, Prefix: 'a' },
        { ...simple, ID: 'two' },
      ],
      request('Filter element can only be used in Lifecycle V2.'),
    ],
    [
      'of both forms, the newer first',
      [simple, { ...simple, ID: 'two', Filter: undefined, Prefix: 'a' }],
      request('Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.'),
    ],
    [
      'of the older form with prefixes that meet in one action',
      [
        { ...simple, Filter: undefined, Prefix: 'a/b' },
        { ...simple, ID: 'two', Filter: undefined, Prefix: 'a' },
      ],
      request("Found overlapping prefixes 'a' and 'a/b' for same action type 'Expiration'"),
    ],
    ['without an action', [idle], request('At least one action needs to be specified in a rule')],
  ])('%s', (_, rules, expected) => {
    expect(refusal(...rules)).toEqual(expected)
  })

  it.each<[string, LifecycleFilterInput, readonly string[]]>([
    ['a prefix and a tag', { Prefix: '', Tag: a }, malformed],
    ['both sizes outside of And', { ObjectSizeGreaterThan: '1', ObjectSizeLessThan: '2' }, malformed],
    ['And and a prefix', { Prefix: 'a', And: { Tag: [a, b] } }, malformed],
    ['And of nothing', { And: {} }, malformed],
    ['And of one', { And: { Prefix: 'a' } }, malformed],
    ['a tag without a key', { Tag: { Value: '1' } }, malformed],
    ['a tag of the system', { Tag: { Key: 'aws:x', Value: '1' } }, ['InvalidTag', 'System tags cannot be added/updated by requester']],
    ['a tag key twice', { And: { Tag: [a, { Key: 'a', Value: '2' }] } }, request('Duplicate Tag Keys are not allowed.')],
    [
      'eleven tags',
      { And: { Tag: Array.from({ length: 11 }, (_, index) => ({ Key: `k${index}`, Value: '' })) } },
      request('A filter cannot have more than 10 tags: no object has more.'),
    ],
    ['a prefix of 1025 bytes', { Prefix: 'x'.repeat(1025) }, argument('The maximum size of a prefix is 1024.')],
    ['a size below 0', { ObjectSizeGreaterThan: '-1' }, request("'ObjectSizeGreaterThan' should be between 0 and 1099511627776000.")],
    ['smaller than 0', { ObjectSizeLessThan: '0' }, request("'ObjectSizeLessThan' should be between 1 and 1099511627776000.")],
    [
      'a size too large',
      { ObjectSizeLessThan: '1099511627776001' },
      request("'ObjectSizeLessThan' should be between 1 and 1099511627776000."),
    ],
    ['a size that is no number', { ObjectSizeLessThan: '1 MB' }, malformed],
    ['a size past what a number holds', { ObjectSizeLessThan: '99999999999999999999' }, malformed],
    [
      'sizes that leave nothing',
      { And: { ObjectSizeGreaterThan: '5', ObjectSizeLessThan: '5' } },
      request("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."),
    ],
  ])('for a filter with %s', (_, Filter, expected) => {
    expect(refusal({ ...simple, Filter })).toEqual(expected)
  })

  it.each<[string, LifecycleRuleInput, readonly string[]]>([
    ['an Expiration of nothing', { ...idle, Expiration: {} }, malformed],
    ['Days and Date', { ...idle, Expiration: { Days: '1', Date: '2027-01-01' } }, malformed],
    ['Days and ExpiredObjectDeleteMarker', { ...idle, Expiration: { Days: '1', ExpiredObjectDeleteMarker: 'true' } }, malformed],
    ['Date and ExpiredObjectDeleteMarker', { ...idle, Expiration: { Date: '2027-01-01', ExpiredObjectDeleteMarker: 'true' } }, malformed],
    ['ExpiredObjectDeleteMarker of another word', { ...idle, Expiration: { ExpiredObjectDeleteMarker: 'yes' } }, malformed],
    ['no days', { ...idle, Expiration: { Days: '0' } }, positive('Days', 'Expiration')],
    ['days below 0', { ...idle, Expiration: { Days: '-5' } }, positive('Days', 'Expiration')],
    ['half a day', { ...idle, Expiration: { Days: '0.5' } }, malformed],
    ['empty days', { ...idle, Expiration: { Days: '' } }, malformed],
    ['more days than 32 bits hold', { ...idle, Expiration: { Days: '2147483648' } }, malformed],
    ['a date at noon', { ...idle, Expiration: { Date: '2027-01-01T12:00:00Z' } }, notMidnight],
    ['a date at midnight elsewhere', { ...idle, Expiration: { Date: '2027-01-01T00:00:00+01:00' } }, notMidnight],
    ['a date a moment after midnight', { ...idle, Expiration: { Date: '2027-01-01T00:00:00.001Z' } }, notMidnight],
    ['a date as HTTP writes it', { ...idle, Expiration: { Date: 'Fri, 01 Jan 2027 00:00:00 GMT' } }, malformed],
    ['31 February', { ...idle, Expiration: { Date: '2027-02-31T00:00:00Z' } }, malformed],
    ['29 February of a common year', { ...idle, Expiration: { Date: '2027-02-29' } }, malformed],
    ['month 13', { ...idle, Expiration: { Date: '2027-13-01T00:00:00Z' } }, malformed],
    ['hour 24', { ...idle, Expiration: { Date: '2027-01-01T99:00:00Z' } }, malformed],
    [
      'ExpiredObjectDeleteMarker by tag',
      { ...idle, Filter: { Tag: a }, Expiration: { ExpiredObjectDeleteMarker: 'true' } },
      request('ExpiredObjectDeleteMarker cannot be specified with Tags.'),
    ],
    [
      'ExpiredObjectDeleteMarker by tags in And',
      { ...idle, Filter: { And: { Prefix: 'a', Tag: [a] } }, Expiration: { ExpiredObjectDeleteMarker: 'true' } },
      request('ExpiredObjectDeleteMarker cannot be specified with Tags.'),
    ],
    [
      'ExpiredObjectDeleteMarker by size',
      { ...idle, Filter: { ObjectSizeLessThan: '5' }, Expiration: { ExpiredObjectDeleteMarker: 'false' } },
      request('ExpiredObjectDeleteMarker cannot be specified with Object Size.'),
    ],
    ['a noncurrent expiration of nothing', { ...idle, NoncurrentVersionExpiration: {} }, malformed],
    ['newer versions without days', { ...idle, NoncurrentVersionExpiration: { NewerNoncurrentVersions: '1' } }, malformed],
    [
      'no noncurrent days',
      { ...idle, NoncurrentVersionExpiration: { NoncurrentDays: '0' } },
      positive('NoncurrentDays', 'NoncurrentVersionExpiration'),
    ],
    [
      'no newer versions',
      { ...idle, NoncurrentVersionExpiration: { NoncurrentDays: '1', NewerNoncurrentVersions: '0' } },
      argument("'NewerNoncurrentVersions' must be between 1 and 100"),
    ],
    [
      '101 newer versions',
      noncurrent({ NoncurrentDays: '1', NewerNoncurrentVersions: '101', StorageClass: 'GLACIER' }),
      argument("'NewerNoncurrentVersions' must be between 1 and 100"),
    ],
    [
      'newer versions in the older form',
      { ...idle, Filter: undefined, Prefix: '', NoncurrentVersionExpiration: { NoncurrentDays: '1', NewerNoncurrentVersions: '1' } },
      request('NewerNoncurrentVersions element can only be used in Lifecycle V2.'),
    ],
    ['an abort of nothing', { ...idle, AbortIncompleteMultipartUpload: {} }, malformed],
    [
      'no days after initiation',
      { ...idle, AbortIncompleteMultipartUpload: { DaysAfterInitiation: '0' } },
      positive('DaysAfterInitiation', 'AbortIncompleteMultipartUpload'),
    ],
    [
      'an abort by tag',
      { ...idle, Filter: { Tag: a }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: '1' } },
      request('AbortIncompleteMultipartUpload cannot be specified with Tags.'),
    ],
    [
      'an abort by size',
      {
        ...idle,
        Filter: { And: { Prefix: 'a', ObjectSizeGreaterThan: '1' } },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: '1' },
      },
      request('AbortIncompleteMultipartUpload cannot be specified with Object Size.'),
    ],
  ])('for %s', (_, rule, expected) => {
    expect(refusal(rule)).toEqual(expected)
  })
})

describe('the default minimum size of what moves', () => {
  it('is 128 KiB for all classes unless it is said', () => {
    expect(parseDefaultMinimumObjectSize(undefined)).toBe('all_storage_classes_128K')
    expect(parseDefaultMinimumObjectSize('varies_by_storage_class')).toBe('varies_by_storage_class')
  })

  it('is one of two words', () => {
    const { code, message } = refused(() => parseDefaultMinimumObjectSize('256K'))
    expect([code, message]).toEqual(['InvalidRequest', 'Invalid TransitionDefaultMinimumObjectSize found: 256K'])
  })
})
