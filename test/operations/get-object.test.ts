import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { describe, expect, it } from 'vitest'
import { exchange } from '../s3/support.ts'
import { bytesOf, denying, type RawRequest, refusal, useRegion } from '../support/region.ts'
import { signedHead } from '../support/sockets.ts'

const region = useRegion()
const client = () => region().client
const put = (Bucket: string, Key: string, input: Partial<PutObjectCommandInput> = {}) =>
  client().send(new PutObjectCommand({ Bucket, Key, Body: '0123456789', ...input }))
const get = (Bucket: string, Key: string, input: Partial<GetObjectCommandInput> = {}) =>
  client().send(new GetObjectCommand({ Bucket, Key, ...input }))
const raw = (path: string, headers: Record<string, string> = {}, more: Partial<RawRequest> = {}) =>
  region().raw({ method: 'GET', path, headers, ...more })
const future = 'Fri, 01 Jan 2100 00:00:00 GMT'
const past = 'Sat, 01 Jan 2000 00:00:00 GMT'
const mib = 1024 * 1024

async function stored(versioning: 'Unversioned' | 'Enabled' = 'Unversioned') {
  const bucket = await region().makeBucket({ versioning })
  const { ETag = '', VersionId } = await put(bucket, 'k', { CacheControl: 'max-age=60' })
  return { bucket, path: `/${bucket}/k`, etag: ETag, versionId: VersionId }
}

describe('GetObject', () => {
  it('answers with the bytes, ETag, Last-Modified in seconds and accept-ranges', async () => {
    const { path, etag } = await stored()
    const answer = await raw(path)
    expect([answer.status, answer.text]).toEqual([200, '0123456789'])
    expect(answer.headers).toMatchObject({ etag, 'accept-ranges': 'bytes', 'content-length': '10', 'cache-control': 'max-age=60' })
    expect(answer.headers['last-modified']).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
    expect(answer.headers['x-amz-version-id']).toBeUndefined()
  })

  it('gives metadata back byte for byte, and counts tags', async () => {
    const bucket = await region().makeBucket()
    const given = { 'x-amz-meta-colour': 'grün', 'Content-Disposition': 'attachment; filename="日本.txt"', 'x-amz-tagging': 'a=1&b=2' }
    const head = signedHead(region(), { method: 'PUT', path: `/${bucket}/k`, headers: { ...given, 'Content-Length': '1' } })
    expect((await exchange(region().port, `${head}x`)).status).toBe(200)
    const { headers } = await raw(`/${bucket}/k`)
    expect(Buffer.from(String(headers['x-amz-meta-colour']), 'latin1').toString()).toBe('grün')
    expect(Buffer.from(String(headers['content-disposition']), 'latin1').toString()).toBe('attachment; filename="日本.txt"')
    expect(headers['x-amz-tagging-count']).toBe('2')
  })

  it('answers NoSuchKey with the key for what is not there', async () => {
    const bucket = await region().makeBucket()
    const answer = await raw(`/${bucket}/a%20b`)
    expect([answer.status, answer.element('Code'), answer.element('Key')]).toEqual([404, 'NoSuchKey', 'a b'])
  })

  it('answers 403 instead of 404 to whoever may not list the bucket', async () => {
    const bucket = await region().makeBucket()
    region().deny = denying('s3:ListBucket')
    const answer = await raw(`/${bucket}/missing`)
    region().deny = () => {}
    expect([answer.status, answer.element('Code')]).toEqual([403, 'AccessDenied'])
    expect((await raw(`/${bucket}/missing`)).status).toBe(404)
  })

  it('answers 403 to a request without a signature', async () => {
    const { path } = await stored()
    expect((await raw(path, {}, { signed: false })).status).toBe(403)
  })

  describe('versions', () => {
    it('answers with a named version, the null version included', async () => {
      const bucket = await region().makeBucket()
      await put(bucket, 'k', { Body: 'null version' })
      await region().setVersioning(bucket, 'Enabled')
      const { VersionId } = await put(bucket, 'k', { Body: 'second' })
      await put(bucket, 'k', { Body: 'third' })
      const bodyOf = async (versionId?: string) => (await bytesOf((await get(bucket, 'k', { VersionId: versionId })).Body)).toString()
      expect(await bodyOf()).toBe('third')
      expect(await bodyOf(VersionId)).toBe('second')
      expect(await bodyOf('null')).toBe('null version')
      expect((await get(bucket, 'k', { VersionId: 'null' })).VersionId).toBe('null')
    })

    it('answers InvalidArgument for an ill-formed version id, NoSuchVersion for an unknown one', async () => {
      const { path } = await stored('Enabled')
      for (const id of ['not-an-id', '']) {
        const answer = await raw(`${path}?versionId=${id}`)
        expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidArgument'])
      }
      expect((await raw(`${path}?versionId=not-an-id`)).element('Message')).toBe('Invalid version id specified')
      const unknown = await raw(`${path}?versionId=${'0'.repeat(32)}`)
      expect([unknown.status, unknown.element('Code')]).toEqual([404, 'NoSuchVersion'])
      expect((await raw(`${path}?versionId=null`)).element('Code')).toBe('NoSuchVersion')
    })

    it('answers 404 with the marker named when the current version is a delete marker', async () => {
      const { bucket, path } = await stored('Enabled')
      const { VersionId } = await client().send(new DeleteObjectCommand({ Bucket: bucket, Key: 'k' }))
      const answer = await raw(path)
      expect([answer.status, answer.element('Code')]).toEqual([404, 'NoSuchKey'])
      expect(answer.headers).toMatchObject({ 'x-amz-delete-marker': 'true', 'x-amz-version-id': VersionId })
    })

    it('answers 405 with Allow and Last-Modified for the version id of a delete marker', async () => {
      const { bucket, path } = await stored('Enabled')
      const { VersionId } = await client().send(new DeleteObjectCommand({ Bucket: bucket, Key: 'k' }))
      const answer = await raw(`${path}?versionId=${VersionId}`)
      expect([answer.status, answer.element('Code')]).toEqual([405, 'MethodNotAllowed'])
      expect(answer.headers).toMatchObject({ allow: 'DELETE', 'x-amz-delete-marker': 'true', 'x-amz-version-id': VersionId })
      expect(answer.headers['last-modified']).toMatch(/GMT$/)
    })
  })

  describe('conditions', () => {
    it('answers 412 to another If-Match and to a late If-Unmodified-Since', async () => {
      const { path, etag } = await stored()
      expect((await raw(path, { 'If-Match': '"x"' })).status).toBe(412)
      expect((await raw(path, { 'If-Match': etag })).status).toBe(200)
      const late = await raw(path, { 'If-Unmodified-Since': past })
      expect([late.status, late.element('Code')]).toEqual([412, 'PreconditionFailed'])
    })

    it('lets a true If-Match win over a false If-Unmodified-Since', async () => {
      const { path, etag } = await stored()
      expect((await raw(path, { 'If-Match': etag, 'If-Unmodified-Since': past })).status).toBe(200)
    })

    it('answers 304 with ETag and without a body, and keeps what caches need', async () => {
      const { path, etag, versionId } = await stored('Enabled')
      const answer = await raw(path, { 'If-None-Match': etag })
      expect([answer.status, answer.body.length]).toEqual([304, 0])
      expect(answer.headers).toMatchObject({ etag, 'cache-control': 'max-age=60', 'x-amz-version-id': versionId })
      expect(answer.headers['last-modified']).toMatch(/GMT$/)
      expect((await raw(path, { 'If-Modified-Since': future })).status).toBe(304)
    })

    it('lets a false If-None-Match win over a true If-Modified-Since', async () => {
      const { path, etag } = await stored()
      expect((await raw(path, { 'If-None-Match': etag, 'If-Modified-Since': past })).status).toBe(304)
      expect((await raw(path, { 'If-None-Match': '"x"', 'If-Modified-Since': future })).status).toBe(200)
    })
  })

  describe('ranges', () => {
    it.each([
      ['bytes=0-4', '01234', 'bytes 0-4/10'],
      ['bytes=5-', '56789', 'bytes 5-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'],
      ['bytes=8-100', '89', 'bytes 8-9/10'],
      ['bytes=-100', '0123456789', 'bytes 0-9/10'],
    ])('answers %s with 206 and those bytes', async (range, text, contentRange) => {
      const { path } = await stored()
      const answer = await raw(path, { Range: range })
      expect([answer.status, answer.text, answer.headers['content-range']]).toEqual([206, text, contentRange])
      expect(answer.headers['content-length']).toBe(String(text.length))
    })

    it.each(['bytes=0-1,3-4', 'bytes=4-2', 'items=0-1', 'bytes=x'])('ignores %s and sends the whole object', async (range) => {
      const { path } = await stored()
      const answer = await raw(path, { Range: range })
      expect([answer.status, answer.text, answer.headers['content-range']]).toEqual([200, '0123456789', undefined])
    })

    it.each(['bytes=10-', 'bytes=-0'])('answers %s with 416 InvalidRange and the size', async (range) => {
      const { path } = await stored()
      const answer = await raw(path, { Range: range })
      expect([answer.status, answer.element('Code')]).toEqual([416, 'InvalidRange'])
      expect([answer.element('ActualObjectSize'), answer.element('RangeRequested')]).toEqual(['10', range])
    })

    it('answers any range of an empty object with 416', async () => {
      const bucket = await region().makeBucket()
      await region().raw({ method: 'PUT', path: `/${bucket}/empty` })
      expect((await raw(`/${bucket}/empty`, { Range: 'bytes=0-0' })).status).toBe(416)
      expect((await raw(`/${bucket}/empty`)).headers['content-length']).toBe('0')
    })

    it('reads ranges of large and of encrypted objects across their blocks', async () => {
      const bucket = await region().makeBucket()
      const Body = Buffer.from(Array.from({ length: 3 * mib }, (_, i) => (i * 7 + (i >> 8)) & 255))
      for (const ServerSideEncryption of [undefined, 'AES256'] as const) {
        await put(bucket, 'large', { Body, ServerSideEncryption })
        const answer = await get(bucket, 'large', { Range: 'bytes=65530-2200000' })
        expect((await bytesOf(answer.Body)).equals(Body.subarray(65530, 2200001))).toBe(true)
      }
    })

    it('sends the whole object when If-Range names another version of it', async () => {
      const { path, etag } = await stored()
      expect((await raw(path, { Range: 'bytes=0-4', 'If-Range': etag })).status).toBe(206)
      expect((await raw(path, { Range: 'bytes=0-4', 'If-Range': '"x"' })).status).toBe(200)
    })
  })

  describe('part numbers', () => {
    it('answers a part with 206, its range and the number of parts', async () => {
      const bucket = await region().makeBucket()
      const parts = [Buffer.alloc(5 * mib, 1), Buffer.from('the rest')]
      await multipart(bucket, 'k', parts)
      const first = await get(bucket, 'k', { PartNumber: 1 })
      expect((await bytesOf(first.Body)).equals(parts[0] ?? Buffer.alloc(0))).toBe(true)
      const second = await get(bucket, 'k', { PartNumber: 2 })
      expect((await bytesOf(second.Body)).toString()).toBe('the rest')
      expect(second).toMatchObject({ PartsCount: 2, ContentRange: `bytes ${5 * mib}-${5 * mib + 7}/${5 * mib + 8}`, ContentLength: 8 })
      expect(second.$metadata.httpStatusCode).toBe(206)
      expect((await region().raw({ method: 'HEAD', path: `/${bucket}/k` })).headers['x-amz-mp-parts-count']).toBeUndefined()
      expect(await refusal(get(bucket, 'k', { PartNumber: 3 }))).toMatchObject({ code: 'InvalidPartNumber', status: 416 })
    })

    it('takes a plain object for its own part 1, and answers 400 InvalidPart for others', async () => {
      const { bucket } = await stored()
      const answer = await get(bucket, 'k', { PartNumber: 1 })
      expect([answer.$metadata.httpStatusCode, answer.ContentRange, answer.PartsCount]).toEqual([206, 'bytes 0-9/10', undefined])
      expect(await refusal(get(bucket, 'k', { PartNumber: 2 }))).toMatchObject({ code: 'InvalidPart', status: 400 })
    })

    it('refuses a part number together with a range, and one that is none', async () => {
      const { bucket, path } = await stored()
      expect(await refusal(get(bucket, 'k', { PartNumber: 1, Range: 'bytes=0-1' }))).toMatchObject({ code: 'InvalidRequest', status: 400 })
      for (const number of ['0', '10001', 'x']) expect((await raw(`${path}?partNumber=${number}`)).element('Code')).toBe('InvalidArgument')
    })
  })

  describe('checksum mode', () => {
    it('satisfies an SDK that sends a checksum with every write and asks for one with every read', async () => {
      const bucket = await region().makeBucket()
      const written = await put(bucket, 'k')
      const answer = await get(bucket, 'k')
      expect([written.ChecksumCRC32, answer.ChecksumCRC32, answer.ChecksumType]).toEqual(['poTHxg==', 'poTHxg==', 'FULL_OBJECT'])
      // The SDK itself compares while it reads.
      expect((await bytesOf(answer.Body)).toString()).toBe('0123456789')
    })

    it('tells the checksum of the whole object, and of no range of it', async () => {
      const { path } = await stored()
      const mode = { 'x-amz-checksum-mode': 'ENABLED' }
      const whole = await raw(path, mode)
      expect(whole.headers['x-amz-checksum-crc32']).toBe('poTHxg==')
      expect(whole.headers['x-amz-checksum-type']).toBe('FULL_OBJECT')
      expect((await raw(path, { ...mode, Range: 'bytes=0-3' })).headers['x-amz-checksum-crc32']).toBeUndefined()
      expect((await raw(path)).headers['x-amz-checksum-crc32']).toBeUndefined()
    })

    it('tells a part its own checksum when the whole is made of the parts’', async () => {
      const bucket = await region().makeBucket()
      const checksums = await multipart(bucket, 'k', [Buffer.alloc(5 * mib, 1), Buffer.from('the rest')], 'SHA256')
      const part = await get(bucket, 'k', { PartNumber: 2, ChecksumMode: 'ENABLED' })
      expect([part.ChecksumSHA256, part.ChecksumType]).toEqual([checksums[1], 'COMPOSITE'])
      await bytesOf(part.Body)
      const whole = await get(bucket, 'k', { ChecksumMode: 'ENABLED' })
      expect(whole.ChecksumSHA256).toMatch(/=-2$/)
      await bytesOf(whole.Body)
    })
  })

  describe('response overrides', () => {
    it('puts what a signed query asks for on the answer', async () => {
      const { bucket } = await stored()
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: 'k',
        ResponseContentType: 'text/html',
        ResponseContentDisposition: 'attachment; filename="ü.html"',
        ResponseCacheControl: 'no-store',
        ResponseContentEncoding: 'identity',
        ResponseContentLanguage: 'fr',
        ResponseExpires: new Date(0),
      })
      const answer = await fetch(await getSignedUrl(client(), command))
      expect([answer.status, await answer.text()]).toEqual([200, '0123456789'])
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'text/html',
        'content-disposition': 'attachment; filename="ü.html"',
        'cache-control': 'no-store',
        'content-encoding': 'identity',
        'content-language': 'fr',
        expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
      })
    })

    it('refuses them without a signature with InvalidRequest', async () => {
      const { path } = await stored()
      const answer = await raw(`${path}?response-content-type=text%2Fhtml`, {}, { signed: false })
      expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidRequest'])
    })

    it.each(['%E6%97%A5', 'a%0D%0AX-Evil:1'])('refuses the value %s, which no header can hold, with InvalidArgument', async (value) => {
      const { path } = await stored()
      const answer = await raw(`${path}?response-content-type=${value}`)
      expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidArgument'])
      expect(answer.headers['x-evil']).toBeUndefined()
    })
  })

  it('answers 501 by name to a read with a customer’s key', async () => {
    const { path } = await stored()
    const answer = await raw(path, { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' })
    expect([answer.status, answer.element('Code')]).toEqual([501, 'NotImplemented'])
  })

  it('answers every read of a key that is overwritten all the time with one whole version', async () => {
    const bucket = await region().makeBucket()
    const body = (round: number) => Buffer.alloc(200 * 1024, round)
    await put(bucket, 'hot', { Body: body(0) })
    const writer = async () => {
      for (let round = 1; round <= 40; round++) await put(bucket, 'hot', { Body: body(round) })
    }
    const reader = async () => {
      for (let i = 0; i < 40; i++) {
        const bytes = await bytesOf((await get(bucket, 'hot')).Body)
        expect(bytes.equals(body(bytes[0] ?? 0))).toBe(true)
      }
    }
    await Promise.all([writer(), reader(), reader()])
    expect(region().log.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('sends an object to its end although it is deleted while it is read', async () => {
    const bucket = await region().makeBucket()
    const Body = Buffer.alloc(24 * mib, 7)
    await put(bucket, 'k', { Body })
    const answer = await get(bucket, 'k')
    await client().send(new DeleteObjectCommand({ Bucket: bucket, Key: 'k' }))
    expect((await bytesOf(answer.Body)).equals(Body)).toBe(true)
  })
})

/** @returns the parts' SHA256, when they were asked for */
async function multipart(
  Bucket: string,
  Key: string,
  bodies: readonly Buffer[],
  ChecksumAlgorithm?: 'SHA256',
): Promise<readonly (string | undefined)[]> {
  const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm }))
  const Parts = []
  for (const [index, Body] of bodies.entries()) {
    const part = { Bucket, Key, UploadId, PartNumber: index + 1, Body, ChecksumAlgorithm }
    const { ETag, ChecksumSHA256 } = await client().send(new UploadPartCommand(part))
    Parts.push({ PartNumber: index + 1, ETag, ChecksumSHA256 })
  }
  await client().send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))
  return Parts.map(({ ChecksumSHA256 }) => ChecksumSHA256)
}
