/**
 * The way down through the storage classes: an object moves only to a colder one.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
 */
import type { StorageClass } from './storage-class.ts'

const warmestFirst: readonly StorageClass[] = [
  'STANDARD',
  'STANDARD_IA',
  'INTELLIGENT_TIERING',
  'ONEZONE_IA',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
]

/** Whether objects may move so. From or to a class outside the waterfall: never. */
export function isColder({ from, to }: { readonly from: StorageClass; readonly to: StorageClass }): boolean {
  // The one step down that S3 does not take.
  if (from === 'ONEZONE_IA' && to === 'GLACIER_IR') return false
  return coldness(from) >= 0 && coldness(to) > coldness(from)
}

/** Grows from class to colder class; -1 outside the waterfall. */
export function coldness(storageClass: StorageClass): number {
  return warmestFirst.indexOf(storageClass === 'REDUCED_REDUNDANCY' ? 'STANDARD' : storageClass)
}
