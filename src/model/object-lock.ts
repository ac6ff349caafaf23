/**
 * Object Lock: what keeps a version from being removed.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 */
import { S3Error } from './errors.ts'
import { dateMaxMs } from './limits.ts'

export const retentionModes = ['GOVERNANCE', 'COMPLIANCE'] as const
export type RetentionMode = (typeof retentionModes)[number]

export interface Retention {
  readonly mode: RetentionMode
  readonly untilMs: number
}

/** A bucket with Object Lock, which is never switched off again. */
export interface BucketObjectLock {
  /** For new versions that say nothing of it. */
  readonly defaultRetention?: DefaultRetention
}

export interface DefaultRetention {
  readonly mode: RetentionMode
  readonly period: { readonly unit: 'Days' | 'Years'; readonly count: number }
}

/**
 * A version's lock as its row has it. NOTE: a row may have been damaged or written by another release, so that nothing in it is believed to have the
 * form that its type says.
 */
export interface LockedRecord {
  readonly retention?: { readonly value: unknown } | undefined
  readonly legalHold?: { readonly value: unknown } | undefined
}

/** What speaks against the removal of a version. `unreadable`: there is a lock, and nobody can tell which: it yields to nothing. */
export type RemovalRefusal = 'unreadable' | 'legalHold' | 'COMPLIANCE' | 'GOVERNANCE'

export interface LockMoment {
  /** The time of locks (`lockMs` of a transaction), not that of the day: see lock-clock.ts. */
  readonly nowMs: number
  /** Whether the caller asked to bypass GOVERNANCE, and may. */
  readonly bypass: boolean
}

/** Whether a version may be taken away for good. A delete marker is never locked. */
export function removalRefusal(
  version: { readonly isDeleteMarker: boolean; readonly record: LockedRecord },
  { nowMs, bypass }: LockMoment,
): RemovalRefusal | undefined {
  if (version.isDeleteMarker) return undefined
  const hold = readLegalHold(version.record)
  const retention = readRetention(version.record)
  if (hold === 'unreadable' || retention === 'unreadable') return 'unreadable'
  if (hold) return 'legalHold'
  if (retention === undefined || retention.untilMs <= nowMs) return undefined
  return retention.mode === 'GOVERNANCE' && bypass ? undefined : retention.mode
}

/** @throws S3Error AccessDenied for a version that is locked */
export function checkRemoval(version: Parameters<typeof removalRefusal>[0], moment: LockMoment): void {
  if (removalRefusal(version, moment) !== undefined) throw protectedByLock()
}

/**
 * Whether a retention may take the place of the one that stands; `null` takes it away. COMPLIANCE is only ever extended. GOVERNANCE is extended freely, and
 * shortened, removed or made COMPLIANCE only with bypass: what can never be taken back is not for everybody who may extend.
 */
export function mayChangeRetention(record: LockedRecord, next: Retention | null, { nowMs, bypass }: LockMoment): boolean {
  const standing = readRetention(record)
  if (standing === 'unreadable') return false
  if (standing === undefined || standing.untilMs <= nowMs) return true
  const isExtended = next !== null && next.mode === standing.mode && next.untilMs >= standing.untilMs
  return isExtended || (standing.mode === 'GOVERNANCE' && bypass)
}

/** What a version gets that says nothing of it. Years are those of the calendar. @param fromMs  the version's creation */
export function defaultRetentionFrom({ mode, period }: DefaultRetention, fromMs: number): Retention {
  const until = new Date(fromMs)
  if (period.unit === 'Years') until.setUTCFullYear(until.getUTCFullYear() + period.count)
  else until.setUTCDate(until.getUTCDate() + period.count)
  return { mode, untilMs: until.getTime() }
}

/**
 * What a replica's retention becomes when `newer` has the higher stamp. COMPLIANCE in force here is only extended, whatever another region says, and
 * an unreadable one stays.
 */
export function mergedRetention<T extends LockedRecord['retention']>(
  standing: { readonly retention?: T },
  newer: T | undefined,
  nowMs: number,
): T | undefined {
  const kept = readRetention(standing)
  if (kept === undefined || (kept !== 'unreadable' && (kept.mode === 'GOVERNANCE' || kept.untilMs <= nowMs))) return newer
  const next = readRetention({ retention: newer })
  const isExtended = kept !== 'unreadable' && typeof next === 'object' && next.mode === 'COMPLIANCE' && next.untilMs >= kept.untilMs
  return isExtended ? newer : standing.retention
}

/** A version's retention, in force or over; undefined: none, or taken away. */
export function readRetention({ retention }: LockedRecord): Retention | 'unreadable' | undefined {
  if (retention === undefined) return undefined
  const value: unknown = isObject(retention) ? retention.value : undefined
  if (value === null) return undefined
  if (!isObject(value)) return 'unreadable'
  const mode = retentionModes.find((one) => one === value.mode)
  const { untilMs } = value
  if (mode === undefined || typeof untilMs !== 'number' || !Number.isInteger(untilMs)) return 'unreadable'
  if (untilMs < 0 || untilMs > dateMaxMs) return 'unreadable'
  return { mode, untilMs }
}

export function readLegalHold({ legalHold }: LockedRecord): boolean | 'unreadable' {
  if (legalHold === undefined) return false
  const value: unknown = isObject(legalHold) ? legalHold.value : undefined
  return typeof value === 'boolean' ? value : 'unreadable'
}

export function protectedByLock(): S3Error {
  return new S3Error('AccessDenied', { message: 'Access Denied because object protected by object lock.' })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
