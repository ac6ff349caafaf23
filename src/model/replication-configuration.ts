/**
 * A bucket's replication configuration as it is stored: spelled, shaped and ordered as S3 answers it, so that a GET shows what was PUT.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationConfiguration.html
 */
import type { StorageClass } from './storage-class.ts'
import type { Tag } from './tags.ts'

export type RuleStatus = 'Enabled' | 'Disabled'

export interface StatusElement {
  readonly Status: RuleStatus
}

export interface ReplicationConfiguration {
  /** ARN of the role. */
  readonly Role: string
  /** All of one version: V1 when any rule has no Filter. */
  readonly Rule: readonly ReplicationRule[]
}

export type ReplicationRule = ReplicationRuleV1 | ReplicationRuleV2

/** NOTE: `Filter` is what tells a V2 rule from a V1 rule, also when it is empty. */
export interface ReplicationRuleV1 {
  readonly ID: string
  readonly Prefix: string
  readonly Filter?: never
  readonly Status: RuleStatus
  readonly SourceSelectionCriteria?: SourceSelectionCriteria
  readonly Destination: ReplicationRuleDestination
}

export interface ReplicationRuleV2 {
  readonly ID: string
  /** 0 and up; unique among the rules of one destination. The highest wins. */
  readonly Priority: number
  readonly Filter: ReplicationFilter
  readonly Status: RuleStatus
  readonly SourceSelectionCriteria?: SourceSelectionCriteria
  readonly ExistingObjectReplication?: StatusElement
  readonly DeleteMarkerReplication: StatusElement
  readonly Destination: ReplicationRuleDestination
}

/** At most one member; none means every object. */
export interface ReplicationFilter {
  readonly Prefix?: string
  readonly Tag?: Tag
  readonly And?: ReplicationAnd
}

/** Prefix and every tag must match. */
export interface ReplicationAnd {
  readonly Prefix?: string
  readonly Tag: readonly Tag[]
}

export interface SourceSelectionCriteria {
  readonly SseKmsEncryptedObjects?: StatusElement
  readonly ReplicaModifications?: StatusElement
}

export interface ReplicationRuleDestination {
  /** ARN of the bucket. */
  readonly Bucket: string
  readonly Account?: string
  readonly StorageClass?: StorageClass
  readonly AccessControlTranslation?: { readonly Owner: 'Destination' }
  readonly EncryptionConfiguration?: { readonly ReplicaKmsKeyID: string }
  readonly ReplicationTime?: { readonly Status: RuleStatus; readonly Time: { readonly Minutes: number } }
  readonly Metrics?: { readonly Status: RuleStatus; readonly EventThreshold?: { readonly Minutes: number } }
}

/** Narrows to a rule with a Filter. */
export function isV2(rule: ReplicationRule): rule is ReplicationRuleV2 {
  return rule.Filter !== undefined
}
