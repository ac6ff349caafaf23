/** The examples that AWS publishes, as they stand in its documentation. */
import { describe, expect, it } from 'vitest'
import { bodyHeadersOf, openBody, readWhole } from '../../../src/s3/auth/body.ts'
import { accessKeyId, caller, emptySha256, headOf, type Pairs, pieces, refusal, signedOf, verify } from './requests.ts'

const credential = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20130524/us-east-1/s3/aws4_request`
const virtualHost = 'examplebucket.s3.amazonaws.com'

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const examples: readonly (readonly [name: string, request: string, pairs: Pairs])[] = [
  [
    'GET Object with a range',
    'GET /test.txt',
    [
      ['Host', virtualHost],
      [
        'Authorization',
        `${credential},SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41`,
      ],
      ['Range', 'bytes=0-9'],
      ['x-amz-content-sha256', emptySha256],
      ['x-amz-date', '20130524T000000Z'],
    ],
  ],
  [
    'PUT Object with a $ in its key',
    'PUT /test$file.text',
    [
      ['Host', virtualHost],
      ['Date', 'Fri, 24 May 2013 00:00:00 GMT'],
      [
        'Authorization',
        `${credential},SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd`,
      ],
      ['x-amz-date', '20130524T000000Z'],
      ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
      ['x-amz-content-sha256', '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'],
    ],
  ],
  [
    'GET Bucket lifecycle',
    'GET /?lifecycle',
    [
      ['Host', virtualHost],
      [
        'Authorization',
        `${credential},SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543`,
      ],
      ['x-amz-date', '20130524T000000Z'],
      ['x-amz-content-sha256', emptySha256],
    ],
  ],
  [
    'List Objects',
    'GET /?max-keys=2&prefix=J',
    [
      ['Host', virtualHost],
      [
        'Authorization',
        `${credential},SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7`,
      ],
      ['x-amz-date', '20130524T000000Z'],
      ['x-amz-content-sha256', emptySha256],
    ],
  ],
]

describe('the published examples', () => {
  it.each(examples)('accepts %s', (_name, request, pairs) => {
    const verified = signedOf(verify(headOf(request, pairs)))
    expect(verified).toMatchObject({ via: 'header', accessKeyId, scope: { date: '20130524', region: 'us-east-1', service: 's3' } })
  })

  it.each(examples)('refuses %s when the method was changed on the way', (_name, request, pairs) => {
    expect(refusal(() => verify(headOf(request.replace(/^\w+/, 'DELETE'), pairs))).code).toBe('SignatureDoesNotMatch')
  })

  it('accepts the presigned GET', () => {
    const query =
      'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
      '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'
    const verified = signedOf(verify(headOf(`GET /test.txt?${query}`, [['Host', virtualHost]])))
    expect(verified).toMatchObject({ via: 'query', accessKeyId, payload: { mode: 'unsigned' } })
  })

  it('accepts the IAM example, whose body hash stands in no header', () => {
    const head = headOf('GET /?Action=ListUsers&Version=2010-05-08', [
      ['Host', 'iam.amazonaws.com'],
      ['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8'],
      ['X-Amz-Date', '20150830T123600Z'],
      [
        'Authorization',
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
      ],
    ])
    const verified = verify(head, {
      nowMs: Date.UTC(2015, 7, 30, 12, 36),
      credential: { secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', caller },
    })
    if (verified.kind !== 'awaiting-body') throw new Error(verified.kind)
    expect(refusal(() => verified.complete('0'.repeat(64))).code).toBe('SignatureDoesNotMatch')
    expect(verified.complete(emptySha256)).toMatchObject({ kind: 'signed', accessKeyId: 'AKIDEXAMPLE', scope: { service: 'iam' } })
  })
})

/** 65 KiB of the letter a, in chunks of 64 KiB and 1 KiB. */
const object = Buffer.alloc(66_560, 'a')

function chunkedExample(signatures: readonly string[], ending: string): Buffer {
  const [first = '', second = '', last = ''] = signatures
  return Buffer.concat([
    Buffer.from(`10000;chunk-signature=${first}\r\n`),
    object.subarray(0, 65_536),
    Buffer.from(`\r\n400;chunk-signature=${second}\r\n`),
    object.subarray(65_536),
    Buffer.from(`\r\n0;chunk-signature=${last}\r\n${ending}\r\n`),
  ])
}

describe('the published chunked examples', () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
  it('accepts the signed chunks', async () => {
    const raw = chunkedExample(
      [
        'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
        '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
        'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
      ],
      '',
    )
    const head = headOf('PUT /examplebucket/chunkObject.txt', [
      ['Host', 's3.amazonaws.com'],
      ['x-amz-date', '20130524T000000Z'],
      ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
      [
        'Authorization',
        `${credential},SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9`,
      ],
      ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'],
      ['Content-Encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', '66560'],
      ['Content-Length', '66824'],
    ])
    const { payload, seed } = signedOf(verify(head))
    expect(raw.length).toBe(66_824)
    const body = openBody(pieces(raw), { payload, ...(seed && { seed }), headers: bodyHeadersOf(head) })
    expect(body.lengthBytes).toBe(66_560)
    expect((await readWhole(body, { maxBytes: 1e6 })).equals(object)).toBe(true)
    expect(body.trailers()).toEqual({})
  })

  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
  it('accepts the signed chunks with a signed trailer', async () => {
    const raw = chunkedExample(
      [
        'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
        '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
        '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
      ],
      'x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n',
    )
    const head = headOf('PUT /examplebucket/chunkObject.txt', [
      ['Host', 's3.amazonaws.com'],
      ['x-amz-date', '20130524T000000Z'],
      ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
      [
        'Authorization',
        `${credential},SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e`,
      ],
      ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'],
      ['Content-Encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', '66560'],
      ['x-amz-trailer', 'x-amz-checksum-crc32c'],
      ['Content-Length', String(raw.length)],
    ])
    const { payload, seed } = signedOf(verify(head))
    const body = openBody(pieces(raw), { payload, ...(seed && { seed }), headers: bodyHeadersOf(head) })
    expect((await readWhole(body, { maxBytes: 1e6 })).equals(object)).toBe(true)
    expect(body.trailers()).toEqual({ 'x-amz-checksum-crc32c': 'sOO8/Q==' })
  })
})
