/**
 * Why a delivery did not succeed.
 * AWS's names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html; ours are marked.
 */

/**
 * `transient`: the version stays PENDING and is tried for ever with backoff.
 * `refused`: the version is FAILED, and is driven again when what refused it changes, and at a slow pace besides.
 */
export type FailureClass = 'transient' | 'refused'

const table = {
  AssumeRoleNotPermitted: [
    'refused',
    'The role of the replication configuration does not exist, or its trust policy does not let s3.amazonaws.com assume it.',
  ],
  InitiateReplicationNotPermitted: ['refused', 'The role lacks s3:GetReplicationConfiguration or s3:ListBucket on the source bucket.'],
  DstBucketInvalidRegion: ['refused', 'The destination bucket is not in the region where the replication configuration found it.'],
  DstBucketNotFound: ['refused', 'The destination bucket does not exist.'],
  DstBucketObjectLockConfigMissing: ['refused', 'The source bucket has Object Lock and the destination bucket has not.'],
  DstBucketUnversioned: ['refused', 'Versioning is not enabled on the destination bucket.'],
  DstDelObjNotPermitted: ['refused', 'The role lacks s3:ReplicateDelete on the destination bucket.'],
  DstKmsKeyInvalidState: ['refused', "The destination's KMS key is not in a usable state."],
  DstKmsKeyNotFound: ['refused', "The destination's KMS key does not exist."],
  DstMultipartCompleteNotPermitted: [
    'refused',
    'The role may not complete a multipart upload at the destination; s3:ReplicateObject may be missing.',
  ],
  DstMultipartInitNotPermitted: [
    'refused',
    'The role may not begin a multipart upload at the destination; s3:ReplicateObject may be missing.',
  ],
  DstMultipartUploadNotPermitted: ['refused', 'The role may not upload parts at the destination; s3:ReplicateObject may be missing.'],
  DstObjectHardDeleted: ['refused', 'The version was deleted by its version id at the destination.'],
  DstPutAclNotPermitted: ['refused', 'The role may not write the ACL at the destination; s3:ReplicateObject may be missing.'],
  DstPutLegalHoldNotPermitted: [
    'refused',
    'The role may not write the legal hold at the destination: s3:ReplicateObject is missing, or s3:PutObjectLegalHold denied.',
  ],
  DstPutObjectNotPermitted: [
    'refused',
    'The role lacks s3:ReplicateObject or s3:ObjectOwnerOverrideToBucketOwner on the destination bucket.',
  ],
  DstPutRetentionNotPermitted: [
    'refused',
    'The role may not write the retention at the destination: s3:ReplicateObject is missing, or s3:PutObjectRetention denied.',
  ],
  DstPutTaggingNotPermitted: ['refused', 'The role may not write tags at the destination; s3:ReplicateObject may be missing.'],
  DstVersionNotFound: ['transient', 'The destination does not have the version whose attributes changed; the whole version is sent.'],
  DstOutOfCapacity: ['transient', 'The destination has no room left.'],
  SrcBucketNotFound: ['refused', 'The source bucket does not exist.'],
  SrcBucketReplicationConfigMissing: ['refused', 'The source bucket no longer has a replication configuration.'],
  SrcBucketInvalidRegion: ['refused', 'The source bucket is not in the region that sent the version.'],
  SrcGetAclNotPermitted: ['refused', 'The role lacks s3:GetObjectVersionAcl on the source object.'],
  SrcGetLegalHoldNotPermitted: ['refused', 'The role lacks s3:GetObjectLegalHold on the source object, or its row cannot be read.'],
  SrcGetObjectNotPermitted: ['refused', 'The role lacks s3:GetObjectVersionForReplication on the source object.'],
  SrcGetRetentionNotPermitted: ['refused', 'The role lacks s3:GetObjectRetention on the source object, or its row cannot be read.'],
  SrcGetTaggingNotPermitted: ['refused', 'The role lacks s3:GetObjectVersionTagging on the source object.'],
  SrcHeadObjectNotPermitted: [
    'refused',
    "The role may not read the source object's metadata; s3:GetObjectVersionForReplication may be missing.",
  ],
  SrcKeyNotFound: ['refused', 'The source object was deleted before it was replicated.'],
  SrcKmsKeyInvalidState: ['refused', "The source's KMS key is not in a usable state."],
  SrcObjectNotEligible: [
    'refused',
    'The source object cannot be replicated: its storage class, encryption or tags are outside the configuration.',
  ],
  SrcObjectNotFound: ['refused', 'The source object does not exist.'],
  SrcReplicationNotPending: ['refused', 'The version is no longer pending replication.'],
  SrcVersionNotFound: ['refused', 'The source version was deleted before it was replicated.'],
  /** Ours. */
  SrcUnreadable: ['transient', 'The source could not read the version from its disk; its log says why.'],
  SrcClockAhead: [
    'transient',
    'The version was written while a clock was more than 15 minutes ahead; the destination takes it when the time has come.',
  ],
  SrcChecksumMismatch: ['refused', 'The source version fails its own checksum, so that it cannot be sent.'],
  DstUnreachable: ['transient', "The destination's region cannot be reached, or did not answer as a region does."],
  DstChecksumMismatch: ['transient', 'What the destination stored does not have the checksum of what was sent.'],
  DstBehind: ['transient', "The destination's copy of identities and bucket names is older than this delivery."],
} as const satisfies Record<string, readonly [FailureClass, text: string]>

export type FailureReason = keyof typeof table

export function failureClass(reason: FailureReason): FailureClass {
  return table[reason][0]
}

/** One sentence for people. */
export function failureText(reason: FailureReason): string {
  return table[reason][1]
}

/** For what arrives from a peer or from a row: is it a reason that we know? */
export function isFailureReason(text: string): text is FailureReason {
  return Object.hasOwn(table, text)
}

/** Every reason, for the documentation and the tests. */
export const failureReasons: Readonly<Record<FailureReason, readonly [FailureClass, text: string]>> = table
