/**
 * Storage classes: which names S3 knows, and which of them this server stores under.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
 */
import { S3Error } from './errors.ts'
import { unsupportedHeader } from './headers.ts'

/** The classes under which an object can be stored. Those for which `needsRestore` holds are not read at once. */
const stored = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
] as const

/** Classes that S3 knows and this server does not store: a promise that they make (another kind of bucket, other hardware) is not kept here. */
const unsupported = [
  'OUTPOSTS',
  'SNOW',
  'EXPRESS_ONEZONE',
  'FSX_OPENZFS',
  'FSX_ONTAP',
  'AWS_BACKUP_WARM',
  'AWS_BACKUP_LOW_COST_WARM',
] as const

export type StoredStorageClass = (typeof stored)[number]
export type StorageClass = StoredStorageClass | (typeof unsupported)[number]

/** Every name that S3 knows. */
export const storageClasses: readonly StorageClass[] = [...stored, ...unsupported]

/** Whether S3 knows the name, supported here or not. */
export function isStorageClass(name: string): name is StorageClass {
  return storageClasses.some((known) => known === name)
}

/** Whether an object can be stored under this class now. */
export function isStoredStorageClass(name: string): name is StoredStorageClass {
  return stored.some((known) => known === name)
}

/** Whether an object of this class must be restored before it can be read. */
export function needsRestore(name: StorageClass): boolean {
  return name === 'GLACIER' || name === 'DEEP_ARCHIVE'
}

/**
 * Reads `x-amz-storage-class`; STANDARD when it was not sent.
 * @throws S3Error InvalidStorageClass (no such class) | NotImplemented (a class of S3 that is not stored here, by name)
 */
export function parseStorageClass(name: string | undefined): StoredStorageClass {
  if (name === undefined) return 'STANDARD'
  if (isStoredStorageClass(name)) return name
  if (isStorageClass(name)) throw unsupportedHeader('x-amz-storage-class', name)
  throw new S3Error('InvalidStorageClass', { details: { StorageClassRequested: name.slice(0, 64) } })
}
