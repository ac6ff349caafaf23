import { describe, expect, it } from 'vitest'
import { partsOf, scanUploads } from '../../../src/metadata/tables/uploads.ts'
import type { Bucket } from '../../../src/model/bucket.ts'
import type { UploadRecord } from '../../../src/model/upload.ts'
import { newVersion, openRegion, type Region } from './region.ts'

const record: UploadRecord = {
  ownerId: 'owner',
  storageClass: 'STANDARD',
  system: { contentType: 'text/plain' },
  user: [],
  tags: [],
  acl: [],
  isEncrypted: false,
  checksum: { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', isGiven: false },
}

async function begin(region: Region, bucket: Bucket, key: string): Promise<string> {
  const id = region.ids.issue()
  await region.metadata.commit({ tx: 'createUpload', id, bucketId: bucket.id, key, record })
  return id
}

function putPart(region: Region, bucket: Bucket, of: { uploadId: string; number: number; blob: string }) {
  const { uploadId, number, blob } = of
  return region.metadata.commit({
    tx: 'putPart',
    bucketId: bucket.id,
    key: 'key',
    uploadId,
    part: { number, blob, size: 5, etag: blob },
  })
}

function complete(region: Region, bucket: Bucket, of: { uploadId: string; parts: { number: number; blob: string }[] }) {
  const { blob: _, ...version } = newVersion(bucket, 'key', { id: region.ids.issue() })
  return region.metadata.commit({
    tx: 'completeUpload',
    uploadId: of.uploadId,
    parts: of.parts.map(({ number, blob }) => ({ number, size: 5, etag: blob })),
    outcome: { etag: 'e-1', asked: '[]', isEncrypted: false },
    version: { ...version, blobSet: of.uploadId, partCount: of.parts.length },
  })
}

describe('uploads', () => {
  it('frees the part that another of the same number replaces', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('parts')
    const uploadId = await begin(region, bucket, 'key')
    await putPart(region, bucket, { uploadId, number: 1, blob: 'old' })
    await putPart(region, bucket, { uploadId, number: 1, blob: 'new' })
    expect(await region.rows('SELECT blob FROM garbage')).toEqual([{ blob: 'old' }])
  })

  it('makes the version of the chosen parts and frees the others', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('complete')
    const uploadId = await begin(region, bucket, 'key')
    for (const number of [1, 2, 3]) await putPart(region, bucket, { uploadId, number, blob: `blob ${number}` })
    const made = await complete(region, bucket, { uploadId, parts: [1, 3].map((number) => ({ number, blob: `blob ${number}` })) })
    expect(made.version).toMatchObject({ blobSet: uploadId, partCount: 2 })
    const parts = await region.metadata.read(() => partsOf(uploadId, { afterNumber: 0, limit: 10 }))
    expect(parts.map(({ number }) => number)).toEqual([1, 3])
    expect(await region.rows('SELECT blob FROM garbage')).toEqual([{ blob: 'blob 2' }])
  })

  it('refuses to complete when a chosen part was uploaded anew meanwhile, and leaves the upload open', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('raced')
    const uploadId = await begin(region, bucket, 'key')
    await putPart(region, bucket, { uploadId, number: 1, blob: 'new' })
    await expect(complete(region, bucket, { uploadId, parts: [{ number: 1, blob: 'old' }] })).rejects.toMatchObject({ code: 'InvalidPart' })
    expect(await region.rows('SELECT state FROM uploads')).toEqual([{ state: 'open' }])
    expect(await region.rows('SELECT key FROM versions')).toEqual([])
  })

  it('does not abort a completed upload: its parts are a version now', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('abort')
    const uploadId = await begin(region, bucket, 'key')
    await putPart(region, bucket, { uploadId, number: 1, blob: 'kept' })
    await complete(region, bucket, { uploadId, parts: [{ number: 1, blob: 'kept' }] })
    await expect(region.metadata.commit({ tx: 'abortUpload', bucketId: bucket.id, key: 'key', uploadId })).rejects.toMatchObject({
      code: 'NoSuchUpload',
    })
    expect(await region.rows('SELECT blob FROM garbage')).toEqual([])
  })

  it('lists open uploads by key, and of one key the earlier first, from any place', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('list')
    const first = await begin(region, bucket, 'a')
    const second = await begin(region, bucket, 'a')
    const other = await begin(region, bucket, 'b')
    const list = async (scan: { key: string; afterUploadId?: string }): Promise<readonly string[]> => {
      const { key, ...after } = scan
      const uploads = await region.metadata.read(() =>
        scanUploads({ bucketId: bucket.id, from: { key, after: false }, limit: 10, ...after }),
      )
      return uploads.map(({ id }) => id)
    }
    expect(await list({ key: '' })).toEqual([first, second, other])
    expect(await list({ key: 'a', afterUploadId: first })).toEqual([second, other])
    expect(await list({ key: 'b' })).toEqual([other])
  })
})
