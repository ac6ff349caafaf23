/** The policies of buckets, read once for each state of a bucket and not for each request. */
import type { Bucket } from '../model/bucket.ts'
import { readBucketPolicy } from '../model/policy-bucket.ts'
import type { PolicyDocument } from '../model/policy-document.ts'

export class BucketPolicies {
  /** By the bucket as it was read: a changed bucket is another object. */
  readonly #parsed = new WeakMap<Bucket, PolicyDocument>()

  of(bucket: Bucket): PolicyDocument | undefined {
    if (bucket.settings.policy === undefined) return undefined
    const known = this.#parsed.get(bucket)
    if (known !== undefined) return known
    const parsed = readBucketPolicy(bucket)
    if (parsed !== undefined) this.#parsed.set(bucket, parsed)
    return parsed
  }
}
