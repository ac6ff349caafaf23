/**
 * What PutBucketLifecycleConfiguration receives, before any rule is checked: element names as S3 spells them, repeated elements as arrays,
 * every leaf its text. An absent element is undefined; an empty one is '' where it is a leaf and {} where it has members.
 */
import { S3Error } from './errors.ts'
import type { TagInput } from './replication-input.ts'

export interface LifecycleConfigurationInput {
  readonly Rule?: readonly LifecycleRuleInput[] | undefined
}

export interface LifecycleRuleInput {
  readonly ID?: string | undefined
  readonly Prefix?: string | undefined
  readonly Filter?: LifecycleFilterInput | undefined
  readonly Status?: string | undefined
  readonly Expiration?: ExpirationInput | undefined
  readonly Transition?: readonly TransitionInput[] | undefined
  readonly NoncurrentVersionExpiration?: NoncurrentInput | undefined
  readonly NoncurrentVersionTransition?: readonly NoncurrentTransitionInput[] | undefined
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation?: string | undefined } | undefined
}

export interface LifecycleFilterInput extends SizesInput {
  readonly Prefix?: string | undefined
  readonly Tag?: TagInput | undefined
  readonly And?: AndInput | undefined
}

export interface AndInput extends SizesInput {
  readonly Prefix?: string | undefined
  readonly Tag?: readonly TagInput[] | undefined
}

export interface SizesInput {
  readonly ObjectSizeGreaterThan?: string | undefined
  readonly ObjectSizeLessThan?: string | undefined
}

export interface TimeInput {
  readonly Days?: string | undefined
  readonly Date?: string | undefined
}

export interface ExpirationInput extends TimeInput {
  readonly ExpiredObjectDeleteMarker?: string | undefined
}

export interface TransitionInput extends TimeInput {
  readonly StorageClass?: string | undefined
}

export interface NoncurrentInput {
  readonly NoncurrentDays?: string | undefined
  readonly NewerNoncurrentVersions?: string | undefined
}

export interface NoncurrentTransitionInput extends NoncurrentInput {
  readonly StorageClass?: string | undefined
}

/** S3: days and numbers of versions are 32-bit integers. */
const intMax = 2_147_483_647

/** A 32-bit integer. @throws S3Error MalformedXML */
export function readInt(text: string | undefined): number {
  const value = readLong(text)
  if (Math.abs(value) > intMax) throw new S3Error('MalformedXML')
  return value
}

/** An integer that a number holds exactly. @throws S3Error MalformedXML */
export function readLong(text: string | undefined): number {
  const value = text !== undefined && /^[+-]?\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new S3Error('MalformedXML')
  return value
}

/** @throws S3Error MalformedXML */
export function readBoolean(text: string): boolean {
  const value = text.trim().toLowerCase()
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw new S3Error('MalformedXML')
}

const iso8601 = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))?$/
const dayMs = 86_400_000

/**
 * A midnight in ISO 8601. A date alone means its midnight UTC.
 * @returns as it is kept: `YYYY-MM-DDT00:00:00.000Z`
 * @throws S3Error MalformedXML | InvalidArgument (not at midnight)
 */
export function readMidnight(text: string): string {
  const [value, date] = iso8601.exec(text.trim()) ?? []
  // Of 31 February Date.parse would make 3 March.
  if (value === undefined || date === undefined || !isDay(date)) throw new S3Error('MalformedXML')
  const ms = Date.parse(value)
  if (!(ms >= 0 && ms <= lastMidnightMs)) throw new S3Error('MalformedXML')
  if (ms % dayMs !== 0) throw new S3Error('InvalidArgument', { message: "'Date' must be at midnight GMT" })
  return new Date(ms).toISOString()
}

const lastMidnightMs = Date.UTC(9999, 11, 31)

function isDay(date: string): boolean {
  const ms = Date.parse(date)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date)
}
