import {
  type ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  type GetObjectAttributesCommandInput,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { denying, refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const all = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const
const attributes = (Bucket: string, input: Partial<GetObjectAttributesCommandInput> = {}) =>
  client().send(new GetObjectAttributesCommand({ Bucket, Key: 'k', ObjectAttributes: [...all], ...input }))
const mib = 1024 * 1024

async function multipart(ChecksumAlgorithm?: ChecksumAlgorithm) {
  const Bucket = await region().makeBucket()
  const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key: 'k', ChecksumAlgorithm }))
  const Parts = []
  for (const [index, size] of [5 * mib, 5 * mib, 7].entries()) {
    const part = { Bucket, Key: 'k', UploadId, PartNumber: index + 1, Body: Buffer.alloc(size), ChecksumAlgorithm }
    const { ETag, ChecksumSHA256 } = await client().send(new UploadPartCommand(part))
    Parts.push({ PartNumber: index + 1, ETag, ChecksumSHA256 })
  }
  await client().send(new CompleteMultipartUploadCommand({ Bucket, Key: 'k', UploadId, MultipartUpload: { Parts } }))
  return { Bucket, Parts }
}

describe('GetObjectAttributes', () => {
  it('tells of a plain object what was asked for, the ETag without quotes', async () => {
    const Bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { VersionId } = await client().send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'hello', StorageClass: 'STANDARD_IA' }))
    const answer = await attributes(Bucket)
    expect(answer).toMatchObject({ ETag: '5d41402abc4b2a76b9719d911017c592', ObjectSize: 5, StorageClass: 'STANDARD_IA', VersionId })
    expect(answer.Checksum).toEqual({ ChecksumCRC32: 'NhCmhg==', ChecksumType: 'FULL_OBJECT' })
    expect(answer.ObjectParts).toBeUndefined()
    expect(answer.LastModified).toBeInstanceOf(Date)
    const size = await attributes(Bucket, { ObjectAttributes: ['ObjectSize'] })
    expect([size.ObjectSize, size.ETag, size.Checksum, size.StorageClass]).toEqual([5, undefined, undefined, undefined])
  })

  it('lists the parts, page by page, of an object whose checksum is made of theirs', async () => {
    const { Bucket, Parts } = await multipart('SHA256')
    const first = await attributes(Bucket, { MaxParts: 2 })
    expect(first.ObjectParts).toMatchObject({ TotalPartsCount: 3, IsTruncated: true, MaxParts: 2, NextPartNumberMarker: '2' })
    expect(first.ObjectParts?.Parts).toEqual(
      [1, 2].map((n) => ({ PartNumber: n, Size: 5 * mib, ChecksumSHA256: Parts[n - 1]?.ChecksumSHA256 })),
    )
    const rest = await attributes(Bucket, { MaxParts: 2, PartNumberMarker: '2' })
    expect(rest.ObjectParts).toMatchObject({ IsTruncated: false, PartNumberMarker: '2', Parts: [{ PartNumber: 3, Size: 7 }] })
  })

  it('writes a composite checksum without the number of parts, which HEAD has', async () => {
    const { Bucket } = await multipart('SHA256')
    const { ChecksumSHA256 = '' } = await client().send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }))
    expect(ChecksumSHA256).toMatch(/-3$/)
    expect((await attributes(Bucket)).Checksum).toEqual({ ChecksumSHA256: ChecksumSHA256.replace('-3', ''), ChecksumType: 'COMPOSITE' })
  })

  it('tells of other multipart objects how many parts they have', async () => {
    const { Bucket } = await multipart()
    const answer = await attributes(Bucket)
    expect(answer.ObjectParts).toEqual({ TotalPartsCount: 3 })
    expect(answer.ETag).toMatch(/-3$/)
    expect(answer.Checksum?.ChecksumType).toBe('FULL_OBJECT')
  })

  it('refuses unknown attributes, bad markers, and to be asked for nothing', async () => {
    const Bucket = await region().makeBucket()
    await client().send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    const raw = (headers: Record<string, string>) => region().raw({ method: 'GET', path: `/${Bucket}/k?attributes`, headers })
    expect((await raw({})).element('Code')).toBe('InvalidRequest')
    expect((await raw({ 'x-amz-object-attributes': 'ETag,Colour' })).element('Code')).toBe('InvalidArgument')
    expect((await raw({ 'x-amz-object-attributes': 'ETag', 'x-amz-max-parts': '-1' })).element('Code')).toBe('InvalidArgument')
    expect((await raw({ 'x-amz-object-attributes': 'ETag', 'x-amz-part-number-marker': 'x' })).element('Code')).toBe('InvalidArgument')
  })

  it('answers 404 and 405 as a read does, and asks for the right to read', async () => {
    const Bucket = await region().makeBucket({ versioning: 'Enabled' })
    expect(await refusal(attributes(Bucket))).toMatchObject({ code: 'NoSuchKey', status: 404 })
    expect(await refusal(attributes(Bucket, { VersionId: '0'.repeat(32) }))).toMatchObject({ code: 'NoSuchVersion', status: 404 })
    const { VersionId } = await client().send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
    expect(await refusal(attributes(Bucket, { VersionId }))).toMatchObject({ code: 'MethodNotAllowed', status: 405 })
    region().deny = denying('s3:GetObject')
    expect(await refusal(attributes(Bucket))).toMatchObject({ code: 'AccessDenied', status: 403 })
    region().deny = () => {}
  })
})
