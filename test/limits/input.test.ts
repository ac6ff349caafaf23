/** Bad input over the wire, by hand: each gets a clear S3 error, nothing of it is stored, and the server lives on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client, createBucket, expectStatus, listKeys } from './client.ts'
import { type Region, startRegion } from './region.ts'
import type { Pairs } from './signer.ts'
import { ask, exchange, requestBytes, Wire, type WireRequest } from './wire.ts'

const bucket = 'input'
const odd = 'odd-names'
const chance = 'chance'
let folder = ''
let region: Region
let client: Client

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'farshore-input-'))
  region = await startRegion({ folder })
  client = new Client(region.port)
  for (const name of [bucket, odd, chance]) await createBucket(client, name)
})
afterAll(async () => {
  await client.close()
  await region.kill()
  rmSync(folder, { recursive: true, force: true })
})

type Case = readonly [name: string, request: WireRequest, status: number, code: string]

const xml = (text: string): Buffer => Buffer.from(text)
const put = (key: string | Buffer, more: Partial<WireRequest> = {}): WireRequest => ({
  method: 'PUT',
  bucket,
  key,
  body: Buffer.from('x'),
  ...more,
})
const put0 = (path: string, more: Partial<WireRequest> = {}): WireRequest => ({ method: 'PUT', path, body: Buffer.from('x'), ...more })
const config = (sub: string, body: Buffer): WireRequest => ({ method: 'PUT', bucket, query: [[sub, '']], body })

const documents: readonly Case[] = ['versioning', 'tagging', 'replication', 'encryption', 'acl'].flatMap((sub): readonly Case[] => {
  const code = sub === 'acl' ? 'MalformedACLError' : 'MalformedXML'
  return [
    [`${sub} with a DOCTYPE`, config(sub, xml('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')), 400, code],
    [`${sub} with an unknown entity`, config(sub, xml('<a>&lol;</a>')), 400, code],
    [`${sub} too deep`, config(sub, xml('<a>'.repeat(5000) + '</a>'.repeat(5000))), 400, code],
    [`${sub} of no document`, config(sub, xml('{"not": "xml"}')), 400, code],
    [`${sub} of another root`, config(sub, xml('<__proto__><constructor/></__proto__>')), 400, code],
  ]
})

const cases: readonly Case[] = [
  ...documents,
  ['a document too large', config('tagging', Buffer.alloc(1024 * 1024 + 1, ' ')), 400, 'MaxMessageLengthExceeded'],
  ['a key of 1025 bytes', put('k'.repeat(1025)), 400, 'KeyTooLongError'],
  ['a key with U+0000', put0(`/${bucket}/a%00b`), 400, 'InvalidArgument'],
  ['a key with a lone surrogate', put(Buffer.from([0xed, 0xa0, 0x80])), 400, 'InvalidURI'],
  ['a path that climbs above its bucket', put0(`/${bucket}/../../etc/passwd`), 400, 'InvalidURI'],
  ['a bucket name with capitals', put0('/UPPER'), 400, 'InvalidBucketName'],
  ['metadata of 2049 bytes', put('meta', { headers: [['x-amz-meta-a', 'v'.repeat(2048)]] }), 400, 'MetadataTooLarge'],
  ['a head of more than 8 KiB', put('head', { headers: [['x-amz-meta-a', 'v'.repeat(9000)]] }), 400, 'RequestHeaderSectionTooLarge'],
  [
    'two checksums',
    put('two', {
      headers: [
        ['x-amz-checksum-crc32', 'AAAAAA=='],
        ['x-amz-checksum-sha1', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
      ],
    }),
    400,
    'InvalidRequest',
  ],
  ['a wrong checksum', put('sum', { headers: [['x-amz-checksum-crc32', 'AAAAAA==']] }), 400, 'BadDigest'],
  ['a malformed checksum', put('sum', { headers: [['x-amz-checksum-crc32', 'nonsense']] }), 400, 'InvalidRequest'],
  ['a wrong Content-MD5', put('md5', { headers: [['content-md5', 'AAAAAAAAAAAAAAAAAAAAAA==']] }), 400, 'BadDigest'],
  ['a malformed Content-MD5', put('md5', { headers: [['content-md5', 'x']] }), 400, 'InvalidDigest'],
  ['a wrong payload hash', put('sha', { payload: 'a'.repeat(64) }), 400, 'XAmzContentSHA256Mismatch'],
  ['a wrong secret', put('secret', { secret: 'not it' }), 403, 'SignatureDoesNotMatch'],
  ['a clock of yesterday', put('old', { atMs: Date.now() - 86_400_000 }), 403, 'RequestTimeTooSkewed'],
  ['an unknown storage class', put('class', { headers: [['x-amz-storage-class', 'GOLD']] }), 400, 'InvalidStorageClass'],
  ['a class of other hardware', put('class', { headers: [['x-amz-storage-class', 'OUTPOSTS']] }), 501, 'NotImplemented'],
  ['SSE-KMS', put('kms', { headers: [['x-amz-server-side-encryption', 'aws:kms']] }), 501, 'NotImplemented'],
  ['SSE-C', put('ssec', { headers: [['x-amz-server-side-encryption-customer-algorithm', 'AES256']] }), 501, 'NotImplemented'],
  ['a lock without its date', put('lock', { headers: [['x-amz-object-lock-mode', 'GOVERNANCE']] }), 400, 'InvalidRequest'],
  [
    'eleven tags',
    put('tags', { headers: [['x-amz-tagging', Array.from({ length: 11 }, (_, i) => `k${i}=v`).join('&')]] }),
    400,
    'BadRequest',
  ],
  ['a header that only a region may set', put('peer', { unsignedHeaders: [['x-farshore-version-id', 'v']] }), 403, 'AccessDenied'],
  ['a length above 5 GiB', put('huge', { unsignedHeaders: [['content-length', String(5 * 1024 ** 3 + 1)]] }), 400, 'EntityTooLarge'],
  ['max-keys below zero', { method: 'GET', bucket, query: [['max-keys', '-1']] }, 400, 'InvalidArgument'],
  ['an ill-formed version id', { method: 'GET', bucket, key: 'k', query: [['versionId', '../x']] }, 400, 'InvalidArgument'],
  [
    'a part number of zero',
    put('part', {
      query: [
        ['partNumber', '0'],
        ['uploadId', '0'.repeat(32)],
      ],
    }),
    400,
    'InvalidArgument',
  ],
  ['an unknown method', { method: 'BREW', bucket }, 405, 'MethodNotAllowed'],
  ['an operation that is not there', { method: 'GET', bucket, query: [['analytics', '']] }, 501, 'NotImplemented'],
  ['the peers’ door', { method: 'POST', path: '/_peer/v1/replication/batch', body: Buffer.from('x') }, 403, 'AccessDenied'],
]

describe('bad input', () => {
  it.each(cases)('%s is refused by name, and stores nothing', async (_name, request, status, code) => {
    const answer = await ask(region.port, request)
    expect([answer.status, answer.code]).toEqual([status, code])
    expect(await listKeys(client, bucket)).toEqual([])
  })

  it('more than 1000 keys to delete are refused', async () => {
    const body = xml(`<Delete>${'<Object><Key>k</Key></Object>'.repeat(1001)}</Delete>`)
    const sum = Buffer.from(await crypto.subtle.digest('SHA-256', Uint8Array.from(body))).toString('base64')
    const answer = await ask(region.port, {
      method: 'POST',
      bucket,
      query: [['delete', '']],
      headers: [['x-amz-checksum-sha256', sum]],
      body,
    })
    expect([answer.status, answer.code]).toEqual([400, 'MalformedXML'])
  })

  it.each([
    ['shorter', 100, 10],
    ['empty', 5, 0],
  ])('a body %s than it says is no object', async (_name, says, sent) => {
    const { bytes } = requestBytes({
      method: 'PUT',
      bucket,
      key: 'short',
      body: Buffer.alloc(sent),
      unsignedHeaders: [['content-length', String(says)]],
    })
    const wire = new Wire(region.port)
    await wire.send(bytes)
    wire.end()
    const answer = await wire.answer()
    expect([0, 400]).toContain(answer.status)
    expect(await listKeys(client, bucket)).toEqual([])
  })

  it('odd names are kept as they are', async () => {
    const names = [
      '__proto__',
      'constructor',
      'a//b',
      '/lead',
      'trail/',
      'a/./b',
      'a/../b',
      '..a',
      'ключ',
      '\u{1f600}',
      'quote\'"<&>',
      'k'.repeat(1024),
      'a+b c%d',
    ]
    for (const key of names)
      expectStatus(
        await client.send({ method: 'PUT', bucket: odd, key, body: Buffer.from(key), headers: { 'x-amz-meta-__proto__': 'kept' } }),
        200,
      )
    for (const key of names) {
      const got = expectStatus(await client.send({ method: 'GET', bucket: odd, key }), 200)
      expect(got.body.toString()).toBe(key)
      expect(got.headers['x-amz-meta-__proto__']).toBe('kept')
      expectStatus(await client.send({ method: 'DELETE', bucket: odd, key }), 204)
    }
    expect(await listKeys(client, odd)).toEqual([])
  })

  it.each(['ab', 'a'.repeat(64), 'a..b', '192.168.0.1', 'xn--a', '-ab', 'ab-', 'a_b', 'ab\0', '__proto__', 'a-s3alias'])(
    '%j names no bucket',
    async (name) => {
      const answer = await ask(region.port, { method: 'PUT', bucket: name })
      expect([answer.status, answer.code]).toEqual([400, 'InvalidBucketName'])
    },
  )

  it('metadata of 2048 bytes is kept, names and values together', async () => {
    const value = 'v'.repeat(2047)
    expect((await ask(region.port, put('meta', { headers: [['x-amz-meta-a', value]] }))).status).toBe(200)
    const got = expectStatus(await client.send({ method: 'HEAD', bucket, key: 'meta' }), 200)
    expect(got.headers['x-amz-meta-a']).toBe(value)
    expectStatus(await client.send({ method: 'DELETE', bucket, key: 'meta' }), 204)
  })

  it.each([
    ['max-keys', []],
    ['max-keys', [['list-type', '2']]],
    ['max-keys', [['versions', '']]],
    ['max-uploads', [['uploads', '']]],
  ] satisfies readonly [string, Pairs][])('%s takes only a number from 0 on, with %j', async (name, query) => {
    for (const value of ['-1', '-0.5', 'NaN', '1.5', '0x10', '1e3', ' 1', 'ten', '-99999999999999999999']) {
      const answer = await ask(region.port, { method: 'GET', bucket, query: [...query, [name, value]] })
      expect([value, answer.status, answer.code]).toEqual([value, 400, 'InvalidArgument'])
    }
    // Served as the most there is, or refused.
    const answer = await ask(region.port, { method: 'GET', bucket, query: [...query, [name, '99999999999999999999']] })
    expect([200, 400]).toContain(answer.status)
  })

  it('bytes that are no HTTP, and heads without an end, end in an answer or a closed connection', async () => {
    for (const bytes of [
      '\0\0\0\0',
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nhost: a\r\n\r\n`,
      'PUT /x HTTP/1.1\r\ncontent-length: -5\r\n\r\n',
    ]) {
      const answer = await exchange(region.port, bytes)
      expect([0, 400, 403, 404, 405, 411, 431, 505]).toContain(answer.status)
    }
  })
})
