import { connect } from 'node:net'
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import { GetBucketVersioningCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import aws4 from 'aws4'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import { readWhole } from '../../src/s3/auth/body.ts'
import { operation } from '../../src/s3/define.ts'
import { xml } from '../../src/s3/reply.ts'
import { named } from './operations.ts'
import {
  accessKeyId,
  elementOf,
  eventually,
  exchange,
  head,
  peerKeyId,
  RawClient,
  secretAccessKey,
  startServer,
  type TestServer,
} from './support.ts'

const held = Promise.withResolvers<void>()
const operations = [
  named('GetObject', 'GET /{Bucket}/{Key+}'),
  named('ListBuckets', 'GET /'),
  named('HeadObject', 'HEAD /{Bucket}/{Key+}', {
    async handle() {
      await held.promise
      return { status: 200 }
    },
  }),
  named('GetBucketVersioning', 'GET /{Bucket}?versioning', {
    handle: async ({ caller }) => ({
      status: 200,
      body: xml('VersioningConfiguration', { Status: caller.kind === 'root' ? 'Enabled' : 'Suspended' }),
    }),
  }),
  operation({
    name: 'PutObject',
    route: 'PUT /{Bucket}/{Key+}',
    action: 's3:PutObject',
    input: {},
    body: 'stream',
    errors: [],
    async handle(_context, _input, body) {
      const bytes = await readWhole(body, { maxBytes: 100 })
      return { status: 200, headers: { etag: `"${bytes}"`, 'x-amz-checksum-crc32': body.trailers()['x-amz-checksum-crc32'] } }
    },
  }),
]

let isReady = true
let server: TestServer
beforeAll(async () => {
  server = await startServer(operations, {
    health: () => ({ isReady, reasons: isReady ? [] : ['writes are fenced'] }),
    query: async ({ service, action, parameters, caller }) => {
      if (action === 'GetCallerIdentity') return { Account: caller.kind === 'root' ? caller.accountId : '', Arn: service, UserId: 'u' }
      if (action === 'CreateRole')
        return { Role: { RoleName: parameters.get('RoleName'), Path: '/', RoleId: parameters.get('AssumeRolePolicyDocument') } }
      if (action === 'Fail') throw new Error('secret detail')
      throw new S3Error('InvalidAction')
    },
    peer: async ({ method, path, query, caller, body }) => {
      const bytes = await readWhole(body, { maxBytes: 100 })
      return { status: 200, headers: { 'x-seen': `${method} ${path} ${query.get('a')} ${caller.region} ${bytes}` } }
    },
  })
})
afterAll(() => server.close())

const endpoint = () => `http://127.0.0.1:${server.port}`
const credentials = { accessKeyId, secretAccessKey }
const settings = () => ({ endpoint: endpoint(), region: 'us-east-1', credentials, maxAttempts: 1 })

describe('AWS SDK clients', () => {
  it('put an object with the checksum in the trailer, and read XML', async () => {
    const client = new S3Client({ ...settings(), forcePathStyle: true })
    const answer = await client.send(new PutObjectCommand({ Bucket: 'pictures', Key: 'a b+c/é', Body: 'hello' }))
    expect(answer.ETag).toBe('"hello"')
    const versioning = await client.send(new GetBucketVersioningCommand({ Bucket: 'pictures' }))
    expect(versioning.Status).toBe('Enabled')
    client.destroy()
  })

  it('read by a presigned address', async () => {
    const client = new S3Client({ ...settings(), forcePathStyle: true })
    const url = await getSignedUrl(client, new GetBucketVersioningCommand({ Bucket: 'pictures' }))
    expect(await (await fetch(url)).text()).toContain('<Status>Enabled</Status>')
    expect((await fetch(`${url}0`)).status).toBe(403)
    client.destroy()
  })

  it('get S3’s errors with code, status and request id', async () => {
    const client = new S3Client({ ...settings(), forcePathStyle: true })
    const failure = client.send(new GetBucketVersioningCommand({ Bucket: 'nowhere' }))
    await expect(failure).rejects.toMatchObject({
      name: 'NoSuchBucket',
      $metadata: { httpStatusCode: 404, requestId: expect.stringMatching(/^[0-9A-F]{16}$/) },
    })
    client.destroy()
  })
})

describe('IAM and STS', () => {
  it('are told apart by the scope of the signature, without a header for the body’s hash', async () => {
    const sts = new STSClient(settings())
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: '123456789012', Arn: 'sts', UserId: 'u' })
    sts.destroy()
    const iam = new IAMClient(settings())
    const document = '{"Version":"2012-10-17","Statement":[]} é+&='
    const answer = await iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: document }))
    expect(answer.Role).toMatchObject({ RoleName: 'r', RoleId: document })
    iam.destroy()
  })

  it('answer a failure in their own form, and nothing of a bug', async () => {
    const signed = aws4.sign(
      {
        host: '127.0.0.1',
        path: '/',
        service: 'iam',
        region: 'us-east-1',
        method: 'POST',
        body: 'Action=Fail&Version=2010-05-08',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      },
      credentials,
    )
    const answer = await fetch(`${endpoint()}/`, {
      method: 'POST',
      body: 'Action=Fail&Version=2010-05-08',
      headers: { ...(signed.headers as Record<string, string>), Host: '127.0.0.1' },
    })
    // fetch sets its own Host, which is not the one that was signed.
    expect(answer.status).toBe(403)
    const raw = await exchange(server.port, `${head('POST /', signed.headers as Record<string, string>)}Action=Fail&Version=2010-05-08`)
    expect([raw.status, elementOf(raw.body, 'Type'), elementOf(raw.body, 'Code')]).toEqual([500, 'Receiver', 'InternalError'])
    expect(raw.body).toContain('<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">')
    expect(raw.body).not.toContain('secret detail')
    expect(elementOf(raw.body, 'RequestId')).toBe(raw.headers.get('x-amz-request-id'))
  })

  it('refuse a body that is not the signed one', async () => {
    const body = 'Action=GetCallerIdentity&Version=2011-06-15'
    const signed = aws4.sign({ host: '127.0.0.1', path: '/', service: 'sts', region: 'us-east-1', method: 'POST', body }, credentials)
    const answer = await exchange(
      server.port,
      `${head('POST /', signed.headers as Record<string, string>)}${body.replace('Caller', 'caller')}`,
    )
    expect([answer.status, elementOf(answer.body, 'Code')]).toEqual([403, 'SignatureDoesNotMatch'])
  })

  it.each([
    ['nobody', '', 403, 'MissingAuthenticationToken'],
    ['nobody, at length', 'A'.repeat(100_000), 403, 'MissingAuthenticationToken'],
  ])('refuse %s', async (_who, body, status, code) => {
    const answer = await exchange(server.port, `${head('POST /', { 'Content-Length': body.length })}${body}`)
    expect([answer.status, elementOf(answer.body, 'Code')]).toEqual([status, code])
  })

  it.each([
    ['an unknown action', 'Action=Nothing', 'InvalidAction'],
    ['no action', 'Version=2011-06-15', 'InvalidAction'],
    ['an action that is markup', 'Action=%3Ca%3E', 'InvalidAction'],
    ['a form over its limit', `Action=A&B=${'x'.repeat(256 * 1024)}`, 'MaxMessageLengthExceeded'],
    ['a form with a broken escape', 'Action=%zz', 'InvalidURI'],
  ])('refuse %s', async (_what, body, code) => {
    const signed = aws4.sign({ host: '127.0.0.1', path: '/', service: 'sts', region: 'us-east-1', method: 'POST', body }, credentials)
    const answer = await exchange(server.port, `${head('POST /', signed.headers as Record<string, string>)}${body}`)
    expect([answer.status, elementOf(answer.body, 'Code')]).toEqual([400, code])
  })

  it('cannot be signed for and used as S3', async () => {
    const signed = aws4.sign(
      { host: '127.0.0.1', path: '/pictures?versioning', service: 'sts', region: 'us-east-1', method: 'GET' },
      credentials,
    )
    const answer = await exchange(server.port, head('GET /pictures?versioning', signed.headers as Record<string, string>))
    expect([answer.status, elementOf(answer.body, 'Code')]).toEqual([400, 'AuthorizationHeaderMalformed'])
  })
})

describe('what is not S3 on this port', () => {
  it('says that it lives and whether it is ready', async () => {
    expect((await exchange(server.port, head('GET /_health/live'))).status).toBe(200)
    expect((await exchange(server.port, head('HEAD /_health/ready'))).body).toBe('')
    isReady = false
    const unready = await exchange(server.port, head('GET /_health/ready'))
    isReady = true
    expect([unready.status, JSON.parse(unready.body)]).toEqual([503, { ready: false, reasons: ['writes are fenced'] }])
    expect((await exchange(server.port, head('PUT /_health/live'))).status).toBe(405)
    expect((await exchange(server.port, head('GET /_health/other'))).status).toBe(400)
  })

  it('is a key on a virtual-host address', async () => {
    const { headers } = await exchange(server.port, 'GET /_health/live HTTP/1.1\r\nHost: pictures.s3.test\r\n\r\n')
    expect(headers.get('x-operation')).toBe('GetObject')
  })

  const peerRequest = (body: string, key: { accessKeyId: string; secretAccessKey: string }, headers: Record<string, string> = {}) => {
    const path = '/_peer/v1/versions?a=b'
    const signed = aws4.sign(
      {
        host: '127.0.0.1',
        path,
        service: 's3',
        region: 'us-east-1',
        method: 'POST',
        headers: { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD', ...headers },
      },
      key,
    )
    return exchange(server.port, `${head(`POST ${path}`, signed.headers as Record<string, string>)}${body}`)
  }
  const peerKey = { accessKeyId: peerKeyId, secretAccessKey }

  it('takes the messages of a peer, with a known length or without', async () => {
    const known = await peerRequest('hello', peerKey, { 'Content-Length': '5' })
    expect(known.headers.get('x-seen')).toBe('POST v1/versions b eu-west-1 hello')
    const open = await peerRequest('5\r\nhello\r\n0\r\n\r\n', peerKey, { 'Transfer-Encoding': 'chunked' })
    expect(open.headers.get('x-seen')).toBe('POST v1/versions b eu-west-1 hello')
  })

  it('takes no message of a peer from anybody else', async () => {
    expect((await peerRequest('hello', credentials, { 'Content-Length': '5' })).status).toBe(403)
    expect((await exchange(server.port, head('GET /_peer/v1/versions'))).status).toBe(403)
    expect((await peerRequest('hello', { ...peerKey, secretAccessKey: 'x' }, { 'Content-Length': '5' })).status).toBe(403)
  })
})

describe('the access log', () => {
  it('has a line for each request when it is asked for, without the query, which may hold a signature', async () => {
    const logging = await startServer(operations, { settings: { log: { access: true } } })
    const { headers } = await exchange(logging.port, head('GET /pictures/k?secret=1'))
    await eventually(() => logging.lines.length > 0, 'the line')
    const requestId = headers.get('x-amz-request-id')
    expect(logging.lines).toMatchObject([
      { level: 'info', message: 'request answered', requestId, operation: 'GetObject', method: 'GET', url: '/pictures/k', status: 200 },
    ])
    expect(JSON.stringify(logging.lines)).not.toContain('secret')
    await logging.close()
  })
})

describe('a head that is too much', () => {
  it.each([
    ['over 8 KiB of headers', head('GET /pictures/k', { 'x-amz-meta-a': 'x'.repeat(8200) }), 400, 'RequestHeaderSectionTooLarge'],
    ['over 32 KiB of headers', head('GET /pictures/k', { 'x-amz-meta-a': 'x'.repeat(40_000) }), 400, 'RequestHeaderSectionTooLarge'],
    ['over 32 KiB of address', head(`GET /pictures/k?${'x'.repeat(40_000)}`), 400, 'RequestHeaderSectionTooLarge'],
    [
      'thousands of headers',
      head('GET /pictures/k', Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`a${i}`, 'b']))),
      400,
      'RequestHeaderSectionTooLarge',
    ],
    ['an unknown method', head('SMASH /pictures/k'), 405, 'MethodNotAllowed'],
    ['no HTTP', 'hello\r\n\r\n', 405, 'MethodNotAllowed'],
    ['two lengths', head('PUT /pictures/k', { 'Content-Length': '5', 'content-length': '6' }), 400, 'BadRequest'],
    ['a length and chunks', head('PUT /pictures/k', { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }), 400, 'BadRequest'],
    ['a length that is none', head('PUT /pictures/k', { 'Content-Length': '-5' }), 400, 'BadRequest'],
    ['a broken header', 'GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n', 400, 'BadRequest'],
  ])('is refused with a document: %s', async (_what, text, status, code) => {
    const client = new RawClient(server.port)
    client.send(text)
    if (!text.includes('Content-Length') && code === 'RequestHeaderSectionTooLarge' && text.length < 32_000) {
      expect(elementOf((await client.answer()).body, 'Code')).toBe(code)
      client.destroy()
      return
    }
    const { status: answered, body, headers } = await client.ended()
    expect([answered, elementOf(body, 'Code')]).toEqual([status, code])
    expect(elementOf(body, 'RequestId')).toBe(headers.get('x-amz-request-id'))
  })

  it('is refused when it does not come to its end in time', async () => {
    const client = new RawClient(server.port)
    client.send('GET /pictures/k HTTP/1.1\r\nHost: a\r\nx-slow: ')
    const { status, body } = await client.ended()
    expect([status, elementOf(body, 'Code')]).toEqual([400, 'RequestTimeout'])
  })
})

describe('close', () => {
  it('lets a running request end, says so to its connection, and takes no other', async () => {
    const closing = await startServer(operations)
    const client = new RawClient(closing.port)
    client.send(head('HEAD /pictures/k'))
    const idle = new RawClient(closing.port)
    idle.send(head('GET /pictures/k'))
    await idle.answer()
    const closed = closing.close()
    await eventually(() => idle.isEnded, 'the idle connection to be closed')
    const refused = Promise.withResolvers<string>()
    connect(closing.port, '127.0.0.1').on('error', (error: NodeJS.ErrnoException) => refused.resolve(error.code ?? ''))
    expect(await refused.promise).toBe('ECONNREFUSED')
    held.resolve()
    const answer = await client.ended()
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    await closed
  })

  it('does not wait for a connection that has brought no request', async () => {
    const settings = {
      limits: {
        maxConnections: 100,
        maxRequests: 100,
        headersTimeoutMs: 30_000,
        idleTimeoutMs: 5000,
        keepAliveTimeoutMs: 5000,
        drainTimeoutMs: 30_000,
      },
    }
    const closing = await startServer(operations, { settings })
    const client = new RawClient(closing.port)
    client.send('GET /pictures/k HTTP/1.1\r\n')
    // Both have arrived when a request that came after them has been answered.
    await exchange(closing.port, head('GET /_health/live'))
    await closing.close()
    await eventually(() => client.isEnded, 'the connection to be closed')
  })

  it('cuts what does not end within the drain time', async () => {
    const closing = await startServer([
      named('GetObject', 'GET /{Bucket}/{Key+}', {
        handle: ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      }),
    ])
    const client = new RawClient(closing.port)
    client.send(head('GET /pictures/k'))
    // The request has arrived when one that came after it has been answered.
    await exchange(closing.port, head('GET /_health/live'))
    await closing.close()
    await eventually(() => client.isEnded, 'the connection to be closed')
    expect(client.received).toBe('')
  })
})
