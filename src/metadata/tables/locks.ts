/** Object Lock inside the transactions: who asks whether a version may go, and what a new version gets from its bucket. */
import { isNewer, isOrderedId } from '../../lib/hybrid-clock.ts'
import type { Bucket } from '../../model/bucket.ts'
import { S3Error } from '../../model/errors.ts'
import {
  checkRemoval,
  defaultRetentionFrom,
  mayChangeRetention,
  mergedRetention,
  protectedByLock,
  type Retention,
} from '../../model/object-lock.ts'
import type { ObjectVersion, Stamped, VersionRecord } from '../../model/version.ts'
import type { TransactionContext } from '../steps.ts'

/** Who takes a version away. */
export interface Removal {
  /** The caller asked to bypass GOVERNANCE, and may. */
  readonly bypass: boolean
}

/** Before a version's row is taken away, whatever for. @throws S3Error AccessDenied */
export function checkUnlocked(version: ObjectVersion, { bypass }: Removal, { lockMs }: TransactionContext): void {
  checkRemoval(version, { nowMs: lockMs, bypass })
}

export type LockChange =
  | { readonly name: 'retention'; readonly value: Retention | null; readonly bypass: boolean }
  | { readonly name: 'legalHold'; readonly value: boolean }

/** @throws S3Error InvalidRequest (a bucket without lock) | AccessDenied (what stands may not be weakened) */
export function checkLockChange(bucket: Bucket, { record }: ObjectVersion, change: LockChange, { lockMs }: TransactionContext): void {
  if (bucket.settings.objectLock === undefined) throw withoutLock()
  if (change.name === 'retention' && !mayChangeRetention(record, change.value, { nowMs: lockMs, bypass: change.bypass })) {
    throw protectedByLock()
  }
}

/**
 * The record of a new version with what its bucket adds to it.
 * @throws S3Error InvalidRequest for a lock in a bucket without lock
 */
export function lockedRecord(
  bucket: Bucket,
  { id, record }: Pick<ObjectVersion, 'id' | 'record'>,
  context: TransactionContext,
): VersionRecord {
  const { objectLock } = bucket.settings
  if (objectLock === undefined) {
    if (record.retention !== undefined || record.legalHold !== undefined) throw withoutLock()
    return record
  }
  if (record.retention !== undefined || objectLock.defaultRetention === undefined) return record
  return { ...record, retention: defaultAt(objectLock.defaultRetention, id, context) }
}

/** What a replica that arrives is kept with: its source's retention, or the bucket's default where the source has none. */
export function arrivedRecord(
  bucket: Bucket,
  { id, record }: Pick<ObjectVersion, 'id' | 'record'>,
  context: TransactionContext,
): VersionRecord {
  const byDefault = bucket.settings.objectLock?.defaultRetention
  if (byDefault === undefined || (record.retention !== undefined && record.retention.value !== null)) return record
  return { ...record, retention: defaultAt(byDefault, record.retention?.stamp ?? id, context) }
}

/** Lock state of a replica that stands, merged with what arrived: by stamp, and never to less than COMPLIANCE promised here. */
export function mergedLock(
  bucket: Bucket,
  { standing, arrived }: { readonly standing: VersionRecord; readonly arrived: VersionRecord },
  context: TransactionContext,
): Pick<VersionRecord, 'retention' | 'legalHold'> {
  const newer = newerOf(standing.retention, arrived.retention)
  const retention = mergedRetention(standing, newer === standing.retention ? newer : orDefault(bucket, newer, context), context.lockMs)
  const legalHold = newerOf(standing.legalHold, arrived.legalHold)
  return { ...(retention !== undefined && { retention }), ...(legalHold !== undefined && { legalHold }) }
}

/** The stamp of an attribute; undefined for one that was never set, or of which a damaged row does not say it. */
export function stampOf(attribute: Stamped<unknown> | undefined): string | undefined {
  const stamp: unknown = attribute?.stamp
  return typeof stamp === 'string' && isOrderedId(stamp) ? stamp : undefined
}

function newerOf<T>(standing: Stamped<T> | undefined, arrived: Stamped<T> | undefined): Stamped<T> | undefined {
  if (standing === undefined || arrived === undefined) return standing ?? arrived
  const stamp = stampOf(standing)
  return stamp === undefined || isNewer(arrived.stamp, stamp) ? arrived : standing
}

/** A source that has no retention any more leaves the version to the bucket's default, as when it arrived without one. */
function orDefault(bucket: Bucket, retention: VersionRecord['retention'], context: TransactionContext): VersionRecord['retention'] {
  const byDefault = bucket.settings.objectLock?.defaultRetention
  if (byDefault === undefined || retention === undefined || retention.value !== null) return retention
  return defaultAt(byDefault, retention.stamp, context)
}

/** NOTE: of the two clocks the later one counts, so that neither that was set back shortens a period. */
function defaultAt(
  byDefault: Parameters<typeof defaultRetentionFrom>[0],
  stamp: string,
  { nowMs, lockMs }: TransactionContext,
): Stamped<Retention> {
  return { stamp, value: defaultRetentionFrom(byDefault, Math.ceil(Math.max(nowMs, lockMs))) }
}

function withoutLock(): S3Error {
  return new S3Error('InvalidRequest', { message: 'Bucket is missing Object Lock Configuration' })
}
