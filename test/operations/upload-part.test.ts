import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  ListPartsCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { exchange } from '../s3/support.ts'
import { useRegion } from '../support/region.ts'
import { signedHead } from '../support/sockets.ts'

const region = useRegion()
const client = () => region().client
const md5 = (text: string) => createHash('md5').update(text).digest('base64')

async function begun(input: Partial<CreateMultipartUploadCommandInput> = {}) {
  const Bucket = await region().makeBucket()
  const { UploadId = '' } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key: 'k', ...input }))
  const path = (number: number | string) => `/${Bucket}/k?partNumber=${number}&uploadId=${UploadId}`
  const part = (number: number | string, body: string, headers: Record<string, string> = {}) =>
    region().raw({ method: 'PUT', path: path(number), body, headers })
  return { Bucket, UploadId, path, part }
}

describe('UploadPart', () => {
  it('stores a part and answers with its MD5, and replaces one of the same number', async () => {
    const { Bucket, UploadId, part } = await begun()
    const answer = await part(1, 'hello')
    expect([answer.status, answer.headers.etag]).toEqual([200, '"5d41402abc4b2a76b9719d911017c592"'])
    await part(1, 'other!')
    const { Parts } = await client().send(new ListPartsCommand({ Bucket, Key: 'k', UploadId }))
    expect(Parts).toMatchObject([{ PartNumber: 1, Size: 6 }])
  })

  it('tells what the part is summed to: what was claimed, or else what the upload is summed by', async () => {
    const { part } = await begun()
    expect((await part(1, 'hello')).headers['x-amz-checksum-crc64nvme']).toMatch(/=$/)
    expect((await part(1, 'hello', { 'x-amz-checksum-crc32': 'NhCmhg==' })).headers['x-amz-checksum-crc32']).toBe('NhCmhg==')
  })

  it('refuses part numbers outside 1 to 10,000 with InvalidArgument', async () => {
    const { part } = await begun()
    for (const number of [0, 10_001, '-1', 'x', '']) {
      const answer = await part(number, 'x')
      expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidArgument'])
    }
    expect((await part(10_000, 'x')).status).toBe(200)
  })

  it('answers NoSuchUpload for one that never was, was aborted, or is of another key', async () => {
    const { Bucket, UploadId, part } = await begun()
    const send = (key: string, id: string) =>
      region().raw({ method: 'PUT', path: `/${Bucket}/${key}?partNumber=1&uploadId=${id}`, body: 'x' })
    for (const [key, id] of [
      ['k', '0'.repeat(32)],
      ['k', 'ill-formed'],
      ['other', UploadId],
    ] as const) {
      const answer = await send(key, id)
      expect([answer.status, answer.element('Code')]).toEqual([404, 'NoSuchUpload'])
    }
    await client().send(new AbortMultipartUploadCommand({ Bucket, Key: 'k', UploadId }))
    expect((await part(1, 'x')).element('Code')).toBe('NoSuchUpload')
  })

  it('refuses an unknown upload before 100 Continue', async () => {
    const Bucket = await region().makeBucket()
    const path = `/${Bucket}/k?partNumber=1&uploadId=${'0'.repeat(32)}`
    const headers = { Expect: '100-continue', 'Content-Length': '5' }
    const answer = await exchange(region().port, signedHead(region(), { method: 'PUT', path, headers }))
    expect(answer.status).toBe(404)
    expect(answer.text).not.toContain('100 Continue')
  })

  it.each([
    ['a checksum that does not match', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
    ['a Content-MD5 that does not match', { 'Content-MD5': md5('other') }, 'BadDigest'],
    ['a Content-MD5 that is none', { 'Content-MD5': 'x' }, 'InvalidDigest'],
  ])('refuses %s and stores no part', async (_, headers, code) => {
    const { Bucket, UploadId, part } = await begun()
    const answer = await part(1, 'hello', headers)
    expect([answer.status, answer.element('Code')]).toEqual([400, code])
    expect((await client().send(new ListPartsCommand({ Bucket, Key: 'k', UploadId }))).Parts).toBeUndefined()
  })

  it('refuses another checksum than the upload was created with, and a missing one where the whole is made of them', async () => {
    const composite = await begun({ ChecksumAlgorithm: 'SHA1' })
    const other = await composite.part(1, 'hello', { 'x-amz-checksum-crc32': 'NhCmhg==' })
    expect([other.status, other.element('Code')]).toEqual([400, 'InvalidRequest'])
    expect(other.element('Message')).toContain('expected checksum Type: sha1, actual checksum Type: crc32')
    expect((await composite.part(1, 'hello')).element('Message')).toContain('actual checksum Type: null')
    expect((await composite.part(1, 'hello', { 'x-amz-checksum-sha1': 'qvTGHdzF6KLavt4PO0gs2a6pQ00=' })).status).toBe(200)
    const whole = await begun({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' })
    expect((await whole.part(1, 'hello')).headers['x-amz-checksum-crc32']).toBe('NhCmhg==')
  })

  it('refuses a part of more than 5 GiB by its length alone', async () => {
    const { path } = await begun()
    const headers = { 'Content-Length': String(5 * 1024 ** 3 + 1), Expect: '100-continue' }
    const answer = await exchange(region().port, signedHead(region(), { method: 'PUT', path: path(1), headers }))
    expect([answer.status, /<Code>(\w+)/.exec(answer.body)?.[1]]).toEqual([400, 'EntityTooLarge'])
  })
})
