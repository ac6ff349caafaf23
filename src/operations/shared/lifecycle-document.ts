/** The body of PutBucketLifecycleConfiguration: every leaf is text, because what is wrong with it is said by the rules of `model/`. */
import type { LifecycleConfigurationInput } from '../../model/lifecycle-input.ts'
import { xmlListBodyMaxBytes } from '../../model/limits.ts'
import { document, list, optional, struct, text, type XmlDocument } from '../../s3/xml/shapes.ts'

/** S3 allows 1000, and says so with a code of its own; this many are read. */
const rulesReadMax = 10_000
/** An object has at most 10 tags; this many are read. */
const tagsReadMax = 100
/** There are six classes to go to; this many moves are read. */
const transitionsReadMax = 100

const Tag = struct({ Key: optional(text()), Value: optional(text()) })
const sizes = { ObjectSizeGreaterThan: optional(text()), ObjectSizeLessThan: optional(text()) }
const time = { Days: optional(text()), Date: optional(text()) }
const noncurrent = { NoncurrentDays: optional(text()), NewerNoncurrentVersions: optional(text()) }

const Filter = struct({
  Prefix: optional(text()),
  Tag: optional(Tag),
  ...sizes,
  And: optional(struct({ Prefix: optional(text()), Tag: list(Tag, { max: tagsReadMax }), ...sizes })),
})

const Rule = struct({
  ID: optional(text()),
  Prefix: optional(text()),
  Filter: optional(Filter),
  Status: optional(text()),
  Expiration: optional(struct({ ...time, ExpiredObjectDeleteMarker: optional(text()) })),
  Transition: list(struct({ ...time, StorageClass: optional(text()) }), { max: transitionsReadMax }),
  NoncurrentVersionExpiration: optional(struct(noncurrent)),
  NoncurrentVersionTransition: list(struct({ ...noncurrent, StorageClass: optional(text()) }), { max: transitionsReadMax }),
  AbortIncompleteMultipartUpload: optional(struct({ DaysAfterInitiation: optional(text()) })),
})

export const LifecycleConfigurationDocument: XmlDocument<LifecycleConfigurationInput> = document(
  'LifecycleConfiguration',
  struct({ Rule: list(Rule, { max: rulesReadMax }) }),
  { maxBytes: xmlListBodyMaxBytes },
)
