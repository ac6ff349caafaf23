import { CreateBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { account, newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })

async function newBucket(region: string): Promise<string> {
  const Bucket = newName()
  await node(region).s3.send(new CreateBucketCommand({ Bucket }))
  return Bucket
}

describe('HeadBucket', () => {
  it('answers 200 and the region', async () => {
    const { BucketRegion, AccessPointAlias } = await node('eu-west-1').s3.send(
      new HeadBucketCommand({ Bucket: await newBucket('eu-west-1') }),
    )
    expect([BucketRegion, AccessPointAlias]).toEqual(['eu-west-1', false])
  })

  it('answers 404 without a body for a bucket that is not there', async () => {
    const answer = await node().raw({ method: 'HEAD', path: `/${newName()}` })
    expect([answer.status, answer.text]).toEqual([404, ''])
  })

  it('answers 301 with the region for a bucket that lives elsewhere', async () => {
    const answer = await node('us-east-1').raw({ method: 'HEAD', path: `/${await newBucket('eu-west-1')}` })
    expect([answer.status, answer.headers.get('x-amz-bucket-region'), answer.text]).toEqual([301, 'eu-west-1', ''])
  })

  it('answers 403 with the region for whoever may not use it', async () => {
    const answer = await node().raw({ method: 'HEAD', path: `/${await newBucket('us-east-1')}`, signed: false })
    expect([answer.status, answer.headers.get('x-amz-bucket-region')]).toEqual([403, 'us-east-1'])
  })

  it('answers 403 when another owner is expected', async () => {
    const Bucket = await newBucket('us-east-1')
    await node().s3.send(new HeadBucketCommand({ Bucket, ExpectedBucketOwner: account.accountId }))
    expect(await refusal(node().s3.send(new HeadBucketCommand({ Bucket, ExpectedBucketOwner: '999999999999' })))).toMatchObject({
      status: 403,
    })
  })
})
