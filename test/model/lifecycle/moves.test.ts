import { describe, expect, it } from 'vitest'
import type { LifecycleRuleInput } from '../../../src/model/lifecycle-input.ts'
import { a, argument, malformed, noncurrent, notMidnight, refusal, request, transition } from './put-rules.ts'

describe('a configuration is refused', () => {
  it.each<[string, LifecycleRuleInput, readonly string[]]>([
    ['to nowhere', transition({ Days: '1' }), malformed],
    ['to no class of S3', transition({ Days: '1', StorageClass: 'ICE' }), malformed],
    ['to STANDARD', transition({ Days: '1', StorageClass: 'STANDARD' }), malformed],
    ['to REDUCED_REDUNDANCY', transition({ Days: '1', StorageClass: 'REDUCED_REDUNDANCY' }), malformed],
    ['without a time', transition({ StorageClass: 'GLACIER' }), argument("'Transition' action must specify either 'Days' or 'Date'")],
    ['with two times', transition({ Days: '1', Date: '2027-01-01', StorageClass: 'GLACIER' }), malformed],
    ['at noon', transition({ Date: '2027-01-01T12:00:00Z', StorageClass: 'GLACIER' }), notMidnight],
    ['days ago', transition({ Days: '-1', StorageClass: 'GLACIER' }), argument("'Days' in Transition action must be nonnegative")],
    [
      'to STANDARD_IA before 30 days',
      transition({ Days: '29', StorageClass: 'STANDARD_IA' }),
      argument("'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'"),
    ],
    [
      'to ONEZONE_IA before 30 noncurrent days',
      noncurrent({ NoncurrentDays: '0', StorageClass: 'ONEZONE_IA' }),
      argument("'NoncurrentDays' in NoncurrentVersionTransition action must be greater than or equal to 30 for storageClass 'ONEZONE_IA'"),
    ],
    ['without noncurrent days', noncurrent({ StorageClass: 'GLACIER' }), malformed],
    [
      'to one class twice',
      transition({ Days: '1', StorageClass: 'GLACIER' }, { Days: '2', StorageClass: 'GLACIER' }),
      request("'StorageClass' must be different for 'Transition' actions in same 'Rule' with filter '()'"),
    ],
    [
      'to one class twice, noncurrent',
      { ...noncurrent(...['1', '2'].map((NoncurrentDays) => ({ NoncurrentDays, StorageClass: 'GLACIER' }))), Filter: { Prefix: 'x' } },
      request("'StorageClass' must be different for 'NoncurrentVersionTransition' actions in same 'Rule' with filter '(prefix=x)'"),
    ],
    [
      'by days and by date',
      transition({ Days: '1', StorageClass: 'GLACIER' }, { Date: '2027-01-01', StorageClass: 'DEEP_ARCHIVE' }),
      request("Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for filter '()'"),
    ],
    [
      'by days, and expires by date',
      { ...transition({ Days: '1', StorageClass: 'GLACIER' }), Expiration: { Date: '2027-01-01' } },
      request("Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter '()'"),
    ],
    [
      'by date, and expires by days',
      { ...transition({ Date: '2027-01-01', StorageClass: 'GLACIER' }), Expiration: { Days: '1' } },
      request("Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter '()'"),
    ],
    [
      'to the colder class first',
      transition({ Days: '60', StorageClass: 'INTELLIGENT_TIERING' }, { Days: '10', StorageClass: 'GLACIER_IR' }),
      argument(
        "'Days' in the 'Transition' action for StorageClass 'GLACIER_IR' for filter '()' must be greater than 'filter '()'' in the 'Transition' action for StorageClass 'INTELLIGENT_TIERING'",
      ),
    ],
    [
      'to an archive 29 days after STANDARD_IA',
      { ...transition({ Days: '59', StorageClass: 'GLACIER' }, { Days: '30', StorageClass: 'STANDARD_IA' }), Filter: { Tag: a } },
      argument(
        "'Days' in the 'Transition' action for StorageClass 'GLACIER' for filter '(tag={key=a, value=1})' must be 30 days more than 'filter '(tag={key=a, value=1})'' in the 'Transition' action for StorageClass 'STANDARD_IA'",
      ),
    ],
    [
      'to DEEP_ARCHIVE 89 days after GLACIER',
      { ...transition({ Days: '1', StorageClass: 'GLACIER' }, { Days: '90', StorageClass: 'DEEP_ARCHIVE' }), Filter: { Prefix: '' } },
      argument(
        "'Days' in the 'Transition' action for StorageClass 'DEEP_ARCHIVE' for filter '(prefix=)' must be 90 days more than 'filter '(prefix=)'' in the 'Transition' action for StorageClass 'GLACIER'",
      ),
    ],
    [
      'to two classes on one date',
      transition(...['ONEZONE_IA', 'STANDARD_IA'].map((StorageClass) => ({ Date: '2027-01-01', StorageClass }))),
      argument(
        "'Date' in the 'Transition' action for StorageClass 'ONEZONE_IA' for filter '()' must be greater than 'filter '()'' in the 'Transition' action for StorageClass 'STANDARD_IA'",
      ),
    ],
    [
      'to two classes on one noncurrent day',
      noncurrent(...['GLACIER', 'GLACIER_IR'].map((StorageClass) => ({ NoncurrentDays: '5', StorageClass }))),
      argument(
        "'NoncurrentDays' in the 'NoncurrentVersionTransition' action for StorageClass 'GLACIER' for filter '()' must be greater than 'filter '()'' in the 'NoncurrentVersionTransition' action for StorageClass 'GLACIER_IR'",
      ),
    ],
    [
      'on the day on which the object expires',
      {
        ...transition({ Days: '5', StorageClass: 'GLACIER' }),
        Filter: { And: { Prefix: 'x', ObjectSizeGreaterThan: '1', ObjectSizeLessThan: '9' } },
        Expiration: { Days: '5' },
      },
      argument(
        "'Days' in the Expiration action for filter '(prefix=x and objectsizegreaterthan=1 and objectsizelessthan=9)' must be greater than 'Days' in the Transition action",
      ),
    ],
    [
      'on the date on which the object expires',
      { ...transition({ Date: '2027-01-01', StorageClass: 'GLACIER' }), Expiration: { Date: '2027-01-01T00:00:00Z' } },
      argument("'Date' in the Expiration action for filter '()' must be greater than 'Date' in the Transition action"),
    ],
    [
      'on the day on which the noncurrent version expires',
      { ...noncurrent({ NoncurrentDays: '5', StorageClass: 'GLACIER' }), NoncurrentVersionExpiration: { NoncurrentDays: '5' } },
      argument(
        "'NoncurrentDays' in the NoncurrentVersionExpiration action for filter '()' must be greater than 'NoncurrentDays' in the NoncurrentVersionTransition action",
      ),
    ],
  ])('for a move %s', (_, rule, expected) => {
    expect(refusal(rule)).toEqual(expected)
  })
})
