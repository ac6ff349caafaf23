/**
 * The limits that clients meet, each with its source. Sizes in bytes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 */
const kib = 1024
const mib = 1024 * kib
const gib = 1024 * mib
const tib = 1024 * gib

/** S3: PutObject, UploadPart and the source of CopyObject. */
export const putObjectMaxBytes = 5 * gib
/** S3: UploadPart, UploadPartCopy. */
export const partMaxBytes = 5 * gib
/** S3: every part but the last. */
export const partMinBytes = 5 * mib
/** S3: CompleteMultipartUpload. The design counts to 5 TiB. */
export const objectMaxBytes = 5 * tib
/** S3: part numbers are 1 to this, and an upload has no more parts. */
export const partNumberMax = 10_000

/** S3: UTF-8 bytes of a key, also of a prefix, delimiter or marker. */
export const keyMaxBytes = 1024
/** S3: names and values of all `x-amz-meta-*` together, names without the prefix. */
export const userMetadataMaxBytes = 2 * kib
/** S3: `x-amz-website-redirect-location`. */
export const redirectLocationMaxBytes = 2 * kib

/** S3: max-keys, max-uploads, max-parts; a larger number is served as this. */
export const listMaxEntries = 1000
/** S3: ListBuckets max-buckets. */
export const listBucketsMaxEntries = 10_000
/** S3: DeleteObjects. */
export const deleteObjectsMax = 1000

/** S3: tags of an object. */
export const objectTagsMax = 10
/** S3: tags of a bucket. */
export const bucketTagsMax = 50
/** S3: UTF-16 units of a tag's key and value. */
export const tagKeyMaxLength = 128
export const tagValueMaxLength = 256
/** S3: default retention of Object Lock. */
export const lockDaysMax = 36_500
export const lockYearsMax = 100
/** Ours: the last day of the last year that a date of S3 has room for. */
export const dateMaxMs = Date.UTC(9999, 11, 31)
/** S3: grants of one ACL. */
export const grantsMax = 100

/** Ours: an XML request body of a bucket or object configuration. */
export const xmlBodyMaxBytes = mib
/** Ours: 10,000 `<Part>` with two checksums and an ETag each need about 3 MB; as DeleteObjects with 1000 keys of 1024 escaped bytes. */
export const xmlListBodyMaxBytes = 8 * mib
