/**
 * Object Lock: what keeps a version from being removed.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 */

export type RetentionMode = 'GOVERNANCE' | 'COMPLIANCE'

export interface Retention {
  readonly mode: RetentionMode
  readonly untilMs: number
}

/** A bucket with Object Lock, which is never switched off again. */
export interface BucketObjectLock {
  /** For new versions that say nothing of it. */
  readonly defaultRetention?: {
    readonly mode: RetentionMode
    readonly period: { readonly unit: 'Days' | 'Years'; readonly count: number }
  }
}
