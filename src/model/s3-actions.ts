/**
 * The actions of S3 that a bucket's policy may speak of, by what they are done to.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
import { matchesWildcards } from './wildcard.ts'

const bucketActions = `
  CreateBucket DeleteBucket DeleteBucketPolicy DeleteBucketWebsite GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAcl GetBucketCORS
  GetBucketLocation GetBucketLogging GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy
  GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite
  GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration
  GetReplicationConfiguration ListBucket ListBucketMultipartUploads ListBucketVersions ListTagsForResource PutAccelerateConfiguration
  PutAnalyticsConfiguration PutBucketAcl PutBucketCORS PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration
  PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite
  PutEncryptionConfiguration PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration PutMetricsConfiguration
  PutReplicationConfiguration TagResource UntagResource`

const objectActions = `
  AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectTagging DeleteObjectVersion DeleteObjectVersionTagging GetObject GetObjectAcl
  GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectTorrent GetObjectVersion GetObjectVersionAcl
  GetObjectVersionAttributes GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent InitiateReplication
  ListMultipartUploadParts ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging
  PutObjectVersionAcl PutObjectVersionTagging ReplicateDelete ReplicateObject ReplicateTags RestoreObject UpdateObjectEncryption`

const actionNames: Readonly<Record<'bucket' | 'object', readonly string[]>> = {
  bucket: namesIn(bucketActions),
  object: namesIn(objectActions),
}

/** Whether a pattern such as `s3:Get*` fits any action of S3; case does not matter. */
export function isS3ActionPattern(pattern: string, on?: 'bucket' | 'object'): boolean {
  const lower = pattern.toLowerCase()
  if (lower === '*') return true
  if (!lower.startsWith('s3:')) return false
  const names = on === undefined ? [...actionNames.bucket, ...actionNames.object] : actionNames[on]
  return names.some((name) => matchesWildcards(lower, name))
}

function namesIn(text: string): readonly string[] {
  return text
    .trim()
    .split(/\s+/)
    .map((name) => `s3:${name.toLowerCase()}`)
}
