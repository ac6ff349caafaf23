/** The body of PutBucketReplication: every leaf is text, because what is wrong with it is said by the rules of `model/`. */
import { xmlListBodyMaxBytes } from '../../model/limits.ts'
import type { ReplicationConfigurationInput } from '../../model/replication-input.ts'
import { document, list, optional, struct, text, type XmlDocument } from '../../s3/xml/shapes.ts'

/** S3 allows 1000, and says so with a code of its own; this many are read. */
const rulesReadMax = 10_000
/** An object has at most 10 tags; this many are read. */
const tagsReadMax = 100

const Status = struct({ Status: optional(text()) })
const Minutes = struct({ Minutes: optional(text()) })
const Tag = struct({ Key: optional(text()), Value: optional(text()) })

const Filter = struct({
  Prefix: optional(text()),
  Tag: optional(Tag),
  And: optional(struct({ Prefix: optional(text()), Tag: list(Tag, { max: tagsReadMax }) })),
})

const Destination = struct({
  Bucket: optional(text()),
  Account: optional(text()),
  StorageClass: optional(text()),
  AccessControlTranslation: optional(struct({ Owner: optional(text()) })),
  EncryptionConfiguration: optional(struct({ ReplicaKmsKeyID: optional(text()) })),
  ReplicationTime: optional(struct({ Status: optional(text()), Time: optional(Minutes) })),
  Metrics: optional(struct({ Status: optional(text()), EventThreshold: optional(Minutes) })),
})

const Rule = struct({
  ID: optional(text()),
  Priority: optional(text()),
  Prefix: optional(text()),
  Filter: optional(Filter),
  Status: optional(text()),
  SourceSelectionCriteria: optional(struct({ SseKmsEncryptedObjects: optional(Status), ReplicaModifications: optional(Status) })),
  ExistingObjectReplication: optional(Status),
  DeleteMarkerReplication: optional(Status),
  Destination: optional(Destination),
})

export const ReplicationConfigurationDocument: XmlDocument<ReplicationConfigurationInput> = document(
  'ReplicationConfiguration',
  struct({ Role: optional(text()), Rule: list(Rule, { max: rulesReadMax }) }),
  { maxBytes: xmlListBodyMaxBytes },
)
