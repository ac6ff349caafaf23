import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operation } from '../../src/s3/define.ts'
import { xmlBody } from '../../src/s3/members.ts'
import { document, struct, text } from '../../src/s3/xml/shapes.ts'
import { named } from './operations.ts'
import { elementOf, eventually, exchange, head, RawClient, startServer, type TestServer } from './support.ts'

const gibibyte = 1024 ** 3
const Note = document('Note', struct({ Text: text() }), { maxBytes: 1000 })
/** How the last PutObject ended. */
const seen = { outcome: '', started: 0 }

const operations = [
  named('GetObject', 'GET /{Bucket}/{Key+}'),
  named('HeadObject', 'HEAD /{Bucket}/{Key+}'),
  operation({
    name: 'PutObject',
    route: 'PUT /{Bucket}/{Key+}',
    action: 's3:PutObject',
    input: {},
    body: 'stream',
    errors: [],
    async handle(_context, _input, body) {
      seen.outcome = 'reading'
      seen.started += 1
      const digest = createHash('md5')
      try {
        for await (const chunk of body) digest.update(chunk)
      } catch (error) {
        seen.outcome = String((error as { code?: unknown }).code)
        throw error
      }
      seen.outcome = 'whole'
      return { status: 200, headers: { etag: digest.digest('hex'), 'x-length': body.lengthBytes } }
    },
  }),
  // Reads nothing of what it is sent.
  named('UploadPart', 'PUT /{Bucket}/{Key+}?partNumber&uploadId', { body: 'stream' }),
  operation({
    name: 'PutBucketTagging',
    route: 'PUT /{Bucket}?tagging',
    action: 's3:PutBucketTagging',
    input: { Note: xmlBody(Note) },
    errors: [],
    handle: async (_context, input) => ({ status: 200, headers: { 'x-text': input.Note.Text } }),
  }),
  operation({
    name: 'DeleteObjects',
    route: 'POST /{Bucket}?delete',
    action: 's3:DeleteObject',
    input: { Note: xmlBody(Note, { integrity: 'required' }) },
    errors: [],
    handle: async (_context, input) => ({ status: 200, headers: { 'x-text': input.Note.Text } }),
  }),
]

let server: TestServer
let impatient: TestServer
beforeAll(async () => {
  server = await startServer(operations)
  impatient = await startServer(operations, { idleTimeoutMs: 150 })
})
afterAll(async () => {
  await server.close()
  await impatient.close()
})

const put = (length: number | string, more: Record<string, string> = {}, line = 'PUT /pictures/k') =>
  head(line, { 'Content-Length': length, 'Content-Type': 'text/plain', ...more })
const md5 = (content: string) => createHash('md5').update(content).digest('hex')

describe('a body', () => {
  it.each(['text/plain', 'application/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'reaches the operation byte for byte as %s',
    async (type) => {
      const { headers } = await exchange(server.port, `${put(5, { 'Content-Type': type })}hello`)
      expect([headers.get('etag'), headers.get('x-length')]).toEqual([md5('hello'), '5'])
    },
  )

  it('of many pieces and of none arrives whole', async () => {
    const content = 'x'.repeat(3_000_000)
    expect((await exchange(server.port, put(content.length) + content)).headers.get('etag')).toBe(md5(content))
    expect((await exchange(server.port, put(0))).headers.get('etag')).toBe(md5(''))
  })

  it('is followed by the next request of the connection', async () => {
    const client = new RawClient(server.port)
    client.send(`${put(5)}hello${put(5)}world${head('GET /pictures/k', { Connection: 'close' })}`)
    const { text: received } = await client.ended()
    const marks = [md5('hello'), md5('world'), 'x-operation: GetObject'].map((mark) => received.indexOf(mark))
    expect(marks).toEqual([...marks].sort((a, b) => a - b))
    expect(marks).not.toContain(-1)
  })

  it('without a length is refused with 411', async () => {
    const { status, body } = await exchange(server.port, head('PUT /pictures/k'))
    expect([status, elementOf(body, 'Code')]).toEqual([411, 'MissingContentLength'])
    const chunked = await exchange(server.port, `${head('PUT /pictures/k', { 'Transfer-Encoding': 'chunked' })}0\r\n\r\n`)
    expect([chunked.status, elementOf(chunked.body, 'Code')]).toEqual([411, 'MissingContentLength'])
  })

  it('over 5 GiB is refused at once', async () => {
    const { status, body } = await exchange(server.port, put(5 * gibibyte + 1))
    expect([status, elementOf(body, 'Code'), elementOf(body, 'MaxSizeAllowed')]).toEqual([400, 'EntityTooLarge', String(5 * gibibyte)])
  })

  it('that ends too early is IncompleteBody for the operation and for the client', async () => {
    const client = new RawClient(server.port)
    client.send(`${put(10)}hello`)
    await eventually(() => seen.outcome === 'reading', 'the operation to read')
    client.halfClose()
    const { status, body } = await client.ended()
    expect([status, elementOf(body, 'Code')]).toEqual([400, 'IncompleteBody'])
    await eventually(() => seen.outcome === 'IncompleteBody', 'the operation to fail')
  })

  it('of a client that hangs up fails the operation, without a word in the log', async () => {
    const before = server.lines.length
    const client = new RawClient(server.port)
    client.send(`${put(10)}hello`)
    await eventually(() => seen.outcome === 'reading', 'the operation to read')
    client.destroy()
    await eventually(() => seen.outcome === 'IncompleteBody', 'the operation to fail')
    expect(server.lines.slice(before)).toEqual([])
  })

  it('that stops coming is RequestTimeout', async () => {
    const client = new RawClient(impatient.port)
    client.send(`${put(10)}hello`)
    const { status, body } = await client.ended()
    expect([status, elementOf(body, 'Code'), seen.outcome]).toEqual([400, 'RequestTimeout', 'RequestTimeout'])
  })
})

describe('a body that comes byte by byte', () => {
  it('arrives whole, however long that takes', async () => {
    const content = 'more than thirty-two bytes, and not a round number of them'
    const client = new RawClient(impatient.port)
    client.send(put(content.length, { Connection: 'close' }))
    for (const byte of content) {
      client.send(byte)
      await sleep(10)
    }
    const { text } = await client.ended()
    expect(text).toContain(md5(content))
  })

  it('is given up when nothing comes any more, with what has come unread', async () => {
    const client = new RawClient(impatient.port)
    client.send(`${put(10)}h`)
    await sleep(100)
    client.send('e')
    const { status, body } = await client.ended()
    expect([status, elementOf(body, 'Code'), seen.outcome]).toEqual([400, 'RequestTimeout', 'RequestTimeout'])
  })
})

describe('a body that nobody reads', () => {
  it('is forgotten when it is small, and the connection goes on', async () => {
    const client = new RawClient(server.port)
    client.send(put(1000, {}, 'PUT /pictures/denied') + 'x'.repeat(1000) + head('GET /pictures/k', { Connection: 'close' }))
    const { text } = await client.ended()
    expect(text).toMatch(/^HTTP\/1.1 403 [\s\S]*HTTP\/1.1 200 /)
  })

  it('does not keep a client waiting that waits for its answer first', async () => {
    const client = new RawClient(server.port)
    client.send(put(1000, {}, 'PUT /pictures/denied'))
    expect((await client.answer()).status).toBe(403)
    client.send('x'.repeat(1000) + head('GET /pictures/k', { Connection: 'close' }))
    expect((await client.ended()).status).toBe(200)
  })

  it('ends the connection when it is large, after a whole answer', async () => {
    const client = new RawClient(server.port)
    client.send(put(10_000_000, {}, 'PUT /pictures/denied') + 'x'.repeat(300_000))
    const { status, headers, body } = await client.ended()
    expect([status, headers.get('connection'), elementOf(body, 'Code')]).toEqual([403, 'close', 'AccessDenied'])
    expect(body).toMatch(/<\/Error>$/)
  })

  it('ends the connection when it does not come', async () => {
    const client = new RawClient(server.port)
    client.send(put(1000, {}, 'PUT /pictures/denied'))
    expect((await client.ended()).status).toBe(403)
  })

  it('goes with an operation that answers before it has read', async () => {
    const client = new RawClient(server.port)
    client.send(put(10_000_000, {}, 'PUT /pictures/k?partNumber=1&uploadId=u') + 'x'.repeat(300_000))
    expect((await client.ended()).status).toBe(200)
  })

  it('goes with a GET, which has none to read', async () => {
    const client = new RawClient(server.port)
    client.send(`${put(5, {}, 'GET /pictures/k')}hello${head('GET /pictures/k', { Connection: 'close' })}`)
    expect((await client.ended()).text).toMatch(/^HTTP\/1.1 200 [\s\S]*HTTP\/1.1 200 /)
  })
})

describe('Expect: 100-continue', () => {
  const expecting = { Expect: '100-continue' }

  it('is answered when the operation begins to read', async () => {
    const client = new RawClient(server.port)
    client.send(put(5, expecting))
    await client.until((text) => text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'), '100 Continue')
    client.send('hello')
    await client.until((text) => text.includes(md5('hello')), 'the ETag')
    expect(client.received).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/)
    client.destroy()
  })

  it.each([
    ['PUT /pictures/denied', 403],
    ['PUT /nowhere/k', 404],
    ['PUT /pictures/k?acl', 501],
    ['PATCH /pictures/k', 405],
  ])('is not answered for %s, which gets its %i and the end of the connection', async (line, status) => {
    const client = new RawClient(server.port)
    client.send(put(5, expecting, line))
    const answer = await client.ended()
    expect(answer.status).toBe(status)
    expect(answer.text).not.toContain('100 Continue')
    expect(answer.headers.get('connection')).toBe('close')
  })

  it('is not answered for a body that is too large or has no length', async () => {
    for (const length of [5 * gibibyte + 1]) {
      const client = new RawClient(server.port)
      client.send(put(length, expecting))
      expect((await client.ended()).text).toMatch(/^HTTP\/1.1 400 /)
    }
  })

  it('is not answered when the operation answers without reading', async () => {
    const client = new RawClient(server.port)
    client.send(put(5, expecting, 'PUT /pictures/k?partNumber=1&uploadId=u'))
    expect((await client.ended()).text).toMatch(/^HTTP\/1.1 200 /)
  })
})

describe('a document', () => {
  const note = '<Note><Text>hi</Text></Note>'
  const send = (content: string, headers: Record<string, string> = {}, line = 'PUT /pictures?tagging') =>
    exchange(server.port, put(Buffer.byteLength(content), headers, line) + content)
  const base64Md5 = createHash('md5').update(note).digest('base64')

  it('becomes the input of its operation', async () => {
    expect((await send(note)).headers.get('x-text')).toBe('hi')
  })

  it.each([
    ['no body', '', {}, 'MissingRequestBodyError'],
    ['no XML', '{"Text":"hi"}', {}, 'MalformedXML'],
    ['a DOCTYPE', `<!DOCTYPE Note>${note}`, {}, 'MalformedXML'],
    ['another document', '<Tagging/>', {}, 'MalformedXML'],
    ['one over its limit', `${note}${' '.repeat(1000)}`, {}, 'MaxMessageLengthExceeded'],
    ['another MD5', note, { 'Content-MD5': createHash('md5').update('other').digest('base64') }, 'BadDigest'],
    ['an MD5 that is none', note, { 'Content-MD5': 'abc' }, 'InvalidDigest'],
    ['another CRC32', note, { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
    ['a checksum that is none', note, { 'x-amz-checksum-crc32': 'AAAA' }, 'InvalidRequest'],
    ['two checksums', note, { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' }, 'InvalidRequest'],
  ])('is refused with %s', async (_what, content, headers, code) => {
    const { status, body } = await send(content, headers as Record<string, string>)
    expect([status, elementOf(body, 'Code')]).toEqual([400, code])
  })

  it('that must be checked is refused without a digest, and taken with one', async () => {
    const line = 'POST /pictures?delete'
    expect(elementOf((await send(note, {}, line)).body, 'Code')).toBe('InvalidRequest')
    expect((await send(note, { 'Content-MD5': base64Md5 }, line)).status).toBe(200)
    const sha256 = createHash('sha256').update(note).digest('base64')
    expect((await send(note, { 'x-amz-checksum-sha256': sha256 }, line)).status).toBe(200)
  })

  it('is checked against a checksum in its trailer', async () => {
    const trailer = (value: string) => {
      const content = `${Buffer.byteLength(note).toString(16)}\r\n${note}\r\n0\r\nx-amz-checksum-sha1:${value}\r\n\r\n`
      const headers = {
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        'x-amz-decoded-content-length': String(Buffer.byteLength(note)),
        'x-amz-trailer': 'x-amz-checksum-sha1',
      }
      return send(content, headers, 'POST /pictures?delete')
    }
    expect((await trailer(createHash('sha1').update(note).digest('base64'))).headers.get('x-text')).toBe('hi')
    expect(elementOf((await trailer(createHash('sha1').update('other').digest('base64'))).body, 'Code')).toBe('BadDigest')
    expect(elementOf((await trailer('x')).body, 'Code')).toBe('InvalidRequest')
  })

  it('keeps the white space and the control characters of its text', async () => {
    const { status, body } = await send('<Note><Text>\u0001</Text></Note>')
    expect([status, elementOf(body, 'Code')]).toEqual([400, 'MalformedXML'])
    expect((await send('<Note><Text>a&#x9;b</Text></Note>')).headers.get('x-text')).toBe('a\tb')
  })
})
