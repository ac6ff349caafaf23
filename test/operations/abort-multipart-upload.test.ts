import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { eventually } from '../s3/support.ts'
import { bytesOf, refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client

async function begun() {
  const Bucket = await region().makeBucket()
  const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }))
  const { ETag } = await client().send(new UploadPartCommand({ Bucket, Key: 'k', UploadId, PartNumber: 1, Body: Buffer.alloc(300 * 1024) }))
  return { Bucket, Key: 'k', UploadId, ETag }
}

describe('AbortMultipartUpload', () => {
  it('ends the upload, answers 204, and gives its space back', async () => {
    const files = () => {
      const entries = readdirSync(join(region().folder, 'blobs', 'files'), { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
    }
    // Parts of other tests may still be on their way out.
    const before = new Set(files())
    const { ETag: _, ...upload } = await begun()
    const [part, ...more] = files().filter((name) => !before.has(name))
    expect([typeof part, more]).toEqual(['string', []])
    const { $metadata } = await client().send(new AbortMultipartUploadCommand(upload))
    expect($metadata.httpStatusCode).toBe(204)
    expect((await client().send(new ListMultipartUploadsCommand({ Bucket: upload.Bucket }))).Uploads).toBeUndefined()
    await eventually(() => !files().some((name) => name === part), 'the part to be removed from the disk')
  })

  it('answers NoSuchUpload the second time, and for what never was', async () => {
    const { ETag: _, ...upload } = await begun()
    await client().send(new AbortMultipartUploadCommand(upload))
    expect(await refusal(client().send(new AbortMultipartUploadCommand(upload)))).toMatchObject({ code: 'NoSuchUpload', status: 404 })
    const other = client().send(new AbortMultipartUploadCommand({ ...upload, UploadId: 'ill-formed' }))
    expect(await refusal(other)).toMatchObject({ code: 'NoSuchUpload', status: 404 })
  })

  it('does not touch the object that a completed upload became', async () => {
    const { ETag, ...upload } = await begun()
    await client().send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }))
    expect(await refusal(client().send(new AbortMultipartUploadCommand(upload)))).toMatchObject({ code: 'NoSuchUpload' })
    const read = await client().send(new GetObjectCommand({ Bucket: upload.Bucket, Key: 'k' }))
    expect(await bytesOf(read.Body)).toHaveLength(300 * 1024)
  })

  it('answers 501 for a condition that it would have to pass over', async () => {
    const { Bucket, UploadId } = await begun()
    const headers = { 'x-amz-if-match-initiated-time': 'Sat, 01 Jan 2000 00:00:00 GMT' }
    const answer = await region().raw({ method: 'DELETE', path: `/${Bucket}/k?uploadId=${UploadId}`, headers })
    expect([answer.status, answer.element('Code')]).toEqual([501, 'NotImplemented'])
  })
})
