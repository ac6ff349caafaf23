import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { describe, expect, it } from 'vitest'
import { exchange, RawClient } from '../s3/support.ts'
import { accessKeyId, bytesOf, canonicalId, type RawRequest, refusal, secretAccessKey, useRegion } from '../support/region.ts'
import { signedHead } from '../support/sockets.ts'

const region = useRegion()
const client = () => region().client
const put = (Bucket: string, Key: string, input: Partial<PutObjectCommandInput> = {}) =>
  client().send(new PutObjectCommand({ Bucket, Key, Body: 'hello', ...input }))
const head = (Bucket: string, Key: string) => client().send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))
const read = async (Bucket: string, Key: string) => bytesOf((await client().send(new GetObjectCommand({ Bucket, Key }))).Body)
const raw = (request: Partial<RawRequest> & { path: string }) => region().raw({ method: 'PUT', body: 'hello', ...request })
const md5 = (text: string) => createHash('md5').update(text).digest('base64')

describe('PutObject', () => {
  it('stores the bytes and answers with their MD5 as ETag', async () => {
    const bucket = await region().makeBucket()
    const answer = await put(bucket, 'a/b')
    expect(answer.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"')
    expect(answer.VersionId).toBeUndefined()
    expect((await read(bucket, 'a/b')).toString()).toBe('hello')
  })

  it('stores empty, small and large bodies as they are', async () => {
    const bucket = await region().makeBucket()
    for (const size of [0, 1, 128 * 1024, 128 * 1024 + 1, 3 * 1024 * 1024 + 7]) {
      const Body = Buffer.alloc(size, `${size} `)
      await put(bucket, 'sized', { Body })
      expect((await read(bucket, 'sized')).equals(Body)).toBe(true)
    }
  })

  it('answers with a version id exactly when the bucket has versions', async () => {
    const enabled = await region().makeBucket({ versioning: 'Enabled' })
    const [first, second] = [await put(enabled, 'k'), await put(enabled, 'k')]
    expect(first.VersionId).toMatch(/^[0-9a-v]{32}$/)
    expect(second.VersionId).not.toBe(first.VersionId)
    expect((await put(await region().makeBucket({ versioning: 'Suspended' }), 'k')).VersionId).toBe('null')
  })

  it('replaces only the null version while versioning is suspended', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { VersionId } = await put(bucket, 'k', { Body: 'kept' })
    await region().setVersioning(bucket, 'Suspended')
    await put(bucket, 'k', { Body: 'one' })
    await put(bucket, 'k', { Body: 'two' })
    expect((await read(bucket, 'k')).toString()).toBe('two')
    const kept = await client().send(new GetObjectCommand({ Bucket: bucket, Key: 'k', VersionId }))
    expect((await bytesOf(kept.Body)).toString()).toBe('kept')
    const listing = await region().raw({ method: 'GET', path: `/${bucket}?versions` })
    expect(listing.text.match(/<Version>/g)).toHaveLength(2)
  })

  it('keeps user and system metadata, tags, storage class and redirect', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k', {
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'no-cache',
      ContentDisposition: 'attachment; filename="x"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de, en',
      Expires: new Date('2030-01-01T00:00:00Z'),
      WebsiteRedirectLocation: '/elsewhere',
      Metadata: { colour: 'blue', empty: '' },
      Tagging: 'a=1&b=two%20words',
      StorageClass: 'REDUCED_REDUNDANCY',
    })
    expect(await head(bucket, 'k')).toMatchObject({
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'no-cache',
      ContentDisposition: 'attachment; filename="x"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de, en',
      ExpiresString: 'Tue, 01 Jan 2030 00:00:00 GMT',
      WebsiteRedirectLocation: '/elsewhere',
      Metadata: { colour: 'blue', empty: '' },
      StorageClass: 'REDUCED_REDUNDANCY',
    })
    const { TagSet } = await client().send(new GetObjectTaggingCommand({ Bucket: bucket, Key: 'k' }))
    expect(TagSet).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: 'two words' },
    ])
  })

  it('says nothing of the storage class STANDARD, and binary/octet-stream without a content type', async () => {
    const bucket = await region().makeBucket()
    await raw({ path: `/${bucket}/k`, body: '' })
    const answer = await region().raw({ method: 'HEAD', path: `/${bucket}/k` })
    expect(answer.headers['x-amz-storage-class']).toBeUndefined()
    expect(answer.headers['content-type']).toBe('binary/octet-stream')
  })

  it('drops aws-chunked from the stored Content-Encoding', async () => {
    const bucket = await region().makeBucket()
    await raw({ path: `/${bucket}/k`, headers: { 'Content-Encoding': 'aws-chunked,gzip' } })
    expect((await head(bucket, 'k')).ContentEncoding).toBe('gzip')
  })

  it('takes keys as they are: doubled, leading and trailing slashes, dots, plus, percent and any script', async () => {
    const bucket = await region().makeBucket()
    const keys = ['a//b', '/lead', 'trail/', 'a/./b', 'a/../b', 'p+q', 'p%2Bq', 'sp ace', 'ä/日本/🙂', '__proto__', "'()*!~", 'a\u0001b']
    for (const Key of keys) await put(bucket, Key, { Body: Key })
    for (const Key of keys) expect((await read(bucket, Key)).toString()).toBe(Key)
  })

  it('keeps the precomposed and the decomposed form of a letter apart', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, '\u00e9', { Body: 'composed' })
    await put(bucket, 'e\u0301', { Body: 'decomposed' })
    expect((await read(bucket, '\u00e9')).toString()).toBe('composed')
  })

  it('takes a plus in the path for a plus and %20 for a space', async () => {
    const bucket = await region().makeBucket()
    const url = await getSignedUrl(client(), new PutObjectCommand({ Bucket: bucket, Key: 'one+two three' }))
    expect(url).toContain('/one%2Btwo%20three?')
    expect((await fetch(url.replace('%2B', '+'), { method: 'PUT', body: 'hello' })).status).toBe(200)
    expect((await read(bucket, 'one+two three')).toString()).toBe('hello')
  })

  it('takes the bucket from the host, and then the path for the key', async () => {
    const bucket = await region().makeBucket()
    const path = '/a/key'
    const head = signedHead(region(), {
      method: 'PUT',
      path,
      headers: { Host: `${bucket}.s3.test:${region().port}`, 'Content-Length': '5' },
    })
    expect((await exchange(region().port, `${head}hello`)).status).toBe(200)
    expect((await read(bucket, 'a/key')).toString()).toBe('hello')
  })

  it('takes a key of 1024 bytes and refuses one of 1025 with KeyTooLongError', async () => {
    const bucket = await region().makeBucket()
    expect((await put(bucket, 'ü'.repeat(512))).$metadata.httpStatusCode).toBe(200)
    expect(await refusal(put(bucket, `${'ü'.repeat(512)}x`))).toMatchObject({ code: 'KeyTooLongError', status: 400 })
  })

  it('refuses a key that climbs above the bucket with InvalidURI', async () => {
    const bucket = await region().makeBucket()
    const answer = await exchange(region().port, signedHead(region(), { method: 'PUT', path: `/${bucket}/a/../../b` }))
    expect([answer.status, /<Code>(\w+)/.exec(answer.body)?.[1]]).toEqual([400, 'InvalidURI'])
  })

  describe('checksums', () => {
    it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)('verifies, keeps and returns %s', async (ChecksumAlgorithm) => {
      const bucket = await region().makeBucket()
      const answer = await put(bucket, 'k', { ChecksumAlgorithm })
      const member = `Checksum${ChecksumAlgorithm}` as const
      expect(answer[member]).toMatch(/=$/)
      expect(answer.ChecksumType).toBe('FULL_OBJECT')
      expect((await head(bucket, 'k'))[member]).toBe(answer[member])
    })

    it('computes CRC64NVME when none is given, and tells it only in checksum mode', async () => {
      const bucket = await region().makeBucket()
      const answer = await raw({ path: `/${bucket}/k`, body: '123456789' })
      expect(answer.headers['x-amz-checksum-crc64nvme']).toBe('rosUhgp5mIg=')
      expect(answer.headers['x-amz-checksum-type']).toBe('FULL_OBJECT')
      expect((await head(bucket, 'k')).ChecksumCRC64NVME).toBe('rosUhgp5mIg=')
      const plain = await region().raw({ method: 'HEAD', path: `/${bucket}/k` })
      expect(plain.headers['x-amz-checksum-crc64nvme']).toBeUndefined()
    })

    it.each([
      ['a checksum that does not match', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
      ['a checksum that is none', { 'x-amz-checksum-crc32': 'AAAA' }, 'InvalidRequest'],
      ['two checksums', { 'x-amz-checksum-crc32': 'NhCmhg==', 'x-amz-checksum-sha1': 'qvTGHdzF6KLavt4PO0gs2a6pQ00=' }, 'InvalidRequest'],
      ['an algorithm without its checksum', { 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest'],
      ['a Content-MD5 that does not match', { 'Content-MD5': md5('other') }, 'BadDigest'],
      ['a Content-MD5 that is none', { 'Content-MD5': 'no' }, 'InvalidDigest'],
      [
        'a payload hash that does not match',
        { 'X-Amz-Content-Sha256': createHash('sha256').update('x').digest('hex') },
        'XAmzContentSHA256Mismatch',
      ],
    ])('refuses %s and stores nothing', async (_, headers, code) => {
      const bucket = await region().makeBucket()
      const answer = await raw({ path: `/${bucket}/k`, headers })
      expect([answer.status, answer.element('Code')]).toEqual([400, code])
      expect(await refusal(head(bucket, 'k'))).toMatchObject({ status: 404 })
    })

    it('refuses a large body whose checksum does not match, and leaves no file behind', async () => {
      const bucket = await region().makeBucket()
      const before = await filesIn(join(region().folder, 'blobs', 'files'))
      const answer = await raw({ path: `/${bucket}/k`, body: Buffer.alloc(1024 * 1024), headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } })
      expect([answer.status, answer.element('Code')]).toEqual([400, 'BadDigest'])
      expect(await filesIn(join(region().folder, 'blobs', 'files'))).toEqual(before)
    })

    it('takes a matching Content-MD5', async () => {
      const bucket = await region().makeBucket()
      expect((await raw({ path: `/${bucket}/k`, headers: { 'Content-MD5': md5('hello') } })).status).toBe(200)
    })

    it('verifies a checksum that comes as a trailer', async () => {
      const bucket = await region().makeBucket()
      const send = (value: string) => {
        const body = `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${value}\r\n\r\n`
        const headers = {
          'X-Amz-Content-Sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
          'X-Amz-Trailer': 'x-amz-checksum-crc32',
          'X-Amz-Decoded-Content-Length': '5',
          'Content-Encoding': 'aws-chunked',
        }
        return raw({ path: `/${bucket}/k`, body, headers })
      }
      const bad = await send('AAAAAA==')
      expect([bad.status, bad.element('Code')]).toEqual([400, 'BadDigest'])
      const good = await send('NhCmhg==')
      expect([good.status, good.headers['x-amz-checksum-crc32']]).toEqual([200, 'NhCmhg=='])
      expect((await head(bucket, 'k')).ContentEncoding).toBeUndefined()
    })
  })

  describe('encryption', () => {
    it('encrypts when the request asks for it, and no plaintext is on the disk', async () => {
      const bucket = await region().makeBucket()
      const secret = 'a sentence that must not stand on the disk'
      const answer = await put(bucket, 'k', { Body: secret, ServerSideEncryption: 'AES256' })
      expect(answer.ServerSideEncryption).toBe('AES256')
      expect((await head(bucket, 'k')).ServerSideEncryption).toBe('AES256')
      expect((await read(bucket, 'k')).toString()).toBe(secret)
      for (const file of await filesIn(region().folder)) expect((await readFile(file)).includes(secret)).toBe(false)
    })

    it('encrypts when the bucket says so, and otherwise not', async () => {
      const encrypted = await region().makeBucket({
        settings: { ownership: 'BucketOwnerEnforced', encryption: { SSEAlgorithm: 'AES256' } },
      })
      expect((await put(encrypted, 'k')).ServerSideEncryption).toBe('AES256')
      expect((await put(await region().makeBucket(), 'k')).ServerSideEncryption).toBeUndefined()
    })

    it.each([
      ['SSE-KMS', { 'x-amz-server-side-encryption': 'aws:kms' }],
      ['SSE-C', { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' }],
      ['the class OUTPOSTS', { 'x-amz-storage-class': 'OUTPOSTS' }],
      ['a checksum algorithm that is not computed', { 'x-amz-checksum-md5': 'XUFAKrxLKna5cZ2REBfFkg==' }],
    ])('answers 501 by name for %s and stores nothing', async (_, headers) => {
      const bucket = await region().makeBucket()
      const answer = await raw({ path: `/${bucket}/k`, headers })
      expect([answer.status, answer.element('Code')]).toEqual([501, 'NotImplemented'])
      expect(answer.element('Message')).toContain(Object.keys(headers)[0])
      expect(await refusal(head(bucket, 'k'))).toMatchObject({ status: 404 })
    })
  })

  describe('ACL', () => {
    const withAcls = { settings: { ownership: 'ObjectWriter' } } as const

    it('refuses an ACL with AccessControlListNotSupported where ACLs are off, except the one that changes nothing', async () => {
      const bucket = await region().makeBucket()
      expect(await refusal(put(bucket, 'k', { ACL: 'public-read' }))).toMatchObject({ code: 'AccessControlListNotSupported', status: 400 })
      expect(await refusal(put(bucket, 'k', { ACL: 'private' }))).toMatchObject({ code: 'AccessControlListNotSupported' })
      expect((await put(bucket, 'k', { ACL: 'bucket-owner-full-control' })).$metadata.httpStatusCode).toBe(200)
    })

    it('refuses a public ACL with 403 where public ACLs are blocked', async () => {
      const block = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true }
      const bucket = await region().makeBucket({ settings: { ownership: 'ObjectWriter', publicAccessBlock: block } })
      expect(await refusal(put(bucket, 'k', { ACL: 'public-read' }))).toMatchObject({ code: 'AccessDenied', status: 403 })
      expect((await put(bucket, 'k', { ACL: 'private' })).$metadata.httpStatusCode).toBe(200)
    })

    it('keeps a canned ACL and grants from headers', async () => {
      const bucket = await region().makeBucket(withAcls)
      await put(bucket, 'canned', { ACL: 'public-read' })
      const canned = await client().send(new GetObjectAclCommand({ Bucket: bucket, Key: 'canned' }))
      expect(canned.Grants?.map(({ Grantee, Permission }) => [Grantee?.URI ?? Grantee?.ID, Permission])).toEqual([
        [canonicalId, 'FULL_CONTROL'],
        ['http://acs.amazonaws.com/groups/global/AllUsers', 'READ'],
      ])
      await put(bucket, 'granted', { GrantRead: `id="${canonicalId}"` })
      const granted = await client().send(new GetObjectAclCommand({ Bucket: bucket, Key: 'granted' }))
      expect(granted.Grants?.map(({ Permission }) => Permission)).toEqual(['READ'])
    })

    it('refuses canned ACL and grants together with InvalidRequest, and unknown grantees with InvalidArgument', async () => {
      const bucket = await region().makeBucket(withAcls)
      const both = { ACL: 'private', GrantRead: `id="${canonicalId}"` } as const
      expect(await refusal(put(bucket, 'k', both))).toMatchObject({ code: 'InvalidRequest', status: 400 })
      expect(await refusal(put(bucket, 'k', { GrantRead: 'id="nobody"' }))).toMatchObject({ code: 'InvalidArgument', status: 400 })
    })
  })

  describe('limits', () => {
    it.each([
      ['user metadata of more than 2 KiB', { 'x-amz-meta-a': 'x'.repeat(2048) }, 'MetadataTooLarge'],
      ['an unknown storage class', { 'x-amz-storage-class': 'GOLD' }, 'InvalidStorageClass'],
      ['a redirect to nowhere', { 'x-amz-website-redirect-location': 'elsewhere' }, 'InvalidRedirectLocation'],
      ['more than ten tags', { 'x-amz-tagging': Array.from({ length: 11 }, (__, i) => `k${i}=v`).join('&') }, 'BadRequest'],
      ['a repeated tag', { 'x-amz-tagging': 'a=1&a=2' }, 'InvalidTag'],
      ['a tag key of 129 characters', { 'x-amz-tagging': `${'k'.repeat(129)}=v` }, 'InvalidTag'],
      ['a tag value of 257 characters', { 'x-amz-tagging': `k=${'v'.repeat(257)}` }, 'InvalidTag'],
      ['an unknown encryption', { 'x-amz-server-side-encryption': 'ROT13' }, 'InvalidArgument'],
      ['a body of more than 5 GiB', { 'Content-Length': String(5 * 1024 ** 3 + 1) }, 'EntityTooLarge'],
    ])('refuses %s with its code', async (_, headers, code) => {
      const bucket = await region().makeBucket()
      const all = { 'Content-Length': '0', ...headers, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD', Expect: '100-continue' }
      const answer = await exchange(region().port, signedHead(region(), { method: 'PUT', path: `/${bucket}/k`, headers: all }))
      expect([answer.status, /<Code>(\w+)/.exec(answer.body)?.[1]]).toEqual([400, code])
    })

    it('refuses a body without a length with 411 MissingContentLength, chunked or not', async () => {
      const bucket = await region().makeBucket()
      const headers = { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' }
      const path = `/${bucket}/k`
      const none = await exchange(region().port, signedHead(region(), { method: 'PUT', path, headers }))
      expect([none.status, /<Code>(\w+)/.exec(none.body)?.[1]]).toEqual([411, 'MissingContentLength'])
      const chunked = signedHead(region(), { method: 'PUT', path, headers: { ...headers, 'Transfer-Encoding': 'chunked' } })
      expect((await exchange(region().port, `${chunked}5\r\nhello\r\n0\r\n\r\n`)).status).toBe(411)
    })

    it('stores nothing of a body that ends too early', async () => {
      const bucket = await region().makeBucket()
      const cut = new RawClient(region().port)
      const headers = { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD', 'Content-Length': '1000000' }
      cut.send(signedHead(region(), { method: 'PUT', path: `/${bucket}/k`, headers }))
      cut.send('only this')
      cut.halfClose()
      await cut.ended()
      expect(await refusal(head(bucket, 'k'))).toMatchObject({ status: 404 })
    })
  })

  it('refuses another expected bucket owner with AccessDenied', async () => {
    const bucket = await region().makeBucket()
    expect(await refusal(put(bucket, 'k', { ExpectedBucketOwner: '999999999999' }))).toMatchObject({ code: 'AccessDenied', status: 403 })
    expect((await put(bucket, 'k', { ExpectedBucketOwner: '123456789012' })).$metadata.httpStatusCode).toBe(200)
  })

  it('asks for the right to tag and to set an ACL beside the right to put', async () => {
    const bucket = await region().makeBucket({ settings: { ownership: 'ObjectWriter' } })
    const asked: string[] = []
    region().deny = ({ action }) => void asked.push(action)
    await put(bucket, 'k', { Tagging: 'a=1', ACL: 'private' })
    region().deny = () => {}
    expect(asked).toEqual(['s3:PutObject', 's3:PutObjectTagging', 's3:PutObjectAcl'])
  })

  it('takes what a presigned URL carries in its query as the headers they were', async () => {
    const bucket = await region().makeBucket()
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: 'k',
      StorageClass: 'STANDARD_IA',
      Metadata: { colour: 'blue' },
      Tagging: 'a=1',
    })
    const url = await getSignedUrl(client(), command)
    // The SDK signs the checksum of an empty body, which is not that of what is sent.
    expect(url).toContain('x-amz-checksum-crc32=AAAAAA')
    expect((await fetch(url, { method: 'PUT', body: 'through a link' })).status).toBe(200)
    expect(await head(bucket, 'k')).toMatchObject({ StorageClass: 'STANDARD_IA', Metadata: { colour: 'blue' } })
    expect((await read(bucket, 'k')).toString()).toBe('through a link')
  })

  it('answers 404 NoSuchBucket', async () => {
    expect(await refusal(put('no-such-bucket', 'k'))).toMatchObject({ code: 'NoSuchBucket', status: 404 })
  })

  it('carries its request ids in headers and in the error', async () => {
    const answer = await raw({ path: '/no-such-bucket/k' })
    expect(answer.headers['x-amz-request-id']).toBe(answer.element('RequestId'))
    expect(answer.headers['x-amz-id-2']).toBe(answer.element('HostId'))
    expect([accessKeyId, secretAccessKey].some((text) => answer.text.includes(text))).toBe(false)
  })
})

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
