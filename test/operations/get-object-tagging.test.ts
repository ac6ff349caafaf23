import { DeleteObjectCommand, GetObjectTaggingCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { denying, refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const tagging = (Bucket: string, Key: string, VersionId?: string) => client().send(new GetObjectTaggingCommand({ Bucket, Key, VersionId }))

describe('GetObjectTagging', () => {
  it('answers 200 with an empty set for an object without tags', async () => {
    const Bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { VersionId } = await client().send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    expect(await tagging(Bucket, 'k')).toMatchObject({ TagSet: [], VersionId })
    expect((await region().raw({ method: 'GET', path: `/${Bucket}/k?tagging` })).text).toContain('<TagSet></TagSet>')
  })

  it('answers 404 for a missing key and 405 for a delete marker by its id', async () => {
    const Bucket = await region().makeBucket({ versioning: 'Enabled' })
    expect(await refusal(tagging(Bucket, 'missing'))).toMatchObject({ code: 'NoSuchKey', status: 404 })
    const { VersionId } = await client().send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
    expect(await refusal(tagging(Bucket, 'k', VersionId))).toMatchObject({ code: 'MethodNotAllowed', status: 405 })
    expect(await refusal(tagging(Bucket, 'k', '0'.repeat(32)))).toMatchObject({ code: 'NoSuchVersion', status: 404 })
  })

  it('asks for the right to the tags of a version when one is named', async () => {
    const Bucket = await region().makeBucket()
    await client().send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    region().deny = denying('s3:GetObjectVersionTagging')
    expect(await refusal(tagging(Bucket, 'k', 'null'))).toMatchObject({ code: 'AccessDenied', status: 403 })
    expect((await tagging(Bucket, 'k')).TagSet).toEqual([])
    region().deny = () => {}
  })
})
