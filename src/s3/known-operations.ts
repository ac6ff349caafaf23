/**
 * Every operation of S3 by its route, served or not: what is asked for and not served is answered 501 by its name, never taken for another.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
import { parseRoute, type Route } from './route.ts'

const bucketOperations = `
  CreateBucket                                   PUT /{Bucket}
  HeadBucket                                     HEAD /{Bucket}
  DeleteBucket                                   DELETE /{Bucket}
  PostObject                                     POST /{Bucket}
  ListObjects                                    GET /{Bucket}
  ListObjectsV2                                  GET /{Bucket}?list-type=2
  ListObjectVersions                             GET /{Bucket}?versions
  ListMultipartUploads                           GET /{Bucket}?uploads
  DeleteObjects                                  POST /{Bucket}?delete
  CreateSession                                  GET /{Bucket}?session
  GetBucketLocation                              GET /{Bucket}?location
  GetBucketPolicyStatus                          GET /{Bucket}?policyStatus
  GetBucketAbac                                  GET /{Bucket}?abac
  PutBucketAbac                                  PUT /{Bucket}?abac
  GetBucketAccelerateConfiguration               GET /{Bucket}?accelerate
  PutBucketAccelerateConfiguration               PUT /{Bucket}?accelerate
  GetBucketAcl                                   GET /{Bucket}?acl
  PutBucketAcl                                   PUT /{Bucket}?acl
  ListBucketAnalyticsConfigurations              GET /{Bucket}?analytics
  GetBucketAnalyticsConfiguration                GET /{Bucket}?analytics&id
  PutBucketAnalyticsConfiguration                PUT /{Bucket}?analytics
  DeleteBucketAnalyticsConfiguration             DELETE /{Bucket}?analytics
  GetBucketCors                                  GET /{Bucket}?cors
  PutBucketCors                                  PUT /{Bucket}?cors
  DeleteBucketCors                               DELETE /{Bucket}?cors
  GetBucketEncryption                            GET /{Bucket}?encryption
  PutBucketEncryption                            PUT /{Bucket}?encryption
  DeleteBucketEncryption                         DELETE /{Bucket}?encryption
  ListBucketIntelligentTieringConfigurations     GET /{Bucket}?intelligent-tiering
  GetBucketIntelligentTieringConfiguration       GET /{Bucket}?intelligent-tiering&id
  PutBucketIntelligentTieringConfiguration       PUT /{Bucket}?intelligent-tiering
  DeleteBucketIntelligentTieringConfiguration    DELETE /{Bucket}?intelligent-tiering
  ListBucketInventoryConfigurations              GET /{Bucket}?inventory
  GetBucketInventoryConfiguration                GET /{Bucket}?inventory&id
  PutBucketInventoryConfiguration                PUT /{Bucket}?inventory
  DeleteBucketInventoryConfiguration             DELETE /{Bucket}?inventory
  GetBucketLifecycleConfiguration                GET /{Bucket}?lifecycle
  PutBucketLifecycleConfiguration                PUT /{Bucket}?lifecycle
  DeleteBucketLifecycle                          DELETE /{Bucket}?lifecycle
  GetBucketLogging                               GET /{Bucket}?logging
  PutBucketLogging                               PUT /{Bucket}?logging
  CreateBucketMetadataConfiguration              POST /{Bucket}?metadataConfiguration
  GetBucketMetadataConfiguration                 GET /{Bucket}?metadataConfiguration
  DeleteBucketMetadataConfiguration              DELETE /{Bucket}?metadataConfiguration
  UpdateBucketMetadataAnnotationTableConfiguration  PUT /{Bucket}?metadataAnnotationTable
  UpdateBucketMetadataInventoryTableConfiguration   PUT /{Bucket}?metadataInventoryTable
  UpdateBucketMetadataJournalTableConfiguration     PUT /{Bucket}?metadataJournalTable
  CreateBucketMetadataTableConfiguration         POST /{Bucket}?metadataTable
  GetBucketMetadataTableConfiguration            GET /{Bucket}?metadataTable
  DeleteBucketMetadataTableConfiguration         DELETE /{Bucket}?metadataTable
  ListBucketMetricsConfigurations                GET /{Bucket}?metrics
  GetBucketMetricsConfiguration                  GET /{Bucket}?metrics&id
  PutBucketMetricsConfiguration                  PUT /{Bucket}?metrics
  DeleteBucketMetricsConfiguration               DELETE /{Bucket}?metrics
  GetBucketNotificationConfiguration             GET /{Bucket}?notification
  PutBucketNotificationConfiguration             PUT /{Bucket}?notification
  GetObjectLockConfiguration                     GET /{Bucket}?object-lock
  PutObjectLockConfiguration                     PUT /{Bucket}?object-lock
  GetBucketOwnershipControls                     GET /{Bucket}?ownershipControls
  PutBucketOwnershipControls                     PUT /{Bucket}?ownershipControls
  DeleteBucketOwnershipControls                  DELETE /{Bucket}?ownershipControls
  GetBucketPolicy                                GET /{Bucket}?policy
  PutBucketPolicy                                PUT /{Bucket}?policy
  DeleteBucketPolicy                             DELETE /{Bucket}?policy
  GetPublicAccessBlock                           GET /{Bucket}?publicAccessBlock
  PutPublicAccessBlock                           PUT /{Bucket}?publicAccessBlock
  DeletePublicAccessBlock                        DELETE /{Bucket}?publicAccessBlock
  GetBucketReplication                           GET /{Bucket}?replication
  PutBucketReplication                           PUT /{Bucket}?replication
  DeleteBucketReplication                        DELETE /{Bucket}?replication
  GetBucketRequestPayment                        GET /{Bucket}?requestPayment
  PutBucketRequestPayment                        PUT /{Bucket}?requestPayment
  GetBucketTagging                               GET /{Bucket}?tagging
  PutBucketTagging                               PUT /{Bucket}?tagging
  DeleteBucketTagging                            DELETE /{Bucket}?tagging
  GetBucketVersioning                            GET /{Bucket}?versioning
  PutBucketVersioning                            PUT /{Bucket}?versioning
  GetBucketWebsite                               GET /{Bucket}?website
  PutBucketWebsite                               PUT /{Bucket}?website
  DeleteBucketWebsite                            DELETE /{Bucket}?website
`

const objectOperations = `
  PutObject                  PUT /{Bucket}/{Key+}
  CopyObject                 PUT /{Bucket}/{Key+} [x-amz-copy-source]
  GetObject                  GET /{Bucket}/{Key+}
  HeadObject                 HEAD /{Bucket}/{Key+}
  DeleteObject               DELETE /{Bucket}/{Key+}
  GetObjectAcl               GET /{Bucket}/{Key+}?acl
  PutObjectAcl               PUT /{Bucket}/{Key+}?acl
  GetObjectAnnotation        GET /{Bucket}/{Key+}?annotation
  PutObjectAnnotation        PUT /{Bucket}/{Key+}?annotation
  DeleteObjectAnnotation     DELETE /{Bucket}/{Key+}?annotation
  GetObjectAttributes        GET /{Bucket}/{Key+}?attributes
  UpdateObjectEncryption     PUT /{Bucket}/{Key+}?encryption
  GetObjectLegalHold         GET /{Bucket}/{Key+}?legal-hold
  PutObjectLegalHold         PUT /{Bucket}/{Key+}?legal-hold
  RenameObject               PUT /{Bucket}/{Key+}?renameObject
  RestoreObject              POST /{Bucket}/{Key+}?restore
  GetObjectRetention         GET /{Bucket}/{Key+}?retention
  PutObjectRetention         PUT /{Bucket}/{Key+}?retention
  SelectObjectContent        POST /{Bucket}/{Key+}?select&select-type=2
  GetObjectTagging           GET /{Bucket}/{Key+}?tagging
  PutObjectTagging           PUT /{Bucket}/{Key+}?tagging
  DeleteObjectTagging        DELETE /{Bucket}/{Key+}?tagging
  GetObjectTorrent           GET /{Bucket}/{Key+}?torrent
  CreateMultipartUpload      POST /{Bucket}/{Key+}?uploads
  UploadPart                 PUT /{Bucket}/{Key+}?partNumber&uploadId
  UploadPartCopy             PUT /{Bucket}/{Key+}?partNumber&uploadId [x-amz-copy-source]
  ListParts                  GET /{Bucket}/{Key+}?uploadId
  CompleteMultipartUpload    POST /{Bucket}/{Key+}?uploadId
  AbortMultipartUpload       DELETE /{Bucket}/{Key+}?uploadId
`

const serviceOperations = `
  ListBuckets                GET /
`

export interface KnownOperation {
  readonly name: string
  readonly route: Route
}

/** All of them, for the router and for the table of what is served. */
export function knownOperations(): readonly KnownOperation[] {
  const lines = (serviceOperations + bucketOperations + objectOperations).split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '').map(parseLine)
}

function parseLine(line: string): KnownOperation {
  const space = line.indexOf(' ')
  return { name: line.slice(0, space), route: parseRoute(line.slice(space).trim()) }
}
