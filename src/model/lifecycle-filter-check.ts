/** PutBucketLifecycleConfiguration's refusals about which objects a rule is for. */
import { S3Error } from './errors.ts'
import type { LifecycleFilter, LifecycleRule } from './lifecycle.ts'
import { type AndInput, type LifecycleFilterInput, type LifecycleRuleInput, readLong, type SizesInput } from './lifecycle-input.ts'
import { checkPrefix, checkTag, checkTags } from './replication-filter.ts'

/** S3: what it names when it refuses a size; no object is as large. */
const sizeMaxBytes = 1_099_511_627_776_000

/** Which objects a rule is for. A configuration has rules of one form only. */
export type Selection = Pick<LifecycleRule, 'Filter' | 'Prefix'>

/**
 * @param first  the configuration's first rule, which says of which form all are
 * @throws S3Error MalformedXML | InvalidArgument | InvalidRequest | InvalidTag
 */
export function checkSelection({ Filter: filter, Prefix: prefix }: LifecycleRuleInput, first: LifecycleRuleInput): Selection {
  if ((filter === undefined) === (prefix === undefined)) throw new S3Error('MalformedXML')
  if (filter === undefined) {
    if (first.Filter !== undefined) {
      throw invalidRequest('Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.')
    }
    return { Prefix: checkPrefix(prefix ?? '') }
  }
  if (first.Prefix !== undefined) throw invalidRequest('Filter element can only be used in Lifecycle V2.')
  return { Filter: checkFilter(filter) }
}

/** How S3 names the objects of a rule in its refusals. */
export function selectionText({ Prefix: prefix, Filter: filter = {} }: Selection): string {
  const { And: and = filter, Tag: tag } = filter
  const { Prefix = prefix, ObjectSizeGreaterThan: above, ObjectSizeLessThan: below } = and
  const tags = tag === undefined ? (filter.And?.Tag ?? []) : [tag]
  const parts = [
    ...(Prefix === undefined ? [] : [`prefix=${Prefix}`]),
    ...tags.map(({ Key, Value }) => `tag={key=${Key}, value=${Value}}`),
    ...(above === undefined ? [] : [`objectsizegreaterthan=${above}`]),
    ...(below === undefined ? [] : [`objectsizelessthan=${below}`]),
  ]
  return `(${parts.join(' and ')})`
}

function checkFilter(input: LifecycleFilterInput): LifecycleFilter {
  const members = [input.Prefix, input.Tag, input.And, input.ObjectSizeGreaterThan, input.ObjectSizeLessThan]
  if (members.filter((member) => member !== undefined).length > 1) throw new S3Error('MalformedXML')
  if (input.Prefix !== undefined) return { Prefix: checkPrefix(input.Prefix) }
  if (input.Tag !== undefined) return { Tag: checkTag(input.Tag) }
  return input.And === undefined ? checkSizes(input) : { And: checkAnd(input.And) }
}

function checkAnd(input: AndInput): NonNullable<LifecycleFilter['And']> {
  const tags = checkTags(input.Tag ?? [])
  const others = [input.Prefix, input.ObjectSizeGreaterThan, input.ObjectSizeLessThan].filter((member) => member !== undefined)
  if (tags.length + others.length < 2) throw new S3Error('MalformedXML')
  return {
    ...(input.Prefix !== undefined && { Prefix: checkPrefix(input.Prefix) }),
    ...(tags.length > 0 && { Tag: tags }),
    ...checkSizes(input),
  }
}

function checkSizes(input: SizesInput): Pick<LifecycleFilter, 'ObjectSizeGreaterThan' | 'ObjectSizeLessThan'> {
  const above = input.ObjectSizeGreaterThan === undefined ? undefined : checkSize('ObjectSizeGreaterThan', input.ObjectSizeGreaterThan, 0)
  const below = input.ObjectSizeLessThan === undefined ? undefined : checkSize('ObjectSizeLessThan', input.ObjectSizeLessThan, 1)
  if (above !== undefined && below !== undefined && below <= above) {
    throw invalidRequest("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")
  }
  return {
    ...(above !== undefined && { ObjectSizeGreaterThan: above }),
    ...(below !== undefined && { ObjectSizeLessThan: below }),
  }
}

function checkSize(name: string, text: string, min: number): number {
  const size = readLong(text)
  if (size < min || size > sizeMaxBytes) throw invalidRequest(`'${name}' should be between ${min} and ${sizeMaxBytes}.`)
  return size
}

function invalidRequest(message: string): S3Error {
  return new S3Error('InvalidRequest', { message })
}
