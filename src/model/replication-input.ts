/**
 * What PutBucketReplication receives, before any rule is checked: element names as S3 spells them, repeated elements as arrays, every leaf
 * its text. An absent element is undefined; an empty one is '' where it is a leaf and {} where it has members.
 */
import { S3Error } from './errors.ts'
import type { RuleStatus } from './replication-configuration.ts'

export interface ReplicationConfigurationInput {
  readonly Role?: string | undefined
  readonly Rule?: readonly ReplicationRuleInput[] | undefined
}

export interface StatusInput {
  readonly Status?: string | undefined
}

export interface ReplicationRuleInput {
  readonly ID?: string | undefined
  readonly Priority?: string | undefined
  readonly Prefix?: string | undefined
  readonly Filter?: ReplicationFilterInput | undefined
  readonly Status?: string | undefined
  readonly SourceSelectionCriteria?:
    | { readonly SseKmsEncryptedObjects?: StatusInput | undefined; readonly ReplicaModifications?: StatusInput | undefined }
    | undefined
  readonly ExistingObjectReplication?: StatusInput | undefined
  readonly DeleteMarkerReplication?: StatusInput | undefined
  readonly Destination?: ReplicationDestinationInput | undefined
}

export interface TagInput {
  readonly Key?: string | undefined
  readonly Value?: string | undefined
}

export interface ReplicationFilterInput {
  readonly Prefix?: string | undefined
  readonly Tag?: TagInput | undefined
  readonly And?: { readonly Prefix?: string | undefined; readonly Tag?: readonly TagInput[] | undefined } | undefined
}

export interface ReplicationDestinationInput {
  readonly Bucket?: string | undefined
  readonly Account?: string | undefined
  readonly StorageClass?: string | undefined
  readonly AccessControlTranslation?: { readonly Owner?: string | undefined } | undefined
  readonly EncryptionConfiguration?: { readonly ReplicaKmsKeyID?: string | undefined } | undefined
  readonly ReplicationTime?: { readonly Status?: string | undefined; readonly Time?: MinutesInput | undefined } | undefined
  readonly Metrics?: { readonly Status?: string | undefined; readonly EventThreshold?: MinutesInput | undefined } | undefined
}

export interface MinutesInput {
  readonly Minutes?: string | undefined
}

/**
 * Reads the Status of a rule's member.
 * @throws S3Error InvalidArgument (absent) | MalformedXML (neither Enabled nor Disabled)
 */
export function readStatus(name: string, value: string | undefined): RuleStatus {
  if (value === undefined) {
    throw new S3Error('InvalidArgument', { message: `${name} must have a Status.`, details: { ArgumentName: name, ArgumentValue: '' } })
  }
  if (value !== 'Enabled' && value !== 'Disabled') throw new S3Error('MalformedXML')
  return value
}
