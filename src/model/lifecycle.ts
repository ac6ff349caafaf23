/**
 * Lifecycle rules: what becomes of versions as they age.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
 */
import type { StorageClass } from './storage-class.ts'
import type { Tag } from './tags.ts'

/** In S3's words, as it was put and is given back. */
export interface LifecycleConfiguration {
  readonly Rule: readonly LifecycleRule[]
  /** Of the header `x-amz-transition-default-minimum-object-size`. */
  readonly transitionDefaultMinimumObjectSize: 'all_storage_classes_128K' | 'varies_by_storage_class'
}

export interface LifecycleRule {
  readonly ID: string
  readonly Status: 'Enabled' | 'Disabled'
  /** Exactly one of `Filter` and the older `Prefix`. */
  readonly Filter?: LifecycleFilter
  readonly Prefix?: string
  readonly Expiration?: {
    readonly Days?: number
    /** ISO 8601, at midnight UTC. */
    readonly Date?: string
    readonly ExpiredObjectDeleteMarker?: boolean
  }
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number; readonly NewerNoncurrentVersions?: number }
  readonly Transition?: readonly LifecycleTransition[]
  readonly NoncurrentVersionTransition?: readonly NoncurrentVersionTransition[]
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number }
}

export interface LifecycleTransition {
  readonly Days?: number
  readonly Date?: string
  readonly StorageClass: StorageClass
}

export interface NoncurrentVersionTransition {
  readonly NoncurrentDays: number
  readonly NewerNoncurrentVersions?: number
  readonly StorageClass: StorageClass
}

/** One of Prefix, Tag, the two sizes, And; none: every object. */
export interface LifecycleFilter {
  readonly Prefix?: string
  readonly Tag?: Tag
  /** Bytes. */
  readonly ObjectSizeGreaterThan?: number
  readonly ObjectSizeLessThan?: number
  readonly And?: {
    readonly Prefix?: string
    readonly Tag?: readonly Tag[]
    readonly ObjectSizeGreaterThan?: number
    readonly ObjectSizeLessThan?: number
  }
}

/** What a rule is asked about. */
export interface LifecycleFacts {
  readonly key: string
  readonly size: number
  readonly tags: readonly Tag[]
  readonly isLatest: boolean
  readonly isDeleteMarker: boolean
  readonly storageClass: StorageClass
  /** See `ObjectVersion`. */
  readonly lastModifiedMs: number
  readonly sinceMs: number
  /** Noncurrent versions of the key that are newer than it. Of a current version: 0. */
  readonly newerNoncurrent: number
  /** Whether the key has no other version. */
  readonly isOnlyVersion: boolean
}

/**
 * `expire`: a current object of the bucket gets a marker on top, or goes where the bucket has no versions. `remove`: the version goes for good, a marker that
 * stands alone too.
 */
export type LifecycleAction =
  | { readonly kind: 'expire' }
  | { readonly kind: 'remove' }
  | { readonly kind: 'transition'; readonly storageClass: StorageClass }
