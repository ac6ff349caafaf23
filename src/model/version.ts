/** One version of an object, or a delete marker: what every layer above the rows speaks of. */
import type { Grant } from './acl.ts'
import type { ChecksumAlgorithm, ChecksumType } from './checksums.ts'
import type { Retention } from './object-lock.ts'
import type { ReplicationState } from './replication-status.ts'
import type { StorageClass } from './storage-class.ts'
import type { Tag } from './tags.ts'
import type { SystemMetadata, UserMetadata } from './user-metadata.ts'

/** A value with the hybrid-clock stamp of its last change: two regions merge such values by taking the higher stamp. */
export interface Stamped<T> {
  readonly stamp: string
  readonly value: T
}

export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm
  readonly type: ChecksumType
  /** Base64; COMPOSITE values end in `-N`. */
  readonly value: string
}

/** SSE-S3 of one blob: its data key, sealed with the region's master key. */
export interface SealedEncryption {
  readonly algorithm: 'AES256'
  readonly sealedKey: string
}

/** What SQL never searches: kept as one JSON column. */
export interface VersionRecord {
  readonly ownerId: string
  readonly system: SystemMetadata
  readonly user: UserMetadata
  readonly checksum?: StoredChecksum
  /** Absent: stored as it came. For a multipart version each part has a sealed key of its own; `sealedKey` is '' here then. */
  readonly encryption?: SealedEncryption
  readonly tags: Stamped<readonly Tag[]>
  readonly acl: Stamped<readonly Grant[]>
  /** Absent: never set. */
  readonly retention?: Stamped<Retention | null>
  /** Absent: never set. */
  readonly legalHold?: Stamped<boolean>
  /** Of an archived version: a temporary copy that is asked for, or here. */
  readonly restore?: Restore
}

/**
 * A temporary copy of an archived version on the region's own disk. `blobSet`: rows of `parts` with the copy's blobs, numbered as the version's parts, and
 * 1 where it has none. It is readable until `expiryMs`.
 */
export type Restore =
  | { readonly state: 'ongoing'; readonly requestedMs: number; readonly days: number; readonly tier: RestoreTier }
  | { readonly state: 'restored'; readonly requestedMs: number; readonly blobSet: string; readonly expiryMs: number }

export type RestoreTier = 'Standard' | 'Bulk' | 'Expedited'

export interface ObjectVersion {
  readonly bucketId: string
  readonly key: string
  /** Ordered id: fixed-width text, newest first. Also a null version has one. */
  readonly id: string
  /** Known to clients as `null`. */
  readonly isNull: boolean
  readonly isLatest: boolean
  readonly isDeleteMarker: boolean
  readonly size: number
  /** Wall time of the write; a replica carries its source's. */
  readonly lastModifiedMs: number
  /** From when lifecycle counts its age: `lastModifiedMs` of the current version, that of the version which took its place of any other. */
  readonly sinceMs: number
  /** Without quotes; '' for a delete marker. */
  readonly etag: string
  readonly storageClass: StorageClass
  /** The one blob of a version that was not made of parts. Empty objects have one too. */
  readonly blob?: string
  /** The parts that make up a multipart version: rows of `parts` with this blob set. */
  readonly blobSet?: string
  /** Number of parts of a multipart version. */
  readonly partCount?: number
  readonly record: VersionRecord
  readonly replication?: ReplicationState
  /** Its content was found to be not what was written: it is not given to anybody. */
  readonly isDamaged?: boolean
  readonly seq: number
}

/** What a listing tells of a version, and where it stands in one. */
export interface ListedVersion
  extends Pick<
    ObjectVersion,
    'key' | 'id' | 'isNull' | 'isLatest' | 'isDeleteMarker' | 'size' | 'lastModifiedMs' | 'etag' | 'storageClass'
  > {
  readonly ownerId: string
  readonly checksum: StoredChecksum | undefined
  readonly restore: Restore | undefined
}

/** One part: of an upload under way, or of a completed version. */
export interface Part {
  readonly number: number
  readonly blob: string
  readonly size: number
  /** Without quotes: the part's MD5, lower-case hex. */
  readonly etag: string
  readonly checksum?: StoredChecksum
  readonly encryption?: SealedEncryption
  readonly lastModifiedMs: number
}

/** What came of a deletion. */
export interface Deleted {
  /** A marker was made, or a marker was removed. */
  readonly deleteMarker?: boolean
  /** Version id of what was made or removed, as clients know it; absent in an unversioned bucket. */
  readonly versionId?: string
}

/** The id as clients know it. */
export function publicVersionId(version: Pick<ObjectVersion, 'id' | 'isNull'>): string {
  return version.isNull ? 'null' : version.id
}

/**
 * Version ids that are not above the newest of their keys: some clock was behind. The writer issues others, above those.
 * Not an answer for clients.
 */
export class VersionIdBehind extends Error {
  /** Key → newest id. */
  readonly newest: ReadonlyMap<string, string>

  constructor(newest: ReadonlyMap<string, string>) {
    super(`version id is not above ${[...newest.values()][0]}`)
    this.name = 'VersionIdBehind'
    this.newest = newest
  }
}
