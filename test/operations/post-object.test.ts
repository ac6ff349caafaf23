import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GetObjectCommand, GetObjectTaggingCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { createPresignedPost } from '@aws-sdk/s3-presigned-post'
import { describe, expect, it } from 'vitest'
import { eventually } from '../blobs/harness.ts'
import { RawClient } from '../s3/support.ts'
import { type FormOptions, form, multipart, type Part } from '../support/forms.ts'
import { bytesOf, useRegion } from '../support/region.ts'

const region = useRegion()
const head = (Bucket: string, Key: string) => region().client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))
const read = async (Bucket: string, Key: string) => bytesOf((await region().client.send(new GetObjectCommand({ Bucket, Key }))).Body)
const keysIn = async (Bucket: string) =>
  ((await region().client.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key)

async function post(bucket: string, parts: readonly Part[], options: { readonly contentType?: string; readonly query?: string } = {}) {
  const { body, contentType } = multipart(parts)
  const answer = await fetch(`${region().endpoint}/${bucket}${options.query ?? ''}`, {
    method: 'POST',
    headers: { 'content-type': options.contentType ?? contentType },
    body: new Uint8Array(body),
    redirect: 'manual',
  })
  const text = await answer.text()
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  return { status: answer.status, headers: answer.headers, text, code: element('Code'), message: element('Message'), element }
}

/** A form that would be accepted, changed by a test. */
async function postForm(bucket: string, options: FormOptions = {}) {
  return await post(bucket, form(bucket, options))
}

describe('PostObject', () => {
  it('stores what the SDK makes a form for, and answers 204 with the address', async () => {
    const Bucket = await region().makeBucket()
    const { url, fields } = await createPresignedPost(region().client, {
      Bucket,
      Key: ['dir/$', '{filename}'].join(''),
      Conditions: [['content-length-range', 1, 100]],
    })
    const data = new FormData()
    for (const [name, value] of Object.entries(fields)) data.append(name, value)
    data.append('file', new Blob(['hello']), 'C:\\pictures/é 1.txt')
    const answer = await fetch(url, { method: 'POST', body: data })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('etag')).toBe('"5d41402abc4b2a76b9719d911017c592"')
    expect(answer.headers.get('location')).toBe(`${region().endpoint}/${Bucket}/dir/%C3%A9%201.txt`)
    expect((await read(Bucket, 'dir/é 1.txt')).toString()).toBe('hello')
  })

  it('stores every field as PutObject stores its header', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const fields = {
      acl: 'bucket-owner-full-control',
      'Content-Type': 'image/png',
      'Cache-Control': 'no-cache',
      'Content-Disposition': 'attachment',
      'Content-Encoding': 'gzip',
      Expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
      'x-amz-meta-Colour': 'grün',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-server-side-encryption': 'AES256',
      'x-amz-checksum-crc32': 'NhCmhg==',
      'x-amz-website-redirect-location': '/elsewhere',
      tagging: '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>',
    }
    const answer = await postForm(bucket, { fields })
    expect(answer.text).toBe('')
    expect(answer.headers.get('x-amz-version-id')).toMatch(/^[0-9a-v]{32}$/)
    expect(answer.headers.get('x-amz-checksum-crc32')).toBe('NhCmhg==')
    expect(await head(bucket, 'k')).toMatchObject({
      ContentType: 'image/png',
      CacheControl: 'no-cache',
      ContentDisposition: 'attachment',
      ContentEncoding: 'gzip',
      ExpiresString: fields.Expires,
      StorageClass: 'REDUCED_REDUNDANCY',
      ServerSideEncryption: 'AES256',
      ChecksumCRC32: 'NhCmhg==',
      WebsiteRedirectLocation: '/elsewhere',
      Metadata: { colour: Buffer.from('grün').toString('latin1') },
      VersionId: answer.headers.get('x-amz-version-id'),
    })
    const tags = await region().client.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: 'k' }))
    expect(tags.TagSet).toEqual([{ Key: 'a', Value: 'b' }])
  })

  it.each([0, 1, 70_000, 128 * 1024 + 1, 5 * 1024 * 1024 + 3])('stores a file of %d bytes', async (size) => {
    const bucket = await region().makeBucket()
    const content = Buffer.alloc(size, `\r\n--x${size}`)
    expect((await postForm(bucket, { content })).status).toBe(204)
    expect((await read(bucket, 'k')).equals(content)).toBe(true)
  })

  it('answers 200, 201 with a document, or 303 with the address extended', async () => {
    const bucket = await region().makeBucket()
    expect((await postForm(bucket, { fields: { success_action_status: '200' } })).status).toBe(200)
    expect((await postForm(bucket, { fields: { success_action_status: '404' } })).status).toBe(204)
    const created = await postForm(bucket, { key: 'a b&c', fields: { success_action_status: '201' } })
    expect(created.status).toBe(201)
    expect(created.element('Bucket')).toBe(bucket)
    expect(created.element('Key')).toBe('a b&amp;c')
    expect(created.element('Location')).toBe(`${region().endpoint}/${bucket}/a%20b%26c`)
    expect(created.element('ETag')).toBe('&quot;5d41402abc4b2a76b9719d911017c592&quot;')
    const redirected = await postForm(bucket, { key: 'ä', fields: { success_action_redirect: 'http://example.com/done?a=1' } })
    expect(redirected.status).toBe(303)
    expect(redirected.headers.get('location')).toBe(
      `http://example.com/done?a=1&bucket=${bucket}&key=%C3%A4&etag=%225d41402abc4b2a76b9719d911017c592%22`,
    )
    expect((await postForm(bucket, { fields: { success_action_redirect: 'javascript:alert(1)' } })).status).toBe(204)
  })

  it('ignores what comes after the file, and fields that begin with x-ignore-', async () => {
    const bucket = await region().makeBucket()
    const after = await post(bucket, [...form(bucket), ['Content-Type', 'text/html'], ['unlisted', 'x'.repeat(30_000)]])
    expect(after.status).toBe(204)
    expect((await head(bucket, 'k')).ContentType).toBe('binary/octet-stream')
    expect((await postForm(bucket, { unlisted: { 'x-ignore-me': '\n' } })).status).toBe(204)
  })

  it('holds every value of a content type list against starts-with', async () => {
    const bucket = await region().makeBucket()
    const conditions = [['StArTs-WiTh', '$CONTENT-type', 'image/']]
    const send = (type: string) => postForm(bucket, { conditions, unlisted: { 'Content-Type': type } })
    expect((await send('image/png, image/gif')).status).toBe(204)
    expect((await send('image/png, text/html')).code).toBe('AccessDenied')
  })
})

describe('PostObject refuses, and stores nothing,', () => {
  const other = 'some-other-bucket'
  const refusals: [what: string, code: string, options: FormOptions, message?: string][] = [
    ['a form for another bucket', 'AccessDenied', { policyBucket: other }, `Invalid according to Policy: Policy Condition failed: `],
    ['a form for another bucket that has a field bucket', 'AccessDenied', { policyBucket: other, fields: { bucket: other } }],
    [
      'a policy that names no bucket',
      'AccessDenied',
      { policyBucket: undefined },
      'Invalid according to Policy: Policy missing condition: bucket',
    ],
    [
      'an unlisted field',
      'AccessDenied',
      { unlisted: { 'x-amz-meta-a': 'b' } },
      'Invalid according to Policy: Extra input fields: x-amz-meta-a',
    ],
    ['an unlisted acl', 'AccessDenied', { unlisted: { acl: 'public-read' } }],
    ['a key outside the prefix', 'AccessDenied', { conditions: [['starts-with', '$key', 'mine/']] }],
    ['a listed field that is not there', 'AccessDenied', { conditions: [['starts-with', '$x-amz-meta-a', '']] }],
    ['an expired policy', 'AccessDenied', { expiration: '2020-01-01T00:00:00.000Z' }, 'Invalid according to Policy: Policy expired.'],
    [
      'an altered policy',
      'SignatureDoesNotMatch',
      { alter: { policy: Buffer.from('{"expiration":"2099-01-01T00:00:00Z","conditions":[]}').toString('base64') } },
    ],
    ['an altered signature', 'SignatureDoesNotMatch', { alter: { 'x-amz-signature': '0'.repeat(64) } }],
    ['an unknown key', 'InvalidAccessKeyId', { accessKeyId: 'AKIANOBODY' }],
    ['a token of nobody', 'InvalidToken', { fields: { 'x-amz-security-token': 'x' } }],
    ['another region', 'AuthorizationQueryParametersError', { region: 'mars-1' }],
    ['another service', 'AuthorizationQueryParametersError', { service: 'iam' }],
    ['a missing signature', 'InvalidArgument', { without: ['x-amz-signature'] }],
    ['a missing policy', 'InvalidArgument', { without: ['policy'] }],
    ['a missing date', 'InvalidArgument', { without: ['x-amz-date'] }],
    ['a date of another day', 'InvalidArgument', { alter: { 'x-amz-date': '20200101T000000Z' } }],
    ['another algorithm', 'InvalidArgument', { alter: { 'x-amz-algorithm': 'none' } }],
    ['a missing key', 'InvalidArgument', { without: ['key'] }, 'Bucket POST must contain a field named'],
    ['SigV2', 'InvalidRequest', { unlisted: { AWSAccessKeyId: 'x', signature: 'y' } }],
    ['a policy without expiration', 'InvalidPolicyDocument', { policyText: '{"conditions":[]}' }],
    ['an expiration without a form', 'InvalidPolicyDocument', { expiration: '2099-01-01 00:00:00' }],
    ['a policy without conditions', 'InvalidPolicyDocument', { policyText: '{"expiration":"2099-01-01T00:00:00Z"}' }],
    ['a policy that is no JSON', 'InvalidPolicyDocument', { policyText: '{' }],
    ['an empty condition', 'InvalidPolicyDocument', { conditions: [{}] }],
    ['an unknown operation', 'InvalidPolicyDocument', { conditions: [['ends-with', '$key', 'k']] }],
    ['a range without end', 'InvalidPolicyDocument', { conditions: [['content-length-range', 1]] }],
    ['a range below zero', 'InvalidPolicyDocument', { conditions: [['content-length-range', -1, 1]] }],
    ['a file above the range', 'EntityTooLarge', { conditions: [['content-length-range', 0, 4]] }],
    ['a large file above the range', 'EntityTooLarge', { conditions: [['content-length-range', 0, 1e6]], content: Buffer.alloc(3e6) }],
    ['a file below the range', 'EntityTooSmall', { conditions: [['content-length-range', 6, 9]] }],
    ['a large file below the range', 'EntityTooSmall', { conditions: [['content-length-range', 5e6, 9e6]], content: Buffer.alloc(3e6) }],
    ['a wrong checksum', 'BadDigest', { fields: { 'x-amz-checksum-crc32': 'AAAAAA==' } }],
    ['metadata that no header can hold', 'InvalidArgument', { fields: { 'x-amz-meta-a': 'a\r\nb' } }],
    ['metadata with a name that no header can have', 'InvalidArgument', { fields: { 'x-amz-meta-a b': 'a' } }],
    ['a header of regions', 'AccessDenied', { fields: { 'x-farshore-version-id': 'a' } }],
    ['an ACL twice', 'InvalidArgument', { fields: { acl: 'private', 'x-amz-acl': 'private' } }],
    ['tags that are no document', 'MalformedXML', { fields: { tagging: 'a=b' } }],
    ['SSE-C', 'NotImplemented', { fields: { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' } }],
    ['a key that climbs', 'InvalidURI', { key: '../k' }],
    ['a huge field', 'MaxPostPreDataLengthExceeded', { fields: { 'x-amz-meta-a': 'x'.repeat(21_000) } }],
  ]

  it.each(refusals)('%s, with %s', async (_what, code, options, message = '') => {
    const bucket = await region().makeBucket()
    const answer = await postForm(bucket, options)
    expect(answer.code).toBe(code)
    expect(answer.message).toContain(message.slice(0, 40))
    expect(answer.text).not.toContain('InternalError')
    expect(await keysIn(bucket)).toEqual([])
  })

  it('forms without a file, with two, with a field twice, with too many fields', async () => {
    const bucket = await region().makeBucket()
    const whole = form(bucket)
    expect((await post(bucket, whole.slice(0, -1))).code).toBe('IncorrectNumberOfFilesInPostRequest')
    expect((await post(bucket, [...whole, ['file', Buffer.from('again'), 'b']])).code).toBe('IncorrectNumberOfFilesInPostRequest')
    expect((await post(bucket, [['key', 'other'], ...whole])).code).toBe('InvalidArgument')
    const many: Part[] = Array.from({ length: 300 }, (_, at) => [`x-ignore-${at}`, ''])
    expect((await post(bucket, [...many, ...whole])).code).toBe('MaxPostPreDataLengthExceeded')
    expect((await post(bucket, [...Array.from({ length: 3000 }, (): Part => ['', 'x'])])).code).toBe('MalformedPOSTRequest')
    expect(await keysIn(bucket)).toEqual([])
  })

  it('what is no form, and what is a broken one', async () => {
    const bucket = await region().makeBucket()
    const { body, contentType } = multipart(form(bucket))
    const send = async (type: string, bytes: Buffer) => {
      const answer = await fetch(`${region().endpoint}/${bucket}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: new Uint8Array(bytes),
      })
      return `${answer.status} ${/<Code>(.*?)</.exec(await answer.text())?.[1]}`
    }
    expect(await send('text/plain', body)).toBe('412 PreconditionFailed')
    expect(await send('multipart/form-data; x=y', body)).toBe('400 MalformedPOSTRequest')
    expect(await send('multipart/form-data; boundary=other', body)).toBe('400 MalformedPOSTRequest')
    for (let end = 1; end < body.length; end += 97) {
      expect(await send(contentType, body.subarray(0, end))).toMatch(/^400 (MalformedPOSTRequest|IncorrectNumberOfFilesInPostRequest)$/)
    }
    expect(await keysIn(bucket)).toEqual([])
  })

  it('an anonymous form, and one whose request is signed as well', async () => {
    const bucket = await region().makeBucket()
    expect(
      (
        await post(bucket, [
          ['key', 'k'],
          ['file', Buffer.from('x'), 'f'],
        ])
      ).code,
    ).toBe('AccessDenied')
    const { body, contentType } = multipart(form(bucket))
    const both = await region().raw({ method: 'POST', path: `/${bucket}`, headers: { 'Content-Type': contentType }, body })
    expect(both.element('Code')).toBe('InvalidArgument')
    const bare = multipart([
      ['key', 'signed'],
      ['file', Buffer.from('x'), 'f'],
    ])
    const signed = await region().raw({
      method: 'POST',
      path: `/${bucket}`,
      headers: { 'Content-Type': bare.contentType },
      body: bare.body,
    })
    expect(signed.status).toBe(204)
    expect(await keysIn(bucket)).toEqual(['signed'])
  })

  it('a form whose connection breaks in the middle of the file', async () => {
    const bucket = await region().makeBucket()
    const { body, contentType } = multipart(form(bucket, { content: Buffer.alloc(3_000_000, 'x') }))
    const blobFiles = async () => await readdir(join(region().folder, 'blobs'), { recursive: true })
    const before = new Set(await blobFiles())
    const begun = async () => (await blobFiles()).filter((name) => !before.has(name))
    const client = new RawClient(region().port)
    client.send(`POST /${bucket} HTTP/1.1\r\nHost: a\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`)
    client.send(body.subarray(0, 2_000_000))
    // Begun: the store has its file open.
    await eventually(async () => (await begun()).length > 0)
    client.destroy()
    await eventually(async () => (await begun()).length === 0)
    expect(await keysIn(bucket)).toEqual([])
  })

  it('who may not put, tag or grant', async () => {
    const bucket = await region().makeBucket()
    const asked: string[] = []
    region().deny = ({ action, target }) => void asked.push(`${action} ${target.key}`)
    const tagging = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>'
    await postForm(bucket, { fields: { tagging, acl: 'bucket-owner-full-control' } })
    region().deny = () => {}
    expect(asked).toEqual(['s3:PutObject k', 's3:PutObjectTagging k', 's3:PutObjectAcl k'])
  })
})
