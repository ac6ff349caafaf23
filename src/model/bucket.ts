/** What a region keeps of one bucket. */
import type { Grant } from './acl.ts'
import type { LifecycleConfiguration } from './lifecycle.ts'
import type { BucketObjectLock } from './object-lock.ts'
import type { PrincipalIds } from './policy-principal-ids.ts'
import type { ReplicationConfiguration } from './replication-configuration.ts'
import type { Tag } from './tags.ts'

/** A bucket starts Unversioned, and never returns to it. */
export type VersioningState = 'Unversioned' | 'Enabled' | 'Suspended'

export const objectOwnerships = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'] as const
export type ObjectOwnership = (typeof objectOwnerships)[number]

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html */
export interface PublicAccessBlock {
  readonly BlockPublicAcls: boolean
  readonly IgnorePublicAcls: boolean
  readonly BlockPublicPolicy: boolean
  readonly RestrictPublicBuckets: boolean
}

/** Default encryption of new objects, as PutBucketEncryption gave it. */
export interface BucketEncryption {
  readonly SSEAlgorithm: 'AES256'
  readonly BucketKeyEnabled?: boolean
}

/** The replication configuration with what was found out about its destinations when it was put. */
export interface BucketReplication {
  readonly configuration: ReplicationConfiguration
  /** By destination bucket name. */
  readonly destinations: Readonly<Record<string, ReplicationDestination>>
}

export interface ReplicationDestination {
  readonly bucketId: string
  readonly region: string
}

/** A policy, with whom it names as they were when it was put. */
export interface BucketPolicy {
  /** JSON, as it was given. */
  readonly text: string
  readonly principals: PrincipalIds
}

/** Sub-resources that belong to the bucket and are replaced whole. Absent: never set. */
export interface BucketSettings {
  readonly ownership?: ObjectOwnership
  readonly publicAccessBlock?: PublicAccessBlock
  readonly acl?: readonly Grant[]
  readonly encryption?: BucketEncryption
  readonly tags?: readonly Tag[]
  readonly replication?: BucketReplication
  /** A plain text is older than the ids beside it, and speaks of whoever bears an ARN. */
  readonly policy?: BucketPolicy | string
  /** Absent: the bucket has no Object Lock. */
  readonly objectLock?: BucketObjectLock
  readonly lifecycle?: LifecycleConfiguration
}

export interface Bucket {
  /** Made at creation and never used again: a bucket deleted and made anew is another bucket. */
  readonly id: string
  readonly name: string
  readonly region: string
  /** The owner's canonical user id. */
  readonly ownerId: string
  readonly createdMs: number
  /** `deleting`: found empty and about to go; takes no write and no delivery. */
  readonly state: 'active' | 'deleting'
  readonly versioning: VersioningState
  readonly settings: BucketSettings
}

/** What the name directory, equal in every region, knows of a bucket. */
export interface BucketName {
  readonly name: string
  readonly id: string
  readonly region: string
  readonly ownerId: string
  readonly createdMs: number
}
