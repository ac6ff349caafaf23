import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectAclCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const create = (Bucket: string, input: Partial<CreateMultipartUploadCommandInput> = {}) =>
  client().send(new CreateMultipartUploadCommand({ Bucket, Key: 'k', ...input }))
const raw = (bucket: string, headers: Record<string, string>) => region().raw({ method: 'POST', path: `/${bucket}/k?uploads`, headers })

describe('CreateMultipartUpload', () => {
  it('fixes all that the object will carry beside its bytes', async () => {
    const Bucket = await region().makeBucket({ settings: { ownership: 'ObjectWriter' } })
    const answer = await create(Bucket, {
      Metadata: { a: 'b' },
      ContentType: 'text/plain',
      Tagging: 'x=1',
      StorageClass: 'REDUCED_REDUNDANCY',
      ServerSideEncryption: 'AES256',
      ACL: 'public-read',
    })
    expect(answer).toMatchObject({ Bucket, Key: 'k', ServerSideEncryption: 'AES256' })
    const { UploadId } = answer
    const { ETag } = await client().send(new UploadPartCommand({ Bucket, Key: 'k', UploadId, PartNumber: 1, Body: 'hello' }))
    const Parts = [{ PartNumber: 1, ETag }]
    await client().send(new CompleteMultipartUploadCommand({ Bucket, Key: 'k', UploadId, MultipartUpload: { Parts } }))
    expect(await client().send(new HeadObjectCommand({ Bucket, Key: 'k' }))).toMatchObject({
      Metadata: { a: 'b' },
      ContentType: 'text/plain',
      StorageClass: 'REDUCED_REDUNDANCY',
      ServerSideEncryption: 'AES256',
    })
    expect((await client().send(new GetObjectTaggingCommand({ Bucket, Key: 'k' }))).TagSet).toEqual([{ Key: 'x', Value: '1' }])
    expect((await client().send(new GetObjectAclCommand({ Bucket, Key: 'k' }))).Grants).toHaveLength(2)
  })

  it.each([
    ['CRC32', undefined, 'COMPOSITE'],
    ['CRC32', 'FULL_OBJECT', 'FULL_OBJECT'],
    ['CRC32C', 'COMPOSITE', 'COMPOSITE'],
    ['CRC32C', 'FULL_OBJECT', 'FULL_OBJECT'],
    ['CRC64NVME', undefined, 'FULL_OBJECT'],
    ['SHA1', undefined, 'COMPOSITE'],
    ['SHA256', 'COMPOSITE', 'COMPOSITE'],
  ] as const)('sums by %s, asked as %s, as %s', async (ChecksumAlgorithm, ChecksumType, expected) => {
    const bucket = await region().makeBucket()
    expect(await create(bucket, { ChecksumAlgorithm, ChecksumType })).toMatchObject({ ChecksumAlgorithm, ChecksumType: expected })
  })

  it.each([
    ['SHA1 of the full object', { 'x-amz-checksum-algorithm': 'SHA1', 'x-amz-checksum-type': 'FULL_OBJECT' }],
    ['SHA256 of the full object', { 'x-amz-checksum-algorithm': 'SHA256', 'x-amz-checksum-type': 'FULL_OBJECT' }],
    ['CRC64NVME of the parts', { 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'COMPOSITE' }],
    ['a type without an algorithm', { 'x-amz-checksum-type': 'COMPOSITE' }],
    ['an unknown algorithm', { 'x-amz-checksum-algorithm': 'ROT13' }],
    ['an unknown type', { 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'HALF' }],
  ])('refuses %s with InvalidRequest', async (_, headers) => {
    const answer = await raw(await region().makeBucket(), headers)
    expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidRequest'])
  })

  it('refuses bad attributes at once, as PutObject does', async () => {
    const bucket = await region().makeBucket()
    expect(await refusal(create(bucket, { StorageClass: 'GOLD' as 'STANDARD' }))).toMatchObject({ code: 'InvalidStorageClass' })
    expect(await refusal(create(bucket, { ACL: 'public-read' }))).toMatchObject({ code: 'AccessControlListNotSupported' })
    expect(await refusal(create(bucket, { ServerSideEncryption: 'aws:kms' }))).toMatchObject({ code: 'NotImplemented', status: 501 })
    expect(await refusal(create(bucket, { Tagging: 'a=1&a=2' }))).toMatchObject({ code: 'InvalidTag' })
    expect((await raw(bucket, { 'x-amz-meta-a': 'x'.repeat(2048) })).element('Code')).toBe('MetadataTooLarge')
  })

  it('tells no checksum when none was asked for', async () => {
    const answer = await raw(await region().makeBucket(), {})
    expect([answer.headers['x-amz-checksum-algorithm'], answer.headers['x-amz-checksum-type']]).toEqual([undefined, undefined])
  })
})
