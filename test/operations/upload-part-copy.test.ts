import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCopyCommand,
  type UploadPartCopyCommandInput,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { bytesOf, refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const mib = 1024 * 1024

async function begun(versioning: 'Unversioned' | 'Enabled' = 'Unversioned') {
  const Bucket = await region().makeBucket({ versioning })
  const Body = Buffer.from(Array.from({ length: 5 * mib + 100 }, (_, i) => (i * 13 + (i >> 9)) & 255))
  const { VersionId } = await client().send(new PutObjectCommand({ Bucket, Key: 'source', Body }))
  const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }))
  const copy = (input: Partial<UploadPartCopyCommandInput> = {}) =>
    client().send(new UploadPartCopyCommand({ Bucket, Key: 'k', UploadId, PartNumber: 1, CopySource: `${Bucket}/source`, ...input }))
  return { Bucket, Body, UploadId, VersionId, copy }
}

describe('UploadPartCopy', () => {
  it('makes parts of an object’s bytes, whole and by range', async () => {
    const { Bucket, Body, UploadId, copy } = await begun()
    const first = await copy()
    const second = await copy({ PartNumber: 2, CopySourceRange: 'bytes=10-19' })
    expect(first.CopyPartResult?.LastModified).toBeInstanceOf(Date)
    const Parts = [first, second].map(({ CopyPartResult }, i) => ({ PartNumber: i + 1, ETag: CopyPartResult?.ETag }))
    await client().send(new CompleteMultipartUploadCommand({ Bucket, Key: 'k', UploadId, MultipartUpload: { Parts } }))
    const whole = await bytesOf((await client().send(new GetObjectCommand({ Bucket, Key: 'k' }))).Body)
    expect(whole.equals(Buffer.concat([Body, Body.subarray(10, 20)]))).toBe(true)
  })

  it('names the version that it copied', async () => {
    const { Bucket, VersionId, copy } = await begun('Enabled')
    expect((await copy()).CopySourceVersionId).toBe(VersionId)
    expect((await copy({ CopySource: `${Bucket}/source?versionId=${VersionId}` })).CopySourceVersionId).toBe(VersionId)
  })

  it.each(['bytes=0-9999999', 'bytes=5-', 'bytes=-5', 'bytes=9-5', '0-5', 'bytes=0-1,3-4'])(
    'refuses the range %s, which is not inside the source, with InvalidArgument',
    async (CopySourceRange) => {
      const { copy } = await begun()
      expect(await refusal(copy({ CopySourceRange }))).toMatchObject({ code: 'InvalidArgument', status: 400 })
    },
  )

  it('refuses an unknown upload, a part number out of range and a missing source', async () => {
    const { Bucket, copy } = await begun()
    expect(await refusal(copy({ UploadId: '0'.repeat(32) }))).toMatchObject({ code: 'NoSuchUpload', status: 404 })
    expect(await refusal(copy({ PartNumber: 10_001 }))).toMatchObject({ code: 'InvalidArgument', status: 400 })
    expect(await refusal(copy({ CopySource: `${Bucket}/missing` }))).toMatchObject({ code: 'NoSuchKey', status: 404 })
  })

  it('answers 412 when the source is not what the copy wants', async () => {
    const { copy } = await begun()
    expect(await refusal(copy({ CopySourceIfMatch: '"x"' }))).toMatchObject({ code: 'PreconditionFailed', status: 412 })
  })

  it('computes the checksum that the upload was created with', async () => {
    const { Bucket } = await begun()
    const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key: 'k', ChecksumAlgorithm: 'SHA256' }))
    const input = { Bucket, Key: 'k', UploadId, PartNumber: 1, CopySource: `${Bucket}/source` }
    const { CopyPartResult } = await client().send(new UploadPartCopyCommand(input))
    expect(CopyPartResult?.ChecksumSHA256).toMatch(/=$/)
  })
})
