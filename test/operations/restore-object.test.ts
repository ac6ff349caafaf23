import { createHash } from 'node:crypto'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  RestoreObjectCommand,
  type RestoreRequest,
  type StorageClass,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it, vi } from 'vitest'
import { refusal, useRegion } from '../support/region.ts'

const dayMs = 1000
const region = useRegion({ defaults: { lifecycleDayMs: dayMs, restoreDelayMs: { Standard: 0, Bulk: 3_600_000, Expedited: 0 } } })
const client = () => region().client
const mib = 1024 * 1024

async function put(options: Partial<PutObjectCommandInput> = {}) {
  const Bucket = await region().makeBucket({ versioning: 'Enabled' })
  const { VersionId } = await client().send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'hello', StorageClass: 'GLACIER', ...options }))
  return { Bucket, Key: 'k', VersionId }
}

type Place = { readonly Bucket: string; readonly Key: string; readonly VersionId?: string | undefined }

const status = async (answer: Promise<{ $metadata: { httpStatusCode?: number } }>) => (await answer).$metadata.httpStatusCode
const restore = ({ Bucket, Key, VersionId }: Place, request: RestoreRequest = {}) =>
  client().send(new RestoreObjectCommand({ Bucket, Key, VersionId, RestoreRequest: { Days: 300, ...request } }))
const get = async (place: Place, Range?: string) => {
  const { Body } = await client().send(new GetObjectCommand({ ...place, Range }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}
const head = (place: Place) => client().send(new HeadObjectCommand(place))

async function untilRestored(place: Place): Promise<void> {
  await vi.waitFor(async () => expect((await head(place)).Restore).toMatch(/^ongoing-request="false", expiry-date="/), { timeout: 10_000 })
}

describe('an archived object', () => {
  it.each(['GLACIER', 'DEEP_ARCHIVE'] as const)(
    'of class %s is not read before it is restored, and is the same afterwards',
    async (StorageClass) => {
      const place = await put({ StorageClass })
      expect(await refusal(get(place))).toMatchObject({ code: 'InvalidObjectState', status: 403 })
      const raw = await region().raw({ method: 'GET', path: `/${place.Bucket}/k` })
      expect(raw.element('StorageClass')).toBe(StorageClass)
      expect(await head(place)).toMatchObject({ StorageClass, ContentLength: 5, ETag: '"5d41402abc4b2a76b9719d911017c592"' })
      expect((await head(place)).Restore).toBeUndefined()
      const attributes = await client().send(new GetObjectAttributesCommand({ ...place, ObjectAttributes: ['StorageClass', 'ObjectSize'] }))
      expect(attributes).toMatchObject({ StorageClass, ObjectSize: 5 })
      expect(await status(restore(place))).toBe(202)
      await untilRestored(place)
      expect((await get(place)).toString()).toBe('hello')
      expect((await get(place, 'bytes=1-2')).toString()).toBe('el')
      expect((await head(place)).StorageClass).toBe(StorageClass)
      expect(await status(restore(place))).toBe(200)
    },
  )

  it('made of parts, encrypted, and empty comes back the same', async () => {
    const Bucket = await region().makeBucket()
    const upload = { Bucket, Key: 'parts' }
    const content = Buffer.concat([Buffer.alloc(5 * mib, 1), Buffer.alloc(5 * mib, 2), Buffer.from('end')])
    const { UploadId } = await client().send(
      new CreateMultipartUploadCommand({ ...upload, StorageClass: 'GLACIER', ServerSideEncryption: 'AES256' }),
    )
    const Parts = await Promise.all(
      [0, 5 * mib, 10 * mib].map(async (at, index) => {
        const part = { ...upload, UploadId, PartNumber: index + 1, Body: content.subarray(at, Math.min(at + 5 * mib, content.length)) }
        return { PartNumber: index + 1, ETag: (await client().send(new UploadPartCommand(part))).ETag }
      }),
    )
    await client().send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }))
    const empty = { Bucket, Key: 'empty' }
    await client().send(new PutObjectCommand({ ...empty, Body: '', StorageClass: 'GLACIER', ServerSideEncryption: 'AES256' }))
    expect(await refusal(get(upload))).toMatchObject({ code: 'InvalidObjectState' })
    expect(await refusal(get(empty))).toMatchObject({ code: 'InvalidObjectState' })
    for (const place of [upload, empty]) await restore(place)
    for (const place of [upload, empty]) await untilRestored(place)
    expect(sha(await get(upload))).toBe(sha(content))
    expect(sha(await get(upload, `bytes=${5 * mib - 10}-${5 * mib + 10}`))).toBe(sha(content.subarray(5 * mib - 10, 5 * mib + 11)))
    expect(await get(empty)).toHaveLength(0)
  })

  it('is archived again when its days are over', async () => {
    const place = await put()
    await restore(place, { Days: 1 })
    await untilRestored(place)
    await vi.waitFor(async () => expect((await head(place)).Restore).toBeUndefined(), { timeout: 10_000 })
    expect(await refusal(get(place))).toMatchObject({ code: 'InvalidObjectState' })
  })

  it('can be deleted while its restore is under way', async () => {
    const place = await put()
    await restore(place, { GlacierJobParameters: { Tier: 'Bulk' } })
    expect((await head(place)).Restore).toBe('ongoing-request="true"')
    await client().send(new DeleteObjectCommand(place))
    expect(await refusal(head(place))).toMatchObject({ status: 404 })
  })

  it('stands in listings with its class and, when they ask for it, with its restore', async () => {
    const Bucket = await region().makeBucket({ versioning: 'Enabled' })
    for (const Key of ['archived', 'ongoing', 'restored'])
      await client().send(new PutObjectCommand({ Bucket, Key, Body: 'x', StorageClass: 'GLACIER' }))
    await restore({ Bucket, Key: 'ongoing' }, { GlacierJobParameters: { Tier: 'Bulk' } })
    await restore({ Bucket, Key: 'restored' })
    await untilRestored({ Bucket, Key: 'restored' })
    const asked = { Bucket, OptionalObjectAttributes: ['RestoreStatus' as const] }
    const [v1, v2, versions] = [
      (await client().send(new ListObjectsCommand(asked))).Contents,
      (await client().send(new ListObjectsV2Command(asked))).Contents,
      (await client().send(new ListObjectVersionsCommand(asked))).Versions,
    ]
    for (const listed of [v1, v2, versions]) {
      expect(listed?.map(({ StorageClass }) => StorageClass)).toEqual(['GLACIER', 'GLACIER', 'GLACIER'])
      expect(listed?.map(({ RestoreStatus }) => RestoreStatus)).toMatchObject([
        undefined,
        { IsRestoreInProgress: true },
        { IsRestoreInProgress: false, RestoreExpiryDate: expect.any(Date) },
      ])
    }
    const silent = await client().send(new ListObjectsV2Command({ Bucket }))
    expect(silent.Contents?.some(({ RestoreStatus }) => RestoreStatus !== undefined)).toBe(false)
    const wrong = await region().raw({ method: 'GET', path: `/${Bucket}`, headers: { 'x-amz-optional-object-attributes': 'Colour' } })
    expect([wrong.status, wrong.element('Code')]).toEqual([400, 'InvalidArgument'])
  })

  it('is copied only when it is restored: then also onto itself, to another class', async () => {
    const place = await put()
    const CopySource = `${place.Bucket}/k`
    const copy = (Key: string, StorageClass: StorageClass) =>
      client().send(new CopyObjectCommand({ Bucket: place.Bucket, Key, CopySource, StorageClass }))
    expect(await refusal(copy('copy', 'STANDARD'))).toMatchObject({
      code: 'ObjectNotInActiveTierError',
      status: 403,
    })
    const target = { Bucket: place.Bucket, Key: 'parts' }
    const { UploadId } = await client().send(new CreateMultipartUploadCommand(target))
    const part = () => client().send(new UploadPartCopyCommand({ ...target, UploadId, PartNumber: 1, CopySource }))
    expect(await refusal(part())).toMatchObject({ code: 'InvalidObjectState' })
    await restore(place)
    await untilRestored(place)
    await part()
    await copy('copy', 'GLACIER_IR')
    expect((await get({ Bucket: place.Bucket, Key: 'copy' })).toString()).toBe('hello')
    await copy('k', 'STANDARD')
    expect((await get({ Bucket: place.Bucket, Key: 'k' })).toString()).toBe('hello')
    expect((await head({ Bucket: place.Bucket, Key: 'k' })).StorageClass).toBeUndefined()
  })
})

describe('RestoreObject', () => {
  it('restores the version that is named', async () => {
    const old = await put()
    await client().send(new PutObjectCommand({ Bucket: old.Bucket, Key: 'k', Body: 'new' }))
    expect(await refusal(restore({ Bucket: old.Bucket, Key: 'k' }))).toMatchObject({
      code: 'InvalidObjectState',
      message: "Restore is not allowed for the object's current storage class",
    })
    await restore(old)
    await untilRestored(old)
    expect((await get(old)).toString()).toBe('hello')
  })

  it('says that a restore is under way', async () => {
    const place = await put()
    expect(await status(restore(place, { GlacierJobParameters: { Tier: 'Bulk' } }))).toBe(202)
    expect(await refusal(restore(place))).toMatchObject({ code: 'RestoreAlreadyInProgress', status: 409 })
  })

  it('refuses what there is no copy of, and what nobody offers', async () => {
    const place = await put({ StorageClass: 'DEEP_ARCHIVE' })
    const unknown = { ...place, VersionId: place.VersionId?.replace(/^./, (first) => (first === '0' ? '1' : '0')) }
    expect(await refusal(restore({ Bucket: place.Bucket, Key: 'none' }))).toMatchObject({ code: 'NoSuchKey' })
    expect(await refusal(restore(unknown))).toMatchObject({ code: expect.stringMatching(/NoSuchVersion|InvalidArgument/) })
    expect(await refusal(restore(place, { GlacierJobParameters: { Tier: 'Expedited' } }))).toMatchObject({ code: 'InvalidArgument' })
    expect(await refusal(restore(place, { Days: 0 }))).toMatchObject({ code: 'InvalidArgument' })
    expect(await refusal(restore(place, { Type: 'SELECT' }))).toMatchObject({ code: 'NotImplemented' })
    const OutputLocation = { S3: { BucketName: 'b', Prefix: 'p' } }
    expect(await refusal(restore(place, { OutputLocation }))).toMatchObject({ code: 'NotImplemented' })
    const marked = await client().send(new DeleteObjectCommand({ Bucket: place.Bucket, Key: 'k' }))
    expect(await refusal(restore({ ...place, VersionId: marked.VersionId }))).toMatchObject({ code: 'MethodNotAllowed' })
    const post = (body: string) => region().raw({ method: 'POST', path: `/${place.Bucket}/k?restore&versionId=${place.VersionId}`, body })
    expect((await post('')).element('Code')).toBe('MissingRequestBodyError')
    expect((await post('<RestoreRequest></RestoreRequest>')).element('Code')).toBe('MalformedXML')
    expect((await post('<RestoreRequest><Days>many</Days></RestoreRequest>')).element('Code')).toBe('InvalidArgument')
  })
})

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
