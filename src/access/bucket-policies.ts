/** The policies of buckets, read once for each state of a bucket and not for each request. */
import type { Bucket } from '../model/bucket.ts'
import { parseBucketPolicy } from '../model/policy-bucket.ts'
import type { PolicyDocument } from '../model/policy-document.ts'
import { PolicyError } from '../model/policy-error.ts'

export class BucketPolicies {
  /** By the bucket as it was read: a changed bucket is another object. */
  readonly #parsed = new WeakMap<Bucket, PolicyDocument>()

  of(bucket: Bucket): PolicyDocument | undefined {
    const { policy } = bucket.settings
    if (policy === undefined) return undefined
    const known = this.#parsed.get(bucket)
    if (known !== undefined) return known
    const parsed = parse(policy, bucket.name)
    this.#parsed.set(bucket, parsed)
    return parsed
  }
}

function parse(text: string, bucketName: string): PolicyDocument {
  try {
    return parseBucketPolicy(text, bucketName)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    // It was checked when it was put, by rules that were other ones: what cannot be understood closes the bucket.
    return closed
  }
}

const every = { negated: false, patterns: ['*'] }
const closed: PolicyDocument = {
  kind: 'bucket',
  version: '2012-10-17',
  statements: [{ effect: 'Deny', principals: { everyone: true, services: [], aws: [], federated: [] }, actions: every, resources: every, conditions: [] }],
}
