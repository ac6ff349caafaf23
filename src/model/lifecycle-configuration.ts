/**
 * PutBucketLifecycleConfiguration's refusals. Pure: the same input gives the same configuration or error.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
 */
import { S3Error } from './errors.ts'
import type { LifecycleConfiguration, LifecycleRule } from './lifecycle.ts'
import { hasSizes, prefixOf } from './lifecycle-filter.ts'
import { checkSelection, type Selection, selectionText } from './lifecycle-filter-check.ts'
import {
  type ExpirationInput,
  type LifecycleConfigurationInput,
  type LifecycleRuleInput,
  type NoncurrentInput,
  readBoolean,
  readInt,
  readMidnight,
} from './lifecycle-input.ts'
import { checkExpirationsLast, checkNoncurrentTransitions, checkTransitions } from './lifecycle-transitions-check.ts'

/** S3: "The number of lifecycle rules must not exceed the allowed limit of 1000 rules." */
const lifecycleRulesMax = 1000
/** S3: LifecycleRule.ID */
const ruleIdLengthMax = 255
/** S3: NewerNoncurrentVersions. */
const newerNoncurrentVersionsMax = 100

export type DefaultMinimumObjectSize = LifecycleConfiguration['transitionDefaultMinimumObjectSize']

/**
 * Reads `x-amz-transition-default-minimum-object-size`.
 * @throws S3Error InvalidRequest
 */
export function parseDefaultMinimumObjectSize(value: string | undefined): DefaultMinimumObjectSize {
  if (value === undefined) return 'all_storage_classes_128K'
  if (value === 'all_storage_classes_128K' || value === 'varies_by_storage_class') return value
  throw invalidRequest(`Invalid TransitionDefaultMinimumObjectSize found: ${value.slice(0, 64)}`)
}

/**
 * @param makeId  makes the ID of a rule that has none; must not repeat
 * @throws S3Error MalformedXML | InvalidArgument | InvalidRequest | InvalidTag
 */
export function checkLifecycleConfiguration(
  input: LifecycleConfigurationInput,
  { makeId, minimum }: { readonly makeId: () => string; readonly minimum: DefaultMinimumObjectSize },
): LifecycleConfiguration {
  const [first, ...others] = input.Rule ?? []
  if (first === undefined) throw new S3Error('MalformedXML')
  if (others.length >= lifecycleRulesMax) {
    throw invalidRequest(`The number of lifecycle rules must not exceed the allowed limit of ${lifecycleRulesMax} rules.`)
  }
  const rules = [first, ...others].map((rule) => checkRule(rule, { first, makeId }))
  if (new Set(rules.map((rule) => rule.ID)).size !== rules.length) {
    throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule')
  }
  if (first.Prefix !== undefined) checkPrefixesApart(rules)
  return { Rule: rules, transitionDefaultMinimumObjectSize: minimum }
}

/** Its members stand in the order in which they are given back. */
function checkRule(
  input: LifecycleRuleInput,
  { first, makeId }: { readonly first: LifecycleRuleInput; readonly makeId: () => string },
): LifecycleRule {
  if (input.Status !== 'Enabled' && input.Status !== 'Disabled') throw new S3Error('MalformedXML')
  const selection = checkSelection(input, first)
  const text = selectionText(selection)
  const {
    Expiration,
    Transition = [],
    NoncurrentVersionExpiration,
    NoncurrentVersionTransition = [],
    AbortIncompleteMultipartUpload,
  } = input
  const readNewer = (value: string) => checkNewer(value, selection)
  const rule: LifecycleRule = {
    ID: checkId(input.ID, makeId),
    ...selection,
    Status: input.Status,
    ...(Expiration && { Expiration: checkExpiration(Expiration, selection) }),
    ...(Transition.length > 0 && { Transition: checkTransitions(Transition, text) }),
    ...(NoncurrentVersionExpiration && { NoncurrentVersionExpiration: checkNoncurrent(NoncurrentVersionExpiration, readNewer) }),
    ...(NoncurrentVersionTransition.length > 0 && {
      NoncurrentVersionTransition: checkNoncurrentTransitions(NoncurrentVersionTransition, { selection: text, readNewer }),
    }),
    ...(AbortIncompleteMultipartUpload && { AbortIncompleteMultipartUpload: checkAbort(AbortIncompleteMultipartUpload, selection) }),
  }
  checkExpirationsLast(rule, text)
  if (actions.every((action) => rule[action] === undefined)) throw invalidRequest('At least one action needs to be specified in a rule')
  return rule
}

const actions = [
  'Expiration',
  'Transition',
  'NoncurrentVersionExpiration',
  'NoncurrentVersionTransition',
  'AbortIncompleteMultipartUpload',
] as const satisfies readonly (keyof LifecycleRule)[]

function checkId(id: string | undefined, makeId: () => string): string {
  if (id === undefined || id === '') return makeId()
  if (id.length > ruleIdLengthMax) throw invalidArgument(`ID length should not exceed allowed limit of ${ruleIdLengthMax}`)
  return id
}

function checkExpiration(input: ExpirationInput, selection: Selection): NonNullable<LifecycleRule['Expiration']> {
  const { Days: days, Date: date, ExpiredObjectDeleteMarker: marker } = input
  if ([days, date, marker].filter((member) => member !== undefined).length !== 1) throw new S3Error('MalformedXML')
  if (days !== undefined) return { Days: checkPositive(days, "'Days' for Expiration action") }
  if (date !== undefined) return { Date: readMidnight(date) }
  refuseTagsAndSizes('ExpiredObjectDeleteMarker', selection)
  return { ExpiredObjectDeleteMarker: readBoolean(marker ?? '') }
}

function checkNoncurrent(
  { NoncurrentDays: days, NewerNoncurrentVersions: newer }: NoncurrentInput,
  readNewer: (value: string) => number,
): NonNullable<LifecycleRule['NoncurrentVersionExpiration']> {
  return {
    NoncurrentDays: checkPositive(days, "'NoncurrentDays' for NoncurrentVersionExpiration action"),
    ...(newer !== undefined && { NewerNoncurrentVersions: readNewer(newer) }),
  }
}

function checkNewer(value: string, { Filter: filter }: Selection): number {
  const newer = readInt(value)
  if (filter === undefined) throw invalidRequest('NewerNoncurrentVersions element can only be used in Lifecycle V2.')
  if (newer < 1 || newer > newerNoncurrentVersionsMax) {
    throw invalidArgument(`'NewerNoncurrentVersions' must be between 1 and ${newerNoncurrentVersionsMax}`)
  }
  return newer
}

function checkAbort(
  { DaysAfterInitiation: days }: { readonly DaysAfterInitiation?: string | undefined },
  selection: Selection,
): NonNullable<LifecycleRule['AbortIncompleteMultipartUpload']> {
  refuseTagsAndSizes('AbortIncompleteMultipartUpload', selection)
  return { DaysAfterInitiation: checkPositive(days, "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action") }
}

/** What has neither tags nor a size cannot be chosen by them. */
function refuseTagsAndSizes(action: string, { Filter: filter = {} }: Selection): void {
  if (filter.Tag !== undefined || filter.And?.Tag !== undefined) throw invalidRequest(`${action} cannot be specified with Tags.`)
  if (hasSizes(filter)) throw invalidRequest(`${action} cannot be specified with Object Size.`)
}

function checkPositive(text: string | undefined, name: string): number {
  const days = readInt(text)
  if (days < 1) throw invalidArgument(`${name} must be a positive integer`)
  return days
}

/** Of rules of the older form no two do the same kind of thing to the same key. */
function checkPrefixesApart(rules: readonly LifecycleRule[]): void {
  for (const action of actions) {
    const having = rules.filter((rule) => rule[action] !== undefined)
    // Sorted, whatever begins with a prefix follows it at once, so that neighbours are all there is to compare.
    const prefixes = having.map(prefixOf).sort()
    for (const [index, prefix] of prefixes.entries()) {
      const next = prefixes[index + 1]
      if (next?.startsWith(prefix)) {
        throw invalidRequest(`Found overlapping prefixes '${prefix}' and '${next}' for same action type '${action}'`)
      }
    }
  }
}

function invalidArgument(message: string): S3Error {
  return new S3Error('InvalidArgument', { message })
}

function invalidRequest(message: string): S3Error {
  return new S3Error('InvalidRequest', { message })
}
