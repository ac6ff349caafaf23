/**
 * Archived versions and their temporary copies: when one can be read, and what clients are told of it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
 */
import { S3Error } from './errors.ts'
import { needsRestore, type StorageClass } from './storage-class.ts'
import type { ObjectVersion, Restore, RestoreTier } from './version.ts'

export const restoreTiers = ['Standard', 'Bulk', 'Expedited'] as const satisfies readonly RestoreTier[]
/** A hundred years: S3 takes more, up to times that no calendar has. */
export const restoreDaysMax = 36_500

type Archivable = { readonly storageClass: StorageClass; readonly record: { readonly restore?: Restore } }
type Restored = Restore & { readonly state: 'restored' }

/** The copy from which an archived version is read now; undefined: there is none. */
export function readableCopy({ record }: Pick<Archivable, 'record'>, nowMs: number): Restored | undefined {
  const { restore } = record
  return restore?.state === 'restored' && restore.expiryMs > nowMs ? restore : undefined
}

/** Whether the bytes of a version cannot be had as things are: it is archived, and not restored. */
export function isUnreadable(version: Archivable, nowMs: number): boolean {
  return needsRestore(version.storageClass) && readableCopy(version, nowMs) === undefined
}

/** What a client is told who wants to read an archived version. */
export function notRestored({ storageClass }: Pick<ObjectVersion, 'storageClass'>): S3Error {
  return new S3Error('InvalidObjectState', { details: { StorageClass: storageClass } })
}

/** `x-amz-restore`; undefined where there is nothing to tell. */
export function restoreHeader({ storageClass, record }: Archivable, nowMs: number): string | undefined {
  if (!needsRestore(storageClass)) return undefined
  if (record.restore?.state === 'ongoing') return 'ongoing-request="true"'
  const copy = readableCopy({ record }, nowMs)
  return copy === undefined ? undefined : `ongoing-request="false", expiry-date="${new Date(copy.expiryMs).toUTCString()}"`
}

/** The midnight after so many days: days are counted from midnight to midnight UTC, however long a day is. */
export function restoreExpiryMs(of: { readonly nowMs: number; readonly days: number; readonly dayMs: number }): number {
  return Math.ceil((of.nowMs + of.days * of.dayMs) / of.dayMs) * of.dayMs
}
