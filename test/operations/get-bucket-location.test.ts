import { CreateBucketCommand, GetBucketLocationCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { account, newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })

async function newBucket(region: string): Promise<string> {
  const Bucket = newName()
  await node(region).s3.send(new CreateBucketCommand({ Bucket }))
  return Bucket
}

describe('GetBucketLocation', () => {
  it('is an empty element for us-east-1', async () => {
    const answer = await node().raw({ method: 'GET', path: `/${await newBucket('us-east-1')}?location` })
    expect(answer.text).toMatch(/<LocationConstraint xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">\s*<\/LocationConstraint>$/)
  })

  it.each(['us-east-1', 'eu-west-1'])('names the region of a bucket of eu-west-1 when %s is asked', async (asked) => {
    const Bucket = await newBucket('eu-west-1')
    const { LocationConstraint } = await node(asked).s3.send(new GetBucketLocationCommand({ Bucket }))
    expect(LocationConstraint).toBe('eu-west-1')
  })

  it('answers NoSuchBucket for a bucket that is not there', async () => {
    expect(await refusal(node().s3.send(new GetBucketLocationCommand({ Bucket: newName() })))).toMatchObject({
      code: 'NoSuchBucket',
      status: 404,
    })
  })

  it('is denied to nobody, for the bucket of somebody else, and when another owner is expected', async () => {
    const Bucket = await newBucket('us-east-1')
    expect((await node().raw({ method: 'GET', path: `/${Bucket}?location`, signed: false })).element('Code')).toBe('AccessDenied')
    const foreign = newName()
    await node().control.createBucket({ name: foreign, ownerId: 'd'.repeat(64), settings: {} })
    expect(await refusal(node().s3.send(new GetBucketLocationCommand({ Bucket: foreign })))).toMatchObject({
      code: 'AccessDenied',
      status: 403,
    })
    const expecting = new GetBucketLocationCommand({ Bucket, ExpectedBucketOwner: '999999999999' })
    expect(await refusal(node().s3.send(expecting))).toMatchObject({ code: 'AccessDenied', status: 403 })
    await node().s3.send(new GetBucketLocationCommand({ Bucket, ExpectedBucketOwner: account.accountId }))
  })
})
