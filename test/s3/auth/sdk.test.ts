/** What the AWS SDK sends over a real connection, with its defaults. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { IAMClient, ListRolesCommand } from '@aws-sdk/client-iam'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { S3Error } from '../../../src/model/errors.ts'
import { bodyHeadersOf, openBody, readWhole } from '../../../src/s3/auth/body.ts'
import type { RequestHead } from '../../../src/s3/auth/head.ts'
import type { Anonymous, Signed } from '../../../src/s3/auth/verify.ts'
import { accessKeyId, secretAccessKey, sha256, verify } from './requests.ts'

interface Seen {
  readonly signed: Signed | Anonymous
  readonly body: Buffer
  readonly trailers: Readonly<Record<string, string>>
}

let server: Server
let endpoint: string
let seen: Seen[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    // A refused body is not read to its end, which leaves its connection of no use to the next request.
    response.setHeader('connection', 'close')
    receive(request).then(
      (one) => {
        seen.push(one)
        response.setHeader('ETag', '"0"').end()
      },
      (error: unknown) => {
        response.statusCode = error instanceof S3Error ? error.status : 500
        response.end(String(error))
      },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // address() is an AddressInfo for a server that listens on a port.
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

function headOfMessage(request: IncomingMessage): RequestHead {
  const { method = '', url = '', headers, rawHeaders } = request
  const mark = url.indexOf('?')
  const [rawPath, rawQuery] = mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
  return { method, rawPath, rawQuery, headers, rawHeaders }
}

async function receive(request: IncomingMessage): Promise<Seen> {
  const head = headOfMessage(request)
  const verified = verify(head, { nowMs: Date.now() })
  if (verified.kind === 'awaiting-body') {
    const body = await readWhole(request, { maxBytes: 1e6 })
    return { signed: verified.complete(sha256(body)), body, trailers: {} }
  }
  const { payload } = verified
  const seed = verified.kind === 'signed' ? verified.seed : undefined
  if (head.method === 'GET') return { signed: verified, body: Buffer.alloc(0), trailers: {} }
  const body = openBody(request, { payload, ...(seed && { seed }), headers: bodyHeadersOf(head) })
  const whole = await readWhole(body, { maxBytes: 1e8 })
  return { signed: verified, body: whole, trailers: body.trailers() }
}

const common = () => ({ endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 })
const s3 = () => new S3Client({ ...common(), forcePathStyle: true })

async function sent(act: () => Promise<unknown>): Promise<Seen & { readonly signed: Signed }> {
  seen = []
  await act()
  const [one] = seen
  if (one?.signed.kind !== 'signed') throw new Error('nothing signed was accepted')
  return { ...one, signed: one.signed }
}

const keys = ['a b', 'a+b', 'a%20b', 'a//b', "x!*'();:@&=$,?#[]~", 'é 漢字 😀', '__proto__', 'trailing/']

describe('the AWS SDK', () => {
  it.each(keys)('puts the key %j from memory, signed by hash', async (Key) => {
    const one = await sent(() => s3().send(new PutObjectCommand({ Bucket: 'bucket', Key, Body: 'hello', Metadata: { a: '1  2 ' } })))
    expect(one.body.toString()).toBe('hello')
    expect(one.signed.payload).toEqual({ mode: 'sha256', hex: sha256('hello') })
  })

  it('puts a stream, with its checksum in a trailer', async () => {
    const data = Buffer.alloc(300_000, 'stream')
    const Body = Readable.from([data.subarray(0, 100_000), data.subarray(100_000)])
    const one = await sent(() => s3().send(new PutObjectCommand({ Bucket: 'bucket', Key: 'k', Body, ContentLength: data.length })))
    expect(one.signed.payload).toEqual({ mode: 'chunked-unsigned-trailer' })
    expect(one.body.equals(data)).toBe(true)
    expect(Object.keys(one.trailers)).toEqual(['x-amz-checksum-crc32'])
  })

  it('lists with odd parameters', async () => {
    const command = new ListObjectsV2Command({ Bucket: 'bucket', Prefix: 'a b/+é', Delimiter: '/', StartAfter: "'x'&y=z" })
    expect((await sent(() => s3().send(command))).signed.via).toBe('header')
  })

  it.each(keys)('presigns GET and PUT of the key %j', async (Key) => {
    const get = await getSignedUrl(s3(), new GetObjectCommand({ Bucket: 'bucket', Key, ResponseContentType: 'text/x; a="b c"' }))
    expect((await sent(() => fetch(get))).signed.via).toBe('query')
    const put = await getSignedUrl(s3(), new PutObjectCommand({ Bucket: 'bucket', Key }), { expiresIn: 60 })
    const one = await sent(() => fetch(put, { method: 'PUT', body: 'presigned' }))
    expect(one.body.toString()).toBe('presigned')
    expect((await fetch(`${put}&versionId=1`, { method: 'PUT', body: '' })).status).toBe(403)
  })

  it('speaks to IAM and STS on the same address', async () => {
    // The answer is no XML that the SDK understands; what was accepted is what counts here.
    const sts = await sent(() => new STSClient(common()).send(new GetCallerIdentityCommand({})).catch(() => undefined))
    expect(sts.signed.scope.service).toBe('sts')
    const iam = await sent(() => new IAMClient(common()).send(new ListRolesCommand({})).catch(() => undefined))
    expect(iam.signed.scope.service).toBe('iam')
    expect(iam.body.toString()).toContain('Action=ListRoles')
  })
})

describe('a refused upload', () => {
  it('is answered though its body was not read to the end', async () => {
    const data = Buffer.alloc(1_000_000, 'x')
    const url = await getSignedUrl(s3(), new PutObjectCommand({ Bucket: 'bucket', Key: 'k' }))
    const broken = url.replace(/X-Amz-Signature=./, 'X-Amz-Signature=_')
    expect((await fetch(broken, { method: 'PUT', body: data })).status).toBe(403)
    const notChunked = await fetch(endpoint, {
      method: 'PUT',
      body: data,
      headers: { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'x-amz-decoded-content-length': '5' },
    })
    expect(notChunked.status).toBe(400)
    expect(await notChunked.text()).toContain('of the chunked body')
  })
})
