/** The first half of the table of behaviours: listings, keys, bodies, checksums, conditions, reads. */

export interface Point {
  readonly number: number
  readonly behaviour: string
  /** Test file below `test/`, without `.test.ts` → titles as they stand in it. */
  readonly tests: Readonly<Record<string, readonly string[]>>
}

export const firstPoints: readonly Point[] = [
  {
    number: 1,
    behaviour: 'V2 tokens are opaque and win over start-after, which is echoed',
    tests: {
      'operations/list-objects-v2': [
        'pages by opaque tokens that win over start-after, which counts on the first page alone and is echoed',
        'refuses a token that is not its own',
      ],
    },
  },
  {
    number: 2,
    behaviour: 'contents and common prefixes are counted together',
    tests: { 'operations/list-objects-v2': ['folds keys into common prefixes, counts each as one entry, and pages between them'] },
  },
  {
    number: 3,
    behaviour: 'V1 gives NextMarker only with a delimiter; a marker that is a common prefix skips it',
    tests: {
      'operations/list-objects': ['gives NextMarker only when there is a delimiter', 'skips a whole common prefix that is the marker'],
    },
  },
  {
    number: 4,
    behaviour: 'max-keys 0, above 1000, negative and no number',
    tests: {
      'operations/list-objects-v2': ['serves max-keys 0 as an empty page, more than 1000 as 1000, and refuses what is no number'],
      'operations/list-objects': ['serves max-keys 0, more than 1000 and bad numbers as V2 does'],
      'operations/list-parts': ['serves max-parts 0, more than 1000, and refuses what is no number'],
    },
  },
  {
    number: 5,
    behaviour: 'encoding-type=url, and no other',
    tests: {
      'operations/list-objects-v2': ['percent-encodes keys, prefixes and markers for encoding-type=url, and takes no other'],
      'operations/list-objects': ['encodes the markers too for encoding-type=url'],
      'operations/list-object-versions': ['encodes keys and markers for encoding-type=url, and counts as the other listings do'],
      'operations/list-multipart-uploads': ['encodes keys for encoding-type=url, and counts as the other listings do'],
    },
  },
  {
    number: 6,
    behaviour: 'a delimiter is any text, and an empty one is none',
    tests: { 'operations/list-objects-v2': ['takes any text as delimiter, and an empty one for none'] },
  },
  {
    number: 7,
    behaviour: 'keys sort by UTF-8 bytes, and letters are not normalised',
    tests: {
      'operations/list-objects-v2': ['lists objects in the order of their UTF-8 bytes, with what is known of each'],
      'operations/put-object': ['keeps the precomposed and the decomposed form of a letter apart'],
    },
  },
  {
    number: 8,
    behaviour: 'a key has 1024 bytes of UTF-8',
    tests: { 'operations/put-object': ['takes a key of 1024 bytes and refuses one of 1025 with KeyTooLongError'] },
  },
  {
    number: 9,
    behaviour: 'odd keys are literal; a path above the bucket is none',
    tests: {
      'operations/put-object': [
        'takes keys as they are: doubled, leading and trailing slashes, dots, plus, percent and any script',
        'refuses a key that climbs above the bucket with InvalidURI',
      ],
    },
  },
  {
    number: 10,
    behaviour: 'plus and percent in paths',
    tests: {
      'operations/put-object': ['takes a plus in the path for a plus and %20 for a space'],
      's3/auth/sdk': ['puts the key %j from memory, signed by hash'],
    },
  },
  {
    number: 11,
    behaviour: 'signed aws-chunked bodies',
    tests: {
      's3/auth/chunked': [
        'is MissingContentLength without x-amz-decoded-content-length',
        'are SignatureDoesNotMatch at chunk %i, and no byte of that chunk passes',
        'is IncompleteBody cut off at every byte, whether the connection breaks or ends',
      ],
      'operations/put-object': ['drops aws-chunked from the stored Content-Encoding'],
    },
  },
  {
    number: 12,
    behaviour: 'trailers are verified, and must be those announced',
    tests: {
      'operations/put-object': ['verifies a checksum that comes as a trailer'],
      's3/auth/chunked': [
        'are SignatureDoesNotMatch with a wrong x-amz-trailer-signature',
        'are MalformedTrailerError without x-amz-trailer-signature, and with one in an unsigned body',
      ],
    },
  },
  {
    number: 13,
    behaviour: 'what SDKs send by default is taken and answered',
    tests: { 'operations/get-object': ['satisfies an SDK that sends a checksum with every write and asks for one with every read'] },
  },
  {
    number: 14,
    behaviour: 'refusals come before 100 Continue',
    tests: {
      'operations/put-object-conditions': ['refuses before 100 Continue what the head alone tells: 404, 403 and 412'],
      'operations/upload-part': ['refuses an unknown upload before 100 Continue'],
    },
  },
  {
    number: 15,
    behaviour: 'checksum headers: wrong, malformed, two of them',
    tests: { 'operations/put-object': ['verifies, keeps and returns %s', 'refuses %s and stores nothing'] },
  },
  {
    number: 16,
    behaviour: 'CRC64NVME without a checksum, told only in checksum mode and of no range',
    tests: {
      'operations/put-object': ['computes CRC64NVME when none is given, and tells it only in checksum mode'],
      'operations/get-object': ['tells the checksum of the whole object, and of no range of it'],
    },
  },
  {
    number: 17,
    behaviour: 'checksums of uploads in parts',
    tests: {
      'operations/create-multipart-upload': ['sums by %s, asked as %s, as %s', 'refuses %s with InvalidRequest'],
      'operations/complete-multipart-upload': [
        'makes a COMPOSITE %s of the parts’, with their number',
        'sums the full object by %s as one PUT of the same bytes does',
        'sums by CRC64NVME when nothing was asked for',
        'needs the checksum of each part for a COMPOSITE one',
        'checks the checksum of the whole, its type and the size that the client expects',
      ],
    },
  },
  {
    number: 18,
    behaviour: 'Content-MD5 and the payload’s hash',
    tests: {
      'operations/put-object': ['refuses %s and stores nothing', 'takes a matching Content-MD5'],
      'operations/upload-part': ['refuses %s and stores no part'],
    },
  },
  {
    number: 19,
    behaviour: 'conditional writes',
    tests: {
      'operations/put-object-conditions': [
        'refuses If-None-Match * with 412 when the key exists, and takes it when it does not',
        'checks If-Match of a write: NoSuchKey without an object, 412 for another ETag',
        'answers 409 to a write whose If-Match held at first and was overtaken',
        'counts a current delete marker as no object',
        'takes an ETag in If-None-Match of a write',
        'lets exactly one of several writers create a key with If-None-Match *',
      ],
      'operations/complete-multipart-upload': ['checks If-None-Match and If-Match of the key'],
      'operations/copy-object': ['checks If-None-Match and If-Match of the key that it writes'],
    },
  },
  {
    number: 20,
    behaviour: 'conditional deletes',
    tests: {
      'operations/delete-object': ['checks If-Match: 412 for another ETag, 204 for the right one and for a missing key'],
      'operations/delete-objects': ['checks the ETag of each entry for itself'],
    },
  },
  {
    number: 21,
    behaviour: 'conditional reads',
    tests: {
      'operations/get-object': [
        'lets a true If-Match win over a false If-Unmodified-Since',
        'lets a false If-None-Match win over a true If-Modified-Since',
        'answers 304 with ETag and without a body, and keeps what caches need',
      ],
      'operations/head-object': ['refuses with status and headers alone, whatever the reason'],
    },
  },
  {
    number: 22,
    behaviour: 'ranges: one, none, past the end, of nothing',
    tests: {
      'operations/get-object': [
        'answers %s with 206 and those bytes',
        'ignores %s and sends the whole object',
        'answers %s with 416 InvalidRange and the size',
        'answers any range of an empty object with 416',
      ],
    },
  },
  {
    number: 23,
    behaviour: 'part numbers of a read',
    tests: {
      'operations/get-object': [
        'answers a part with 206, its range and the number of parts',
        'takes a plain object for its own part 1, and answers 400 InvalidPart for others',
        'refuses a part number together with a range, and one that is none',
      ],
    },
  },
  {
    number: 24,
    behaviour: 'version ids: null, ill-formed, unknown',
    tests: {
      'operations/get-object': [
        'answers with a named version, the null version included',
        'answers InvalidArgument for an ill-formed version id, NoSuchVersion for an unknown one',
      ],
    },
  },
]
