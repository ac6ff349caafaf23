/**
 * What each operation asks of its caller, and whether each kind of caller gets it: written by hand from AWS's documentation, not from the code.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */

export const callers = [
  'root',
  'administrator',
  'user with the actions',
  'user with all but the actions',
  'user of another account',
  'user of another account, named by the bucket policy',
  'session of a role with the actions',
  'session that is narrowed',
  'session that has ended',
  'session with an altered token',
  'anonymous',
] as const
export type CallerName = (typeof callers)[number]

/** In a bucket of the caller's own account, and in one of another account that says nothing of the caller. */
export interface Expectation {
  readonly own: readonly CallerName[]
  readonly foreign: readonly CallerName[]
}

const ofTheAccount = ['root', 'administrator', 'user with the actions', 'session of a role with the actions'] as const

/** Whoever is not listed is refused. */
export const patterns = {
  /** A bucket policy can open it to another account. */
  shareable: { own: [...ofTheAccount, 'user of another account, named by the bucket policy'], foreign: [] },
  /** The upload is of the bucket's account: whoever else may put the object there adds nothing to it. */
  ofTheirUploads: { own: ofTheAccount, foreign: [] },
  /** No bucket policy opens it to another account: AWS answers 405. */
  ownersOnly: { own: ofTheAccount, foreign: [] },
  /** Not about a bucket that is there. `own` and `foreign` are the same; the other account has rights of its own. */
  service: {
    own: [...ofTheAccount, 'user of another account', 'user of another account, named by the bucket policy'],
    foreign: [...ofTheAccount, 'user of another account', 'user of another account, named by the bucket policy'],
  },
} as const satisfies Readonly<Record<string, Expectation>>

export interface Entry {
  readonly actions: readonly string[]
  readonly pattern: keyof typeof patterns
}

const shareable = (...actions: string[]): Entry => ({ actions, pattern: 'shareable' })
const ofTheirUploads = (...actions: string[]): Entry => ({ actions, pattern: 'ofTheirUploads' })
const ownersOnly = (...actions: string[]): Entry => ({ actions, pattern: 'ownersOnly' })
const service = (...actions: string[]): Entry => ({ actions, pattern: 'service' })

export const expected: Readonly<Record<string, Entry>> = {
  AbortMultipartUpload: shareable('s3:AbortMultipartUpload'),
  CompleteMultipartUpload: ofTheirUploads('s3:PutObject'),
  CopyObject: shareable('s3:PutObject', 's3:GetObject', 's3:GetObjectTagging', 's3:PutObjectTagging'),
  CreateBucket: service('s3:CreateBucket'),
  CreateMultipartUpload: shareable('s3:PutObject'),
  DeleteBucket: shareable('s3:DeleteBucket'),
  DeleteBucketEncryption: shareable('s3:PutEncryptionConfiguration'),
  DeleteBucketLifecycle: shareable('s3:PutLifecycleConfiguration'),
  DeleteBucketOwnershipControls: shareable('s3:PutBucketOwnershipControls'),
  DeleteBucketPolicy: ownersOnly('s3:DeleteBucketPolicy'),
  DeleteBucketReplication: shareable('s3:PutReplicationConfiguration'),
  DeleteBucketTagging: shareable('s3:PutBucketTagging'),
  DeleteObject: shareable('s3:DeleteObject'),
  DeleteObjectTagging: shareable('s3:DeleteObjectTagging'),
  DeleteObjects: shareable('s3:DeleteObject'),
  DeletePublicAccessBlock: shareable('s3:PutBucketPublicAccessBlock'),
  GetBucketAccelerateConfiguration: shareable('s3:GetAccelerateConfiguration'),
  GetBucketAcl: shareable('s3:GetBucketAcl'),
  GetBucketCors: shareable('s3:GetBucketCORS'),
  GetBucketEncryption: shareable('s3:GetEncryptionConfiguration'),
  GetBucketLifecycleConfiguration: shareable('s3:GetLifecycleConfiguration'),
  GetBucketLocation: shareable('s3:GetBucketLocation'),
  GetBucketLogging: shareable('s3:GetBucketLogging'),
  GetBucketNotificationConfiguration: shareable('s3:GetBucketNotification'),
  GetBucketOwnershipControls: shareable('s3:GetBucketOwnershipControls'),
  GetBucketPolicy: ownersOnly('s3:GetBucketPolicy'),
  GetBucketPolicyStatus: shareable('s3:GetBucketPolicyStatus'),
  GetBucketReplication: shareable('s3:GetReplicationConfiguration'),
  GetBucketRequestPayment: shareable('s3:GetBucketRequestPayment'),
  GetBucketTagging: shareable('s3:GetBucketTagging'),
  GetBucketVersioning: shareable('s3:GetBucketVersioning'),
  GetBucketWebsite: shareable('s3:GetBucketWebsite'),
  GetObject: shareable('s3:GetObject'),
  GetObjectAcl: shareable('s3:GetObjectAcl'),
  GetObjectAttributes: shareable('s3:GetObject', 's3:GetObjectAttributes'),
  GetObjectLegalHold: shareable('s3:GetObjectLegalHold'),
  GetObjectLockConfiguration: shareable('s3:GetBucketObjectLockConfiguration'),
  GetObjectRetention: shareable('s3:GetObjectRetention'),
  GetObjectTagging: shareable('s3:GetObjectTagging'),
  GetPublicAccessBlock: shareable('s3:GetBucketPublicAccessBlock'),
  HeadBucket: shareable('s3:ListBucket'),
  HeadObject: shareable('s3:GetObject'),
  ListBuckets: service('s3:ListAllMyBuckets'),
  ListMultipartUploads: shareable('s3:ListBucketMultipartUploads'),
  ListObjectVersions: shareable('s3:ListBucketVersions'),
  ListObjects: shareable('s3:ListBucket'),
  ListObjectsV2: shareable('s3:ListBucket'),
  ListParts: shareable('s3:ListMultipartUploadParts'),
  PutBucketAcl: shareable('s3:PutBucketAcl'),
  PutBucketEncryption: shareable('s3:PutEncryptionConfiguration'),
  PutBucketLifecycleConfiguration: shareable('s3:PutLifecycleConfiguration'),
  PutBucketOwnershipControls: shareable('s3:PutBucketOwnershipControls'),
  PutBucketPolicy: ownersOnly('s3:PutBucketPolicy'),
  // A role is passed within its account, whatever the bucket's policy allows.
  PutBucketReplication: ownersOnly('s3:PutReplicationConfiguration', 'iam:PassRole'),
  PutBucketTagging: shareable('s3:PutBucketTagging'),
  PutBucketVersioning: shareable('s3:PutBucketVersioning'),
  PostObject: shareable('s3:PutObject'),
  PutObject: shareable('s3:PutObject'),
  PutObjectAcl: shareable('s3:PutObjectAcl'),
  PutObjectLegalHold: shareable('s3:PutObjectLegalHold'),
  PutObjectLockConfiguration: shareable('s3:PutBucketObjectLockConfiguration'),
  PutObjectRetention: shareable('s3:PutObjectRetention'),
  PutObjectTagging: shareable('s3:PutObjectTagging'),
  PutPublicAccessBlock: shareable('s3:PutBucketPublicAccessBlock'),
  RestoreObject: shareable('s3:RestoreObject'),
  UploadPart: ofTheirUploads('s3:PutObject'),
  UploadPartCopy: ofTheirUploads('s3:PutObject', 's3:GetObject'),
}
