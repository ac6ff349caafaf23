/** The table of what is served: routes, access checks, the 501 list and the documentation come from it. One line an operation, in alphabetical order. */
import type { Operation } from '../s3/define.ts'
import { AbortMultipartUpload } from './abort-multipart-upload.ts'
import {
  GetBucketAccelerateConfiguration,
  GetBucketCors,
  GetBucketLogging,
  GetBucketNotificationConfiguration,
  GetBucketRequestPayment,
  GetBucketWebsite,
} from './absent-configurations.ts'
import { GetBucketAcl, PutBucketAcl } from './bucket-acl.ts'
import { DeleteBucketEncryption, GetBucketEncryption, PutBucketEncryption } from './bucket-encryption.ts'
import { DeleteBucketLifecycle, GetBucketLifecycleConfiguration, PutBucketLifecycleConfiguration } from './bucket-lifecycle.ts'
import { GetObjectLockConfiguration, PutObjectLockConfiguration } from './bucket-object-lock.ts'
import { DeleteBucketOwnershipControls, GetBucketOwnershipControls, PutBucketOwnershipControls } from './bucket-ownership-controls.ts'
import { DeleteBucketPolicy, GetBucketPolicy, GetBucketPolicyStatus, PutBucketPolicy } from './bucket-policy.ts'
import { DeleteBucketReplication, GetBucketReplication, PutBucketReplication } from './bucket-replication.ts'
import { DeleteBucketTagging, GetBucketTagging, PutBucketTagging } from './bucket-tagging.ts'
import { GetBucketVersioning, PutBucketVersioning } from './bucket-versioning.ts'
import { CompleteMultipartUpload } from './complete-multipart-upload.ts'
import { CopyObject } from './copy-object.ts'
import { CreateBucket } from './create-bucket.ts'
import { CreateMultipartUpload } from './create-multipart-upload.ts'
import { DeleteBucket } from './delete-bucket.ts'
import { DeleteObject } from './delete-object.ts'
import { DeleteObjectTagging } from './delete-object-tagging.ts'
import { DeleteObjects } from './delete-objects.ts'
import { GetBucketLocation } from './get-bucket-location.ts'
import { GetObject } from './get-object.ts'
import { GetObjectAcl } from './get-object-acl.ts'
import { GetObjectAttributes } from './get-object-attributes.ts'
import { GetObjectTagging } from './get-object-tagging.ts'
import { HeadBucket } from './head-bucket.ts'
import { HeadObject } from './head-object.ts'
import { ListBuckets } from './list-buckets.ts'
import { ListMultipartUploads } from './list-multipart-uploads.ts'
import { ListObjectVersions } from './list-object-versions.ts'
import { ListObjects } from './list-objects.ts'
import { ListObjectsV2 } from './list-objects-v2.ts'
import { ListParts } from './list-parts.ts'
import { GetObjectLegalHold, PutObjectLegalHold } from './object-legal-hold.ts'
import { GetObjectRetention, PutObjectRetention } from './object-retention.ts'
import { PostObject } from './post-object.ts'
import { DeletePublicAccessBlock, GetPublicAccessBlock, PutPublicAccessBlock } from './public-access-block.ts'
import { PutObject } from './put-object.ts'
import { PutObjectAcl } from './put-object-acl.ts'
import { PutObjectTagging } from './put-object-tagging.ts'
import { RestoreObject } from './restore-object.ts'
import { UploadPart } from './upload-part.ts'
import { UploadPartCopy } from './upload-part-copy.ts'

export const operations: readonly Operation[] = [
  AbortMultipartUpload,
  CompleteMultipartUpload,
  CopyObject,
  CreateBucket,
  CreateMultipartUpload,
  DeleteBucket,
  DeleteBucketEncryption,
  DeleteBucketLifecycle,
  DeleteBucketOwnershipControls,
  DeleteBucketPolicy,
  DeleteBucketReplication,
  DeleteBucketTagging,
  DeleteObject,
  DeleteObjectTagging,
  DeleteObjects,
  DeletePublicAccessBlock,
  GetBucketAccelerateConfiguration,
  GetBucketAcl,
  GetBucketCors,
  GetBucketEncryption,
  GetBucketLifecycleConfiguration,
  GetBucketLocation,
  GetBucketLogging,
  GetBucketNotificationConfiguration,
  GetBucketOwnershipControls,
  GetBucketPolicy,
  GetBucketPolicyStatus,
  GetBucketReplication,
  GetBucketRequestPayment,
  GetBucketTagging,
  GetBucketVersioning,
  GetBucketWebsite,
  GetObject,
  GetObjectAcl,
  GetObjectAttributes,
  GetObjectLegalHold,
  GetObjectLockConfiguration,
  GetObjectRetention,
  GetObjectTagging,
  GetPublicAccessBlock,
  HeadBucket,
  HeadObject,
  ListBuckets,
  ListMultipartUploads,
  ListObjectVersions,
  ListObjects,
  ListObjectsV2,
  ListParts,
  PostObject,
  PutBucketAcl,
  PutBucketEncryption,
  PutBucketLifecycleConfiguration,
  PutBucketOwnershipControls,
  PutBucketPolicy,
  PutBucketReplication,
  PutBucketTagging,
  PutBucketVersioning,
  PutObject,
  PutObjectAcl,
  PutObjectLegalHold,
  PutObjectLockConfiguration,
  PutObjectRetention,
  PutObjectTagging,
  PutPublicAccessBlock,
  RestoreObject,
  UploadPart,
  UploadPartCopy,
]
