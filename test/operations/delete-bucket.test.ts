import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  HeadBucketCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })

async function newBucket(region = 'us-east-1'): Promise<string> {
  const Bucket = newName()
  await node(region).s3.send(new CreateBucketCommand({ Bucket }))
  return Bucket
}

describe('DeleteBucket', () => {
  it('drops an empty bucket, and its name in every region', async () => {
    const Bucket = await newBucket('eu-west-1')
    const { $metadata } = await node('eu-west-1').s3.send(new DeleteBucketCommand({ Bucket }))
    expect($metadata.httpStatusCode).toBe(204)
    expect(await refusal(node('eu-west-1').s3.send(new HeadBucketCommand({ Bucket })))).toMatchObject({ status: 404 })
    await node('us-east-1').s3.send(new CreateBucketCommand({ Bucket }))
  })

  it('refuses a bucket with an object, which stays usable', async () => {
    const Bucket = await newBucket()
    await node().s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    expect(await refusal(node().s3.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({ code: 'BucketNotEmpty', status: 409 })
    await node().s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
    await node().s3.send(new DeleteBucketCommand({ Bucket }))
  })

  it('refuses a bucket that holds only a delete marker', async () => {
    const Bucket = await newBucket()
    await node().s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
    await node().s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
    const { code, message } = await refusal(node().s3.send(new DeleteBucketCommand({ Bucket })))
    expect(code).toBe('BucketNotEmpty')
    expect(message).toContain('You must delete all versions in the bucket.')
  })

  it('answers NoSuchBucket for a bucket that is not there', async () => {
    expect(await refusal(node().s3.send(new DeleteBucketCommand({ Bucket: newName() })))).toMatchObject({
      code: 'NoSuchBucket',
      status: 404,
    })
  })

  it.each(['acl', 'location', 'versioning'])('never takes DELETE ?%s for it', async (subResource) => {
    const Bucket = await newBucket()
    const answer = await node().raw({ method: 'DELETE', path: `/${Bucket}?${subResource}` })
    expect([answer.status, answer.element('Code')]).toEqual([405, 'MethodNotAllowed'])
    await node().s3.send(new HeadBucketCommand({ Bucket }))
  })
})
