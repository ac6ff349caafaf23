/** The second half of the table of behaviours: versions, errors, signatures, copies, parts, tags, buckets, ACLs. */
import type { Point } from './behaviour-points.ts'

export const morePoints: readonly Point[] = [
  {
    number: 25,
    behaviour: 'delete markers',
    tests: {
      'operations/get-object': [
        'answers 404 with the marker named when the current version is a delete marker',
        'answers 405 with Allow and Last-Modified for the version id of a delete marker',
      ],
      'operations/delete-object': ['brings the object back when the marker itself is deleted, and says that it was one'],
    },
  },
  {
    number: 26,
    behaviour: 'suspended versioning',
    tests: {
      'operations/put-object': ['replaces only the null version while versioning is suspended'],
      'operations/delete-object': ['replaces the null version with a null marker while versioning is suspended, and keeps older versions'],
    },
  },
  {
    number: 27,
    behaviour: '403 or 404 for what is not there',
    tests: {
      'operations/get-object': ['answers 403 instead of 404 to whoever may not list the bucket'],
      'operations/put-object': ['answers 404 NoSuchBucket'],
    },
  },
  {
    number: 28,
    behaviour: 'errors of HEAD have no body',
    tests: {
      'operations/head-object': ['refuses with status and headers alone, whatever the reason'],
      'operations/head-bucket': [
        'answers 301 with the region for a bucket that lives elsewhere',
        'answers 403 with the region for whoever may not use it',
      ],
    },
  },
  {
    number: 29,
    behaviour: 'request ids in headers and in errors',
    tests: { 'operations/put-object': ['carries its request ids in headers and in the error'] },
  },
  {
    number: 30,
    behaviour: 'presigned requests and response-* overrides',
    tests: {
      'operations/get-object': ['puts what a signed query asks for on the answer', 'refuses them without a signature with InvalidRequest'],
      'operations/put-object': ['takes what a presigned URL carries in its query as the headers they were'],
      's3/auth/presigned': ['is accepted until the second it expires', 'is AuthorizationQueryParametersError with X-Amz-Expires=%s'],
    },
  },
  {
    number: 31,
    behaviour: 'time and scope of a signature',
    tests: {
      's3/auth/refusals': [
        'is RequestTimeTooSkewed from 15 minutes on (%i)',
        'is AuthorizationHeaderMalformed with <Region> for a region of nobody',
        'is InvalidRequest with SigV2, in the header and in the query',
      ],
    },
  },
  {
    number: 32,
    behaviour: 'codes of authentication',
    tests: {
      's3/auth/refusals': [
        'is InvalidAccessKeyId with a key that nobody has',
        'is SignatureDoesNotMatch with another secret, and says what was signed here',
      ],
      's3/auth/presigned': [
        'are InvalidToken with another token, and so is a token beside a lasting key',
        'are ExpiredToken when they have ended',
      ],
      'operations/get-object': ['answers 403 to a request without a signature'],
    },
  },
  {
    number: 33,
    behaviour: 'the source of a copy',
    tests: {
      'operations/copy-object': [
        'decodes the source once, with or without a leading slash, and splits the version off first',
        'refuses a copy onto itself that changes nothing, and makes one that does',
        'answers NoSuchKey for a missing or deleted source, NoSuchVersion for an unknown version',
        'refuses the version id of a delete marker with InvalidRequest',
        'answers 412 when the source is not what the copy wants',
      ],
    },
  },
  {
    number: 34,
    behaviour: 'the range of a part copy',
    tests: { 'operations/upload-part-copy': ['refuses the range %s, which is not inside the source, with InvalidArgument'] },
  },
  {
    number: 35,
    behaviour: 'errors under a 200 that has begun',
    tests: {
      'operations/complete-multipart-upload': [
        'answers 200 and white space until the result is known, and an error that comes late stands in the body',
        'lets the SDK see a late error as the error it is',
      ],
    },
  },
  {
    number: 36,
    behaviour: 'the part list of a completed upload',
    tests: {
      'operations/complete-multipart-upload': [
        'refuses %s and stores nothing',
        'refuses a part below 5 MiB that is not the last with EntityTooSmall, and takes it as the last',
        'refuses an empty list and what is no list with MalformedXML, and an empty body with MissingRequestBodyError',
        'answers the same when it is asked again, also with conditions and at the same time',
        'makes one object of the parts, with the ETag of their MD5s and its address',
      ],
      'operations/upload-part': ['refuses part numbers outside 1 to 10,000 with InvalidArgument'],
    },
  },
  {
    number: 37,
    behaviour: 'many deletions in one request',
    tests: {
      'operations/delete-objects': [
        'takes 1000 keys and refuses 1001, none, and what is no document with MalformedXML',
        'refuses a body without a digest with InvalidRequest, and one with a wrong digest with BadDigest',
        'lists only errors when it is to be quiet',
        'deletes what is named and reports absent keys as deleted, in the order asked',
        'names the markers that it makes and those that it removes',
      ],
    },
  },
  {
    number: 38,
    behaviour: 'tags',
    tests: {
      'operations/put-object-tagging': [
        'refuses %s and changes nothing',
        'replaces all tags, changes neither bytes nor time, and is counted',
        'takes ten tags of 128 and 256 characters',
      ],
      'operations/get-object-tagging': ['answers 200 with an empty set for an object without tags'],
      'operations/bucket-tagging': ['takes 50 tags and refuses 51', 'answers 404 without tags'],
    },
  },
  {
    number: 39,
    behaviour: 'bucket names, and making a bucket again',
    tests: {
      'operations/create-bucket': [
        'refuses the name %s',
        'answers 200 in us-east-1 and changes nothing',
        'answers 409 elsewhere, and where it asks for more than the bucket',
        'answers BucketAlreadyExists for the name of somebody else',
      ],
      'operations/get-bucket-location': ['is an empty element for us-east-1'],
    },
  },
  {
    number: 40,
    behaviour: 'virtual-host addresses',
    tests: { 'operations/put-object': ['takes the bucket from the host, and then the path for the key'] },
  },
  {
    number: 41,
    behaviour: 'ACLs, and where they are off or blocked',
    tests: {
      'operations/put-object': [
        'refuses canned ACL and grants together with InvalidRequest, and unknown grantees with InvalidArgument',
        'refuses an ACL with AccessControlListNotSupported where ACLs are off, except the one that changes nothing',
        'refuses a public ACL with 403 where public ACLs are blocked',
      ],
      'operations/put-object-acl': [
        'refuses an ACL where ACLs are off, except the one that changes nothing',
        'refuses a public ACL with 403 where public ACLs are blocked',
      ],
    },
  },
  {
    number: 43,
    behaviour: 'configurations that are not there',
    tests: {
      'operations/bucket-encryption': ['answers 404 without a configuration where nothing is encrypted by default'],
      'operations/bucket-replication': ['answers 404 without a configuration'],
    },
  },
  {
    number: 44,
    behaviour: 'Object Lock',
    tests: {
      'operations/bucket-object-lock': [
        'turns the lock on in a bucket with versions, and keeps it on',
        'never has its versioning suspended',
        'answers 404 for a bucket without lock',
      ],
      'operations/object-lock': [
        'need a Content-MD5 or a checksum, as does a bucket with a default retention',
        'is refused, while a deletion without version id makes a marker',
        'of GOVERNANCE works with bypass, for who may',
        'are refused in a bucket without lock',
      ],
      'operations/object-retention': ['only ever extends COMPLIANCE, for the root too'],
      'operations/object-legal-hold': ['keeps a version until it is taken off, whatever the caller may'],
    },
  },
  {
    number: 45,
    behaviour: 'the status of replication',
    tests: { 'operations/head-object': ['tells PENDING from the first HEAD of a version that a replication rule chose'] },
  },
  {
    number: 46,
    behaviour: 'bodies, lengths and times',
    tests: {
      'operations/put-object': [
        'refuses a body without a length with 411 MissingContentLength, chunked or not',
        'refuses %s with its code',
        'stores nothing of a body that ends too early',
      ],
      'operations/put-object-tagging': ['refuses what is no tag set with MalformedXML, and an empty body with MissingRequestBodyError'],
      'operations/get-object': ['answers with the bytes, ETag, Last-Modified in seconds and accept-ranges'],
    },
  },
]
