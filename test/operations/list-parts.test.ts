import {
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  ListPartsCommand,
  type ListPartsCommandInput,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { canonicalId, refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client

async function begun(input: Partial<CreateMultipartUploadCommandInput> = {}) {
  const Bucket = await region().makeBucket()
  const { UploadId = '' } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key: 'k', ...input }))
  for (const PartNumber of [5, 1, 3]) {
    await client().send(
      new UploadPartCommand({
        Bucket,
        Key: 'k',
        UploadId,
        PartNumber,
        Body: 'x'.repeat(PartNumber),
        ChecksumAlgorithm: input.ChecksumAlgorithm,
      }),
    )
  }
  const list = (more: Partial<ListPartsCommandInput> = {}) => client().send(new ListPartsCommand({ Bucket, Key: 'k', UploadId, ...more }))
  return { Bucket, UploadId, list }
}

describe('ListParts', () => {
  it('lists the parts by number, with all that is known of them and of the upload', async () => {
    const { Bucket, UploadId, list } = await begun({ StorageClass: 'STANDARD_IA', ChecksumAlgorithm: 'SHA256' })
    const answer = await list()
    expect(answer).toMatchObject({ Bucket, Key: 'k', UploadId, StorageClass: 'STANDARD_IA', IsTruncated: false, MaxParts: 1000 })
    expect(answer).toMatchObject({
      ChecksumAlgorithm: 'SHA256',
      ChecksumType: 'COMPOSITE',
      Owner: { ID: canonicalId },
      Initiator: { ID: canonicalId },
    })
    expect(answer.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 1],
      [3, 3],
      [5, 5],
    ])
    expect(answer.Parts?.[0]).toMatchObject({
      ETag: '"9dd4e461268c8034f5c8564e155c67a6"',
      ChecksumSHA256: expect.stringMatching(/=$/),
      LastModified: expect.any(Date),
    })
  })

  it('pages by part numbers', async () => {
    const { list } = await begun()
    const first = await list({ MaxParts: 2 })
    expect([first.Parts?.map(({ PartNumber }) => PartNumber), first.IsTruncated, first.NextPartNumberMarker]).toEqual([[1, 3], true, '3'])
    const rest = await list({ MaxParts: 2, PartNumberMarker: first.NextPartNumberMarker })
    expect([rest.Parts?.map(({ PartNumber }) => PartNumber), rest.IsTruncated, rest.PartNumberMarker]).toEqual([[5], false, '3'])
  })

  it('serves max-parts 0, more than 1000, and refuses what is no number', async () => {
    const { Bucket, UploadId, list } = await begun()
    expect(await list({ MaxParts: 0 })).toMatchObject({ IsTruncated: false, MaxParts: 0 })
    expect(await list({ MaxParts: 5000 })).toMatchObject({ MaxParts: 1000 })
    for (const query of ['max-parts=-1', 'max-parts=x', 'part-number-marker=x', 'part-number-marker=-1']) {
      const answer = await region().raw({ method: 'GET', path: `/${Bucket}/k?uploadId=${UploadId}&${query}` })
      expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidArgument'])
    }
  })

  it('answers NoSuchUpload for what never was', async () => {
    const { list } = await begun()
    for (const UploadId of ['0'.repeat(32), 'ill-formed'])
      expect(await refusal(list({ UploadId }))).toMatchObject({ code: 'NoSuchUpload', status: 404 })
  })
})
