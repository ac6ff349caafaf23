/** A multipart upload: what was fixed when it began, and what came of it. */
import type { Grant } from './acl.ts'
import type { ChecksumAlgorithm, ChecksumType } from './checksums.ts'
import type { Retention } from './object-lock.ts'
import type { StorageClass } from './storage-class.ts'
import type { Tag } from './tags.ts'
import type { SystemMetadata, UserMetadata } from './user-metadata.ts'
import type { StoredChecksum } from './version.ts'

/** What CreateMultipartUpload fixed for the object to come. */
export interface UploadRecord {
  readonly ownerId: string
  readonly storageClass: StorageClass
  readonly system: SystemMetadata
  readonly user: UserMetadata
  readonly tags: readonly Tag[]
  readonly acl: readonly Grant[]
  readonly isEncrypted: boolean
  readonly retention?: Retention | undefined
  readonly legalHold?: boolean | undefined
  readonly checksum: {
    readonly algorithm: ChecksumAlgorithm
    readonly type: ChecksumType /** The client named it. */
    readonly isGiven: boolean
  }
}

/** What CompleteMultipartUpload answered: kept, so that asking again gets the same answer. */
export interface UploadOutcome {
  readonly versionId: string
  readonly isVersioned: boolean
  readonly etag: string
  /** The part list that was asked for, as text: a repeated Complete must name the same. */
  readonly asked: string
  readonly checksum?: StoredChecksum
  readonly isEncrypted: boolean
}

export interface Upload {
  readonly id: string
  readonly bucketId: string
  readonly key: string
  readonly state: 'open' | 'completed'
  readonly initiatedMs: number
  readonly record: UploadRecord
  readonly outcome?: UploadOutcome
}
