import {
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type Tag,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const put = (Bucket: string, Key: string) => client().send(new PutObjectCommand({ Bucket, Key, Body: 'x', Tagging: 'old=1' }))
const tag = (Bucket: string, Key: string, TagSet: Tag[], VersionId?: string) =>
  client().send(new PutObjectTaggingCommand({ Bucket, Key, VersionId, Tagging: { TagSet } }))
const tagsOf = async (Bucket: string, Key: string, VersionId?: string) =>
  (await client().send(new GetObjectTaggingCommand({ Bucket, Key, VersionId }))).TagSet
const many = (count: number) => Array.from({ length: count }, (_, i) => ({ Key: `k${i}`, Value: 'v' }))

describe('PutObjectTagging', () => {
  it('replaces all tags, changes neither bytes nor time, and is counted', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    const before = await client().send(new HeadObjectCommand({ Bucket: bucket, Key: 'k' }))
    await tag(bucket, 'k', [
      { Key: 'new', Value: '' },
      { Key: 'grün', Value: 'ä + b' },
    ])
    expect(await tagsOf(bucket, 'k')).toEqual([
      { Key: 'new', Value: '' },
      { Key: 'grün', Value: 'ä + b' },
    ])
    const after = await client().send(new HeadObjectCommand({ Bucket: bucket, Key: 'k' }))
    expect([after.ETag, after.LastModified, after.TagCount]).toEqual([before.ETag, before.LastModified, 2])
  })

  it('tags the version that is named and answers with its id', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { VersionId } = await put(bucket, 'k')
    await put(bucket, 'k')
    expect((await tag(bucket, 'k', [{ Key: 'a', Value: '1' }], VersionId)).VersionId).toBe(VersionId)
    expect(await tagsOf(bucket, 'k', VersionId)).toEqual([{ Key: 'a', Value: '1' }])
    expect(await tagsOf(bucket, 'k')).toEqual([{ Key: 'old', Value: '1' }])
  })

  it('takes ten tags of 128 and 256 characters', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    await tag(bucket, 'k', [...many(9), { Key: 'ü'.repeat(128), Value: 'ü'.repeat(256) }])
    expect(await tagsOf(bucket, 'k')).toHaveLength(10)
  })

  it.each([
    ['eleven tags', many(11), 'BadRequest'],
    [
      'a repeated key',
      [
        { Key: 'a', Value: '1' },
        { Key: 'a', Value: '2' },
      ],
      'InvalidTag',
    ],
    ['a key of 129 characters', [{ Key: 'k'.repeat(129), Value: '' }], 'InvalidTag'],
    ['a value of 257 characters', [{ Key: 'k', Value: 'v'.repeat(257) }], 'InvalidTag'],
    ['a key of the system', [{ Key: 'aws:x', Value: '' }], 'InvalidTag'],
    ['a character that no tag may hold', [{ Key: 'a<b', Value: '' }], 'InvalidTag'],
  ])('refuses %s and changes nothing', async (_, tags, code) => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    expect(await refusal(tag(bucket, 'k', tags))).toMatchObject({ code, status: 400 })
    expect(await tagsOf(bucket, 'k')).toEqual([{ Key: 'old', Value: '1' }])
  })

  it('refuses what is no tag set with MalformedXML, and an empty body with MissingRequestBodyError', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    const send = (body: string) => region().raw({ method: 'PUT', path: `/${bucket}/k?tagging`, body })
    for (const body of [
      '<Tagging/>',
      '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>',
      '<Tagging>',
      '<!DOCTYPE x><Tagging/>',
    ]) {
      expect((await send(body)).element('Code')).toBe('MalformedXML')
    }
    expect((await send('')).element('Code')).toBe('MissingRequestBodyError')
  })

  it('answers 404 for a missing key or version, 405 for a delete marker by its id', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    expect(await refusal(tag(bucket, 'missing', []))).toMatchObject({ code: 'NoSuchKey', status: 404 })
    await put(bucket, 'k')
    expect(await refusal(tag(bucket, 'k', [], '0'.repeat(32)))).toMatchObject({ code: 'NoSuchVersion', status: 404 })
    const { VersionId } = await client().send(new DeleteObjectCommand({ Bucket: bucket, Key: 'k' }))
    expect(await refusal(tag(bucket, 'k', [], VersionId))).toMatchObject({ code: 'MethodNotAllowed', status: 405 })
    expect(await refusal(tag(bucket, 'k', []))).toMatchObject({ code: 'NoSuchKey' })
    expect(await refusal(tag(bucket, 'k', [], 'x'))).toMatchObject({ code: 'InvalidArgument' })
  })
})
