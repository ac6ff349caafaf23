import {
  CreateBucketCommand,
  DeleteBucketTaggingCommand,
  GetBucketTaggingCommand,
  PutBucketTaggingCommand,
  type Tag,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment()
const noTags = { code: 'NoSuchTagSet', status: 404 }

async function newBucket(): Promise<string> {
  const Bucket = newName()
  await node().s3.send(new CreateBucketCommand({ Bucket }))
  return Bucket
}

const put = (Bucket: string, TagSet: Tag[]) => node().s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }))
const get = async (Bucket: string) => (await node().s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet
const many = (count: number) => Array.from({ length: count }, (_, i) => ({ Key: `k${i}`, Value: '' }))

describe('PutBucketTagging', () => {
  it('replaces all tags', async () => {
    const Bucket = await newBucket()
    await put(Bucket, [{ Key: 'a', Value: '1' }])
    const { $metadata } = await put(Bucket, [{ Key: 'überall', Value: '' }])
    expect($metadata.httpStatusCode).toBe(204)
    expect(await get(Bucket)).toEqual([{ Key: 'überall', Value: '' }])
  })

  it('takes 50 tags and refuses 51', async () => {
    const Bucket = await newBucket()
    await put(Bucket, many(50))
    expect(await refusal(put(Bucket, many(51)))).toMatchObject({ code: 'BadRequest', status: 400 })
    expect(await get(Bucket)).toHaveLength(50)
  })

  it.each([
    [
      'a key twice',
      [
        { Key: 'a', Value: '1' },
        { Key: 'a', Value: '2' },
      ],
    ],
    ['an empty key', [{ Key: '', Value: '1' }]],
    ['a key of 129 characters', [{ Key: 'k'.repeat(129), Value: '' }]],
    ['a value of 257 characters', [{ Key: 'k', Value: 'v'.repeat(257) }]],
    ['a character that no tag has', [{ Key: 'k', Value: '<' }]],
    ['a key of the system', [{ Key: 'aws:x', Value: '' }]],
  ])('refuses %s', async (_, tags) => {
    expect(await refusal(put(await newBucket(), tags))).toMatchObject({ code: 'InvalidTag', status: 400 })
  })

  it('removes them with an empty set', async () => {
    const Bucket = await newBucket()
    await put(Bucket, [{ Key: 'a', Value: '1' }])
    await put(Bucket, [])
    expect(await refusal(get(Bucket))).toMatchObject(noTags)
  })

  it('refuses a body that is not a tag set', async () => {
    const answer = await node().raw({ method: 'PUT', path: `/${await newBucket()}?tagging`, body: '<Tagging><Tag/></Tagging>' })
    expect([answer.status, answer.element('Code')]).toEqual([400, 'MalformedXML'])
  })
})

describe('GetBucketTagging', () => {
  it('answers 404 without tags', async () => {
    expect(await refusal(get(await newBucket()))).toMatchObject(noTags)
  })
})

describe('DeleteBucketTagging', () => {
  it('removes the tags, also where there are none', async () => {
    const Bucket = await newBucket()
    await put(Bucket, [{ Key: 'a', Value: '1' }])
    for (const _ of [1, 2]) {
      const { $metadata } = await node().s3.send(new DeleteBucketTaggingCommand({ Bucket }))
      expect($metadata.httpStatusCode).toBe(204)
    }
    expect(await refusal(get(Bucket))).toMatchObject(noTags)
  })
})
