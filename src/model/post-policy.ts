/**
 * The policy of a form upload: what its author allows whoever holds the form to send.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
import { S3Error } from './errors.ts'
import { parsePolicyJson } from './policy-json.ts'

export interface PostPolicy {
  readonly expirationMs: number
  readonly conditions: readonly PostCondition[]
}

export type PostCondition =
  /** `text`: as the policy spells it, for the refusal. `field`: lower case. */
  | { readonly kind: 'eq' | 'starts-with'; readonly field: string; readonly value: string; readonly text: string }
  | ({ readonly kind: 'content-length-range' } & LengthRange)

/** Both ends are allowed. */
export interface LengthRange {
  readonly minBytes: number
  readonly maxBytes: number
}

/** Form fields by lower-case name, those before the file. */
export type FormFields = ReadonlyMap<string, string>

/** Ours: fields are at most 20 KB together, and each needs one condition. */
const conditionsMax = 1000

/** S3: fields that need no condition, because they are the file, the policy or its signature. */
const exemptFields: ReadonlySet<string> = new Set(['file', 'policy', 'x-amz-signature'])
const ignoredPrefix = 'x-ignore-'

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

/**
 * @param base64 the form's field `policy`, as it was signed
 * @throws S3Error InvalidPolicyDocument
 */
export function parsePostPolicy(base64: string): PostPolicy {
  const document = jsonOf(base64)
  if (!isObject(document)) throw invalid('Expecting an object.')
  const { expiration, conditions } = document
  if (typeof expiration !== 'string') throw invalid('Policy missing expiration.')
  const expirationMs = isoTime.test(expiration) ? Date.parse(expiration) : Number.NaN
  if (Number.isNaN(expirationMs)) throw invalid(`Invalid 'expiration' value: '${expiration.slice(0, 64)}'`)
  if (!Array.isArray(conditions)) throw invalid('Policy missing conditions.')
  if (conditions.length > conditionsMax) throw invalid(`A policy has at most ${conditionsMax} conditions.`)
  return { expirationMs, conditions: conditions.map(parseCondition) }
}

/**
 * Holds a form against its policy. A field that no condition speaks of is refused, so that the holder of a form adds nothing to it.
 * @param bucketName of the bucket that the form was posted to, whatever a field of that name says
 * @returns the length that the file must have, if the policy says
 * @throws S3Error AccessDenied
 */
export function checkPostPolicy(
  { expirationMs, conditions }: PostPolicy,
  { fields, bucketName, nowMs }: { readonly fields: FormFields; readonly bucketName: string; readonly nowMs: number },
): LengthRange | undefined {
  if (nowMs >= expirationMs) throw denied('Policy expired.')
  const given = new Map([...fields, ['bucket', bucketName]])
  const covered = new Set<string>()
  let range: LengthRange | undefined
  for (const condition of conditions) {
    if (condition.kind === 'content-length-range') {
      range = narrowed(range, condition)
      continue
    }
    covered.add(condition.field)
    if (!holds(condition, given.get(condition.field))) throw denied(`Policy Condition failed: ${condition.text}`)
  }
  if (!covered.has('bucket')) throw denied('Policy missing condition: bucket')
  const extra = [...given.keys()].filter((name) => !covered.has(name) && !exemptFields.has(name) && !name.startsWith(ignoredPrefix))
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(', ').slice(0, 1024)}`)
  return range
}

function jsonOf(base64: string): unknown {
  if (!/^[A-Za-z0-9+/\s]+=*\s*$/.test(base64)) throw invalid('The policy is not base64.')
  try {
    return parsePolicyJson(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64')))
  } catch (cause) {
    throw invalid('Invalid JSON.', cause)
  }
}

function parseCondition(condition: unknown): PostCondition {
  if (Array.isArray(condition)) return parseOperation(condition)
  if (!isObject(condition)) throw invalid('Invalid Condition: expecting an array or an object.')
  const [only, ...more] = Object.entries(condition)
  if (only === undefined || more.length > 0) {
    throw invalid('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.')
  }
  const [name, value] = only
  if (typeof value !== 'string') throw invalid('Invalid Simple-Condition: value must be a string.')
  return { kind: 'eq', field: name.toLowerCase(), value, text: JSON.stringify(['eq', `$${name}`, value]) }
}

function parseOperation(operation: readonly unknown[]): PostCondition {
  const [operator, first, second] = operation
  if (typeof operator !== 'string' || operation.length !== 3) throw invalid('Invalid Condition: wrong number of arguments.')
  const kind = operator.toLowerCase()
  if (kind === 'content-length-range') {
    const range = { minBytes: lengthOf(first), maxBytes: lengthOf(second) }
    if (range.minBytes > range.maxBytes) throw invalid('Invalid Content-Length-Range: the minimum is above the maximum.')
    return { kind, ...range }
  }
  if (kind !== 'eq' && kind !== 'starts-with') throw invalid(`Invalid Condition: unknown operation '${operator.slice(0, 64)}'.`)
  if (typeof first !== 'string' || !/^\$./.test(first)) throw invalid('Invalid Condition: the field must begin with $.')
  if (typeof second !== 'string') throw invalid('Invalid Condition: the value must be a string.')
  return { kind, field: first.slice(1).toLowerCase(), value: second, text: JSON.stringify(operation) }
}

function lengthOf(value: unknown): number {
  const length = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value
  if (typeof length === 'number' && Number.isSafeInteger(length) && length >= 0) return length
  throw invalid('Invalid Content-Length-Range: the ends must be whole numbers, not below zero.')
}

/** A field that is absent fails, also where an empty one would do. */
function holds({ kind, field, value }: Exclude<PostCondition, LengthRange>, given: string | undefined): boolean {
  if (given === undefined) return false
  if (kind === 'eq') return given === value
  // "Content-Types values for a starts-with condition that include commas are interpreted as lists."
  const values = field === 'content-type' ? given.split(',').map((type) => type.trim()) : [given]
  return values.every((one) => one.startsWith(value))
}

/** Several ranges hold all together. */
function narrowed(range: LengthRange | undefined, { minBytes, maxBytes }: LengthRange): LengthRange {
  if (range === undefined) return { minBytes, maxBytes }
  return { minBytes: Math.max(range.minBytes, minBytes), maxBytes: Math.min(range.maxBytes, maxBytes) }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(message: string, cause?: unknown): S3Error {
  return new S3Error('InvalidPolicyDocument', { message: `Invalid Policy: ${message}`, cause })
}

function denied(reason: string): S3Error {
  return new S3Error('AccessDenied', { message: `Invalid according to Policy: ${reason}` })
}
