/**
 * Which rules are for a version, and so where it goes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
 */
import { parseBucketArn } from './arn.ts'
import { isV2, type ReplicationConfiguration, type ReplicationFilter, type ReplicationRule } from './replication-configuration.ts'
import type { SourceState } from './replication-status.ts'
import type { StorageClass } from './storage-class.ts'
import type { Tag } from './tags.ts'

export interface ChosenRule {
  readonly ruleId: string
  readonly destinationBucket: string
  /** Replaces the version's own class at the destination. */
  readonly storageClass?: StorageClass
  /** Whether the rule takes the delete markers that a user made. */
  readonly deleteMarkers: boolean
}

/** One destination that a version must be made equal at. */
export interface Plan {
  readonly ruleId: string
  readonly destinationBucket: string
  readonly storageClass?: StorageClass
}

export type VersionEncryption = 'none' | 'SSE-S3' | 'SSE-C' | 'SSE-KMS'

export interface VersionFacts {
  readonly key: string
  /** Of a delete marker: none. */
  readonly tags: readonly Tag[]
  readonly isDeleteMarker: boolean
  readonly madeBy: 'user' | 'lifecycle'
  readonly isReplica: boolean
  readonly storageClass: StorageClass
  readonly encryption: VersionEncryption
}

/** The highest-priority enabled rule that matches, for each destination bucket; in the order of the destinations' first rules. */
export function rulesFor(
  configuration: ReplicationConfiguration,
  object: { readonly key: string; readonly tags: readonly Tag[]; readonly encryption?: VersionEncryption },
): readonly ChosenRule[] {
  const matching = configuration.Rule.filter((rule) => {
    if (rule.Status !== 'Enabled' || !matches(rule, object)) return false
    return object.encryption !== 'SSE-KMS' || takesSseKms(rule)
  })
  return highestByDestination(matching).map(chosen)
}

/** Where a version goes that is being written now. None when there is no configuration. */
export function planVersion(configuration: ReplicationConfiguration | undefined, version: VersionFacts): readonly Plan[] {
  if (configuration === undefined || version.isReplica) return []
  if (version.isDeleteMarker) {
    // Expiry at the source must not delete at the destination: there, that bucket's own lifecycle decides.
    if (version.madeBy === 'lifecycle') return []
    return rulesFor(configuration, { key: version.key, tags: [] })
      .filter((rule) => rule.deleteMarkers)
      .map(({ ruleId, destinationBucket }) => ({ ruleId, destinationBucket }))
  }
  if (neverReplicated.has(version.storageClass)) return []
  return rulesFor(configuration, version).map(({ deleteMarkers: _, ...plan }) => plan)
}

/**
 * Where a later change of a version's tags, ACL or lock goes: to the destinations that the version was sent to, as long as an enabled rule
 * still leads there. Tags are not asked again: a tag that now would match brings nothing, and one that no longer does keeps nothing back.
 */
export function planAttributeChange(
  configuration: ReplicationConfiguration | undefined,
  version: { readonly key: string; readonly state: SourceState },
): readonly Plan[] {
  const enabled = configuration?.Rule.filter((rule) => rule.Status === 'Enabled') ?? []
  return Object.entries(version.state.destinations).flatMap(([destinationBucket, { ruleId }]) => {
    const leading = enabled.filter((rule) => destinationOf(rule) === destinationBucket)
    // Rules are told apart by ID, and a configuration that was put again may have new IDs.
    const same = leading.find((rule) => rule.ID === ruleId)
    const [rule] = same ? [same] : highestByDestination(leading.filter((candidate) => version.key.startsWith(prefixOf(candidate))))
    if (rule === undefined) return []
    const { deleteMarkers: _, ...plan } = chosen(rule)
    return [plan]
  })
}

// S3: "Objects that are stored in the S3 Glacier Flexible Retrieval or S3 Glacier Deep Archive storage class" are not replicated.
const neverReplicated: ReadonlySet<StorageClass> = new Set(['GLACIER', 'DEEP_ARCHIVE'])

function matches(rule: ReplicationRule, { key, tags }: { readonly key: string; readonly tags: readonly Tag[] }): boolean {
  if (!key.startsWith(prefixOf(rule))) return false
  return !isV2(rule) || wantedTags(rule.Filter).every((wanted) => tags.some((tag) => tag.Key === wanted.Key && tag.Value === wanted.Value))
}

function prefixOf(rule: ReplicationRule): string {
  return isV2(rule) ? (rule.Filter.Prefix ?? rule.Filter.And?.Prefix ?? '') : rule.Prefix
}

function wantedTags(filter: ReplicationFilter): readonly Tag[] {
  return filter.Tag ? [filter.Tag] : (filter.And?.Tag ?? [])
}

function takesSseKms(rule: ReplicationRule): boolean {
  const selected = rule.SourceSelectionCriteria?.SseKmsEncryptedObjects?.Status === 'Enabled'
  return selected && rule.Destination.EncryptionConfiguration !== undefined
}

function highestByDestination(rules: readonly ReplicationRule[]): readonly ReplicationRule[] {
  const highest = new Map<string, ReplicationRule>()
  for (const rule of rules) {
    const bucket = destinationOf(rule)
    const rival = highest.get(bucket)
    if (rival === undefined || priorityOf(rule) > priorityOf(rival)) highest.set(bucket, rule)
  }
  return [...highest.values()]
}

/** V1 prefixes never overlap, so that no two of its rules meet. */
function priorityOf(rule: ReplicationRule): number {
  return isV2(rule) ? rule.Priority : 0
}

function destinationOf(rule: ReplicationRule): string {
  // A stored rule's ARN was checked when it was put.
  return parseBucketArn(rule.Destination.Bucket) ?? rule.Destination.Bucket
}

function chosen(rule: ReplicationRule): ChosenRule {
  return {
    ruleId: rule.ID,
    destinationBucket: destinationOf(rule),
    ...(rule.Destination.StorageClass !== undefined && { storageClass: rule.Destination.StorageClass }),
    deleteMarkers: isV2(rule) ? rule.DeleteMarkerReplication.Status === 'Enabled' : true,
  }
}
