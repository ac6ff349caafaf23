import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import { operation } from '../../src/s3/define.ts'
import { query } from '../../src/s3/members.ts'
import { slow, stream, xml } from '../../src/s3/reply.ts'
import { named } from './operations.ts'
import { elementOf, eventually, exchange, head, RawClient, startServer, type TestServer } from './support.ts'

/** What the last request's stream or signal went through. */
const seen = { isReturned: false, isAborted: false, pulledBytes: 0 }

async function* pieces(count: number, bytes: number, failAt = -1) {
  try {
    for (let i = 0; i < count; i++) {
      if (i === failAt) throw new Error('the disk is on fire')
      seen.pulledBytes += bytes
      yield Buffer.alloc(bytes, 97 + (i % 26))
      await new Promise((resolve) => setImmediate(resolve))
    }
  } finally {
    seen.isReturned = true
  }
}

const replies = {
  xml: () => ({ status: 200, body: xml('Result', { A: '<&>' }) }),
  empty: () => ({ status: 200 }),
  none: () => ({ status: 204, headers: { 'x-empty': '' } }),
  missing: () => {
    throw new S3Error('NoSuchKey', { details: { Key: 'a&b' }, headers: { 'x-amz-delete-marker': 'true' } })
  },
  unmodified: () => {
    throw new S3Error('NotModified', { headers: { etag: '"e"' } })
  },
  bug: () => {
    throw new TypeError('secret detail')
  },
  unavailable: () => {
    throw new S3Error('ServiceUnavailable', { cause: new Error('home is away') })
  },
  stream: () => ({ status: 200, body: stream(300_000, pieces(3, 100_000)) }),
  rotten: () => ({ status: 200, body: stream(300_000, pieces(3, 100_000, 0)) }),
  broken: () => ({ status: 200, body: stream(300_000, pieces(3, 100_000, 2)) }),
  short: () => ({ status: 200, body: stream(300_000, pieces(2, 100_000)) }),
  long: () => ({ status: 200, body: stream(300_000, pieces(4, 100_000)) }),
  endless: () => ({ status: 200, body: stream(1e12, pieces(1e7, 100_000)) }),
  badHeader: () => ({ status: 200, headers: { 'content-language': 'a\nb' } }),
  slowOk: () => slow(new Promise((resolve) => setTimeout(() => resolve({ status: 200, body: xml('Done', { ETag: '"x"' }) }), 200))),
  slowBad: () => slow(new Promise((_, reject) => setTimeout(() => reject(new S3Error('InvalidPart')), 200))),
  slowBug: () => slow(new Promise((_, reject) => setTimeout(() => reject(new Error('secret detail')), 200))),
  fastOk: () => slow(Promise.resolve({ status: 200, headers: { 'x-amz-version-id': 'v' }, body: xml('Done', {}) })),
  fastBad: () => slow(Promise.reject(new S3Error('InvalidPart'))),
} as const

const input = { as: query('as').oneOf(Object.keys(replies) as (keyof typeof replies)[]) }
const operations = [
  operation({
    name: 'GetObject',
    route: 'GET /{Bucket}/{Key+}',
    action: 's3:GetObject',
    input,
    errors: [],
    async handle({ signal }, { as }) {
      signal.addEventListener('abort', () => {
        seen.isAborted = true
      })
      return replies[as]()
    },
  }),
  operation({
    name: 'HeadObject',
    route: 'HEAD /{Bucket}/{Key+}',
    action: 's3:GetObject',
    input,
    errors: [],
    handle: async (_context, { as }) => replies[as](),
  }),
  named('HeadBucket', 'HEAD /{Bucket}', {
    handle: async ({ bucket, host, secure }) => ({ status: 200, headers: { 'x-seen': `${bucket.name} ${host} ${secure}` } }),
  }),
]

let server: TestServer
beforeAll(async () => {
  server = await startServer(operations, { slowTiming: { graceMs: 50, intervalMs: 20 } })
})
afterAll(() => server.close())
const get = (as: keyof typeof replies) => exchange(server.port, head(`GET /pictures/k?as=${as}`))

describe('an answer', () => {
  it('carries S3’s XML, both request ids and a date', async () => {
    const { status, headers, body } = await get('xml')
    expect(status).toBe(200)
    expect(body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Result xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><A>&lt;&amp;&gt;</A></Result>',
    )
    expect(headers.get('content-type')).toBe('application/xml')
    expect(headers.get('x-amz-request-id')).toMatch(/^[0-9A-F]{16}$/)
    expect(headers.get('x-amz-id-2')).not.toBe('')
    expect(Date.parse(headers.get('date') ?? '')).not.toBeNaN()
  })

  it('says that an empty body is empty, and nothing of a length under 204', async () => {
    expect((await get('empty')).headers.get('content-length')).toBe('0')
    expect((await get('none')).headers.has('content-length')).toBe(false)
  })

  it('tells the handler which bucket and host were asked for', async () => {
    const { headers } = await exchange(server.port, 'HEAD /?x-id=HeadBucket HTTP/1.1\r\nHost: pictures.s3.test\r\n\r\n')
    expect(headers.get('x-seen')).toBe('pictures pictures.s3.test false')
  })
})

describe('an error', () => {
  it('is a document with code, details and the ids of the headers, and brings its own headers', async () => {
    const { status, headers, body } = await get('missing')
    expect(status).toBe(404)
    expect(body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&amp;b</Key>' +
        `<RequestId>${headers.get('x-amz-request-id')}</RequestId><HostId>${headers.get('x-amz-id-2')}</HostId></Error>`,
    )
    expect(headers.get('content-type')).toBe('application/xml')
    expect(headers.get('x-amz-delete-marker')).toBe('true')
  })

  it('has no body under HEAD, and the connection goes on', async () => {
    const client = new RawClient(server.port)
    client.send(head('HEAD /pictures/k?as=missing'))
    await client.until((text) => text.includes('\r\n\r\n'), 'the head of the answer')
    client.send(head('GET /pictures/k?as=empty', { Connection: 'close' }))
    const { text } = await client.ended()
    expect(text).toMatch(/^HTTP\/1.1 404 [\s\S]*\r\n\r\nHTTP\/1.1 200 /)
    expect(text).not.toContain('<Error>')
  })

  it('has no body under 304, and keeps its headers', async () => {
    const { status, headers, body } = await get('unmodified')
    expect([status, headers.get('etag'), headers.has('content-type'), body]).toEqual([304, '"e"', false, ''])
  })

  it('tells a client nothing of a bug, and the log once, with the request id', async () => {
    const { status, headers, body } = await get('bug')
    expect([status, elementOf(body, 'Code')]).toEqual([500, 'InternalError'])
    expect(body).not.toContain('secret detail')
    const requestId = headers.get('x-amz-request-id')
    const lines = server.lines.filter((line) => line['requestId'] === requestId)
    expect(lines).toMatchObject([{ level: 'error', message: 'request failed', operation: 'GetObject', err: { message: 'secret detail' } }])
  })

  it('logs the cause of a 503 as a warning, and a refusal not at all', async () => {
    const refused = (await get('missing')).headers.get('x-amz-request-id')
    const unavailable = (await get('unavailable')).headers.get('x-amz-request-id')
    expect(server.lines.filter((line) => line['requestId'] === refused)).toEqual([])
    expect(server.lines.filter((line) => line['requestId'] === unavailable)).toMatchObject([
      { level: 'warn', err: { message: 'home is away' } },
    ])
  })

  it('is InvalidArgument when a header of the answer cannot be sent', async () => {
    expect(elementOf((await get('badHeader')).body, 'Code')).toBe('InvalidArgument')
  })

  it.each([
    ['GET /nowhere/k?as=empty', 404, 'NoSuchBucket'],
    ['GET /No/k?as=empty', 400, 'InvalidBucketName'],
    ['GET //k?as=empty', 400, 'InvalidBucketName'],
    ['GET /pictures/denied?as=empty', 403, 'AccessDenied'],
    ['GET /pictures/k', 400, 'InvalidArgument'],
    ['GET /pictures/%ff?as=empty', 400, 'InvalidURI'],
    ['GET /pictures/k?as=%ff', 400, 'InvalidURI'],
    ['GET /pictures/a%00b?as=empty', 400, 'InvalidArgument'],
    ['GET /pictures/../k?as=empty', 400, 'InvalidURI'],
    [`GET /pictures/${'k'.repeat(1025)}?as=empty`, 400, 'KeyTooLongError'],
    ['GET /pictures?cors', 501, 'NotImplemented'],
    ['PATCH /pictures/k', 405, 'MethodNotAllowed'],
    ['PROPFIND /pictures/k', 405, 'MethodNotAllowed'],
    ['POST /pictures/k', 405, 'MethodNotAllowed'],
    ['OPTIONS *', 400, 'InvalidURI'],
    ['OPTIONS /pictures/k', 400, 'BadRequest'],
  ])('answers %s with %i %s', async (line, status, code) => {
    const answer = await exchange(server.port, head(line))
    expect([answer.status, elementOf(answer.body, 'Code')]).toEqual([status, code])
    expect(elementOf(answer.body, 'RequestId')).toBe(answer.headers.get('x-amz-request-id'))
  })

  it('refuses a CORS preflight as a bucket without CORS does', async () => {
    const headers = { Origin: 'https://a.example', 'Access-Control-Request-Method': 'PUT' }
    const { status, body } = await exchange(server.port, head('OPTIONS /pictures/k', headers))
    expect([status, elementOf(body, 'Code'), elementOf(body, 'Method'), elementOf(body, 'ResourceType')]).toEqual([
      403,
      'AccessForbidden',
      'PUT',
      'OBJECT',
    ])
  })

  it('answers a request without Host by its path', async () => {
    const { status } = await exchange(server.port, 'GET /pictures/k?as=empty HTTP/1.1\r\n\r\n')
    expect(status).toBe(200)
  })

  it('refuses a signature that is not right, with what was signed', async () => {
    const credential = 'AKIDEXAMPLE/20260101/us-east-1/s3/aws4_request'
    const headers = {
      'x-amz-date': `${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`,
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      Authorization: `AWS4-HMAC-SHA256 Credential=${credential.replace('20260101', new Date().toISOString().slice(0, 10).replaceAll('-', ''))}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${'0'.repeat(64)}`,
    }
    const { status, body } = await exchange(server.port, head('GET /pictures/k?as=empty', headers))
    expect([status, elementOf(body, 'Code')]).toEqual([403, 'SignatureDoesNotMatch'])
    expect(elementOf(body, 'StringToSign')).toContain('AWS4-HMAC-SHA256')
  })
})

describe('a stream', () => {
  it('arrives whole, with its length', async () => {
    const { headers, body } = await get('stream')
    expect([headers.get('content-length'), body.length]).toEqual(['300000', 300_000])
    expect(body).toBe('a'.repeat(100_000) + 'b'.repeat(100_000) + 'c'.repeat(100_000))
  })

  it('that fails before its first byte is an error with a status', async () => {
    const { status, body } = await get('rotten')
    expect([status, elementOf(body, 'Code')]).toEqual([500, 'InternalError'])
  })

  it.each(['broken', 'short', 'long'] as const)(
    'that is %s ends the connection before the promised length, and is logged once',
    async (as) => {
      const before = server.lines.length
      const { status, headers, body } = await get(as)
      expect([status, headers.get('content-length')]).toEqual([200, '300000'])
      expect(body.length).toBeLessThan(300_000 + (as === 'long' ? 1 : 0))
      expect(server.lines.slice(before).map(({ message }) => message)).toEqual(['request failed'])
    },
  )

  it('is not begun under HEAD', async () => {
    seen.isReturned = false
    const { status, headers, body } = await exchange(server.port, head('HEAD /pictures/k?as=stream'))
    expect([status, headers.get('content-length'), body, seen.isReturned]).toEqual([200, '300000', '', false])
  })

  it('is given up when the client goes away, without a word in the log', async () => {
    Object.assign(seen, { isReturned: false, isAborted: false })
    const before = server.lines.length
    const client = new RawClient(server.port)
    client.send(head('GET /pictures/k?as=endless'))
    await client.until((text) => text.length > 1_000_000, 'a megabyte')
    client.destroy()
    await eventually(() => seen.isReturned && seen.isAborted, 'the stream to be closed and the signal to be aborted')
    expect(server.lines.slice(before)).toEqual([])
  })
})

describe('a client that takes nothing', () => {
  it('loses its connection after the idle time, and until then no more is read for it than sockets hold', async () => {
    const impatient = await startServer(operations, { idleTimeoutMs: 150 })
    Object.assign(seen, { isReturned: false, pulledBytes: 0 })
    const client = new RawClient(impatient.port)
    client.send(head('GET /pictures/k?as=endless'))
    await client.until((text) => text.length > 0, 'the first bytes')
    client.pause()
    await eventually(() => seen.isReturned, 'the stream to be closed')
    // The kernel's buffers of both sides: up to 6 MiB each on Linux.
    expect(seen.pulledBytes).toBeLessThan(16_000_000)
    client.destroy()
    await impatient.close()
  })
})

describe('a slow answer', () => {
  it('is an ordinary one when it is not slow', async () => {
    const { headers, body } = await get('fastOk')
    expect([headers.get('x-amz-version-id'), headers.has('content-length')]).toEqual(['v', true])
    expect(body).toContain('<Done ')
    expect((await get('fastBad')).status).toBe(400)
  })

  it('sends white space after the prolog until its result is there', async () => {
    const { status, body } = await get('slowOk')
    expect(status).toBe(200)
    const text = body.replace(/[0-9a-f]+\r\n|\r\n/g, '')
    expect(text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n {2,}<Done xmlns="[^"]+"><ETag>&quot;x&quot;<\/ETag><\/Done>$/)
  })

  it('says a late error under its 200, with the request id, and nothing of a bug', async () => {
    const bad = await get('slowBad')
    expect([bad.status, elementOf(bad.body, 'Code'), elementOf(bad.body, 'RequestId')]).toEqual([
      200,
      'InvalidPart',
      bad.headers.get('x-amz-request-id'),
    ])
    const bug = await get('slowBug')
    expect(elementOf(bug.body, 'Code')).toBe('InternalError')
    expect(bug.body).not.toContain('secret detail')
    expect(server.lines.filter((line) => line['requestId'] === bug.headers.get('x-amz-request-id'))).toHaveLength(1)
  })
})
