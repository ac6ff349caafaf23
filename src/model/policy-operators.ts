/**
 * The condition operators of IAM: each compares one value of the request with one value of the policy.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
import { isInRange, parseIpAddress, parseIpRange } from './ip-range.ts'
import type { Expanded } from './policy-variables.ts'
import { matchesPattern, type Pattern } from './wildcard.ts'

/** Undefined: the two cannot be compared, such as a number with a text that is none. */
type Comparison = (requested: string, wanted: Expanded) => boolean | undefined

export interface Operator {
  readonly compare: Comparison
  /** StringNotEquals and its like: holds when `compare` holds for none of the policy's values. */
  readonly negated: boolean
  /** Whether the policy's value is of the operator's type; texts always are. */
  readonly accepts: (wanted: string) => boolean
}

/** Names are case-sensitive, as in AWS; without IfExists and without ForAnyValue or ForAllValues. `Null` is not among them. */
export function findOperator(name: string): Operator | undefined {
  return Object.hasOwn(operators, name) ? operators[name] : undefined
}

const anyText = () => true
const stringEquals: Comparison = (requested, wanted) => requested === wanted.text
const stringEqualsIgnoreCase: Comparison = (requested, wanted) => requested.toLowerCase() === wanted.text.toLowerCase()
const stringLike: Comparison = (requested, wanted) => matchesPattern(wanted.pattern, requested)

const bool: Comparison = (requested, wanted) => {
  if (!isBool(requested)) return undefined
  return requested.toLowerCase() === wanted.text.toLowerCase()
}

const ipAddress: Comparison = (requested, wanted) => {
  const address = parseIpAddress(requested)
  const range = parseIpRange(wanted.text)
  return address && range && isInRange(address, range)
}

/** Each of the six parts on its own, so that a wildcard does not reach over a colon; the last part has the colons that are left. */
const arnLike: Comparison = (requested, wanted) => {
  const have = arnParts(requested)
  if (have === undefined || arnParts(wanted.text) === undefined) return undefined
  return patternParts(wanted.pattern).every((part, index) => matchesPattern(part, have[index] ?? ''))
}

const operators: Readonly<Record<string, Operator>> = {
  ...pair('StringEquals', 'StringNotEquals', stringEquals, anyText),
  ...pair('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', stringEqualsIgnoreCase, anyText),
  ...pair('StringLike', 'StringNotLike', stringLike, anyText),
  ...ordered('Numeric', toNumber),
  ...ordered('Date', toMilliseconds),
  Bool: { compare: bool, negated: false, accepts: isBool },
  BinaryEquals: { compare: stringEquals, negated: false, accepts: isBase64 },
  ...pair('IpAddress', 'NotIpAddress', ipAddress, (wanted) => parseIpRange(wanted) !== undefined),
  ...pair('ArnEquals', 'ArnNotEquals', arnLike, (wanted) => arnParts(wanted) !== undefined),
  ...pair('ArnLike', 'ArnNotLike', arnLike, (wanted) => arnParts(wanted) !== undefined),
}

function pair(name: string, opposite: string, compare: Comparison, accepts: Operator['accepts']): Record<string, Operator> {
  return { [name]: { compare, negated: false, accepts }, [opposite]: { compare, negated: true, accepts } }
}

function ordered(type: 'Numeric' | 'Date', read: (text: string) => number | undefined): Record<string, Operator> {
  const accepts = (wanted: string) => read(wanted) !== undefined
  const by = (holds: (requested: number, wanted: number) => boolean): Comparison => {
    return (requested, wanted) => {
      const have = read(requested)
      const want = read(wanted.text)
      return have === undefined || want === undefined ? undefined : holds(have, want)
    }
  }
  return {
    ...pair(
      `${type}Equals`,
      `${type}NotEquals`,
      by((a, b) => a === b),
      accepts,
    ),
    [`${type}LessThan`]: { compare: by((a, b) => a < b), negated: false, accepts },
    [`${type}LessThanEquals`]: { compare: by((a, b) => a <= b), negated: false, accepts },
    [`${type}GreaterThan`]: { compare: by((a, b) => a > b), negated: false, accepts },
    [`${type}GreaterThanEquals`]: { compare: by((a, b) => a >= b), negated: false, accepts },
  }
}

function toNumber(text: string): number | undefined {
  return /^[+-]?[0-9]{1,17}(\.[0-9]{1,17})?$/.test(text) ? Number(text) : undefined
}

/** Seconds since 1970, or ISO 8601 to the day or finer; without a zone it is UTC. */
function toMilliseconds(text: string): number | undefined {
  if (/^[0-9]{1,12}$/.test(text)) return Number(text) * 1000
  const [, date, time = 'T00:00', zone = 'Z'] =
    /^([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)?(Z|[+-][0-9]{2}:[0-9]{2})?$/.exec(text) ?? []
  if (date === undefined) return undefined
  const milliseconds = Date.parse(`${date}${time}${zone}`)
  return Number.isNaN(milliseconds) ? undefined : milliseconds
}

function isBool(text: string): boolean {
  return /^(true|false)$/i.test(text)
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0
}

function arnParts(text: string): readonly string[] | undefined {
  const parts = text.split(':')
  if (parts.length < 6 || parts[0] !== 'arn') return undefined
  return [...parts.slice(0, 5), parts.slice(5).join(':')]
}

/** As `arnParts`, of a pattern, in which a variable's wildcards are characters. */
function patternParts(pattern: Pattern): readonly Pattern[] {
  const colon = ':'.charCodeAt(0)
  const parts: Pattern[] = []
  let from = 0
  while (parts.length < 5) {
    const to = pattern.indexOf(colon, from)
    if (to < 0) break
    parts.push(pattern.slice(from, to))
    from = to + 1
  }
  return [...parts, pattern.slice(from)]
}
