import { DeleteObjectTaggingCommand, GetObjectTaggingCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client

describe('DeleteObjectTagging', () => {
  it('removes the tags of the version that is named, and only those', async () => {
    const Bucket = await region().makeBucket({ versioning: 'Enabled' })
    const put = () => client().send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', Tagging: 'a=1' }))
    const { VersionId } = await put()
    await put()
    const answer = await client().send(new DeleteObjectTaggingCommand({ Bucket, Key: 'k', VersionId }))
    expect([answer.$metadata.httpStatusCode, answer.VersionId]).toEqual([204, VersionId])
    expect((await client().send(new GetObjectTaggingCommand({ Bucket, Key: 'k', VersionId }))).TagSet).toEqual([])
    expect((await client().send(new GetObjectTaggingCommand({ Bucket, Key: 'k' }))).TagSet).toHaveLength(1)
  })

  it('answers 404 for a missing key', async () => {
    const Bucket = await region().makeBucket()
    const missing = client().send(new DeleteObjectTaggingCommand({ Bucket, Key: 'missing' }))
    expect(await refusal(missing)).toMatchObject({ code: 'NoSuchKey', status: 404 })
  })
})
