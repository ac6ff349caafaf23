import { CreateBucketCommand, ListBucketsCommand, paginateListBuckets } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { account, newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })
const prefix = newName('listed')
const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => `${prefix}-${letter}`)

beforeAll(async () => {
  for (const [i, Bucket] of names.entries())
    await node(i % 2 === 0 ? 'us-east-1' : 'eu-west-1').s3.send(new CreateBucketCommand({ Bucket }))
})

describe('ListBuckets', () => {
  it.each(['us-east-1', 'eu-west-1'])('lists the buckets of every region in %s, in order, each with its region', async (region) => {
    const { Buckets = [], Owner } = await node(region).s3.send(new ListBucketsCommand({ Prefix: prefix }))
    expect(Buckets.map(({ Name }) => Name)).toEqual(names)
    expect(Buckets.map(({ BucketRegion }) => BucketRegion)).toEqual(['us-east-1', 'eu-west-1', 'us-east-1', 'eu-west-1', 'us-east-1'])
    expect(Buckets.every(({ CreationDate }) => CreationDate !== undefined && Math.abs(Date.now() - CreationDate.getTime()) < 60_000)).toBe(
      true,
    )
    expect(Owner).toEqual({ ID: account.canonicalId })
  })

  it('gives pages of max-buckets, each bucket once', async () => {
    const pages: (string | undefined)[][] = []
    for await (const page of paginateListBuckets({ client: node().s3, pageSize: 2 }, { Prefix: prefix })) {
      pages.push((page.Buckets ?? []).map(({ Name }) => Name))
    }
    expect(pages).toEqual([names.slice(0, 2), names.slice(2, 4), names.slice(4)])
  })

  it('has no ContinuationToken on the page that ends the list', async () => {
    const { ContinuationToken, Prefix } = await node().s3.send(new ListBucketsCommand({ Prefix: prefix, MaxBuckets: names.length }))
    expect(ContinuationToken).toBeUndefined()
    expect(Prefix).toBe(prefix)
  })

  it('takes a prefix literally', async () => {
    const { Buckets = [] } = await node().s3.send(new ListBucketsCommand({ Prefix: `${prefix.slice(0, -1)}_%` }))
    expect(Buckets).toEqual([])
  })

  it('lists the buckets of one region', async () => {
    const { Buckets = [] } = await node().s3.send(new ListBucketsCommand({ Prefix: prefix, BucketRegion: 'eu-west-1' }))
    expect(Buckets.map(({ Name }) => Name)).toEqual([names[1], names[3]])
  })

  it.each(['0', '-1', '10001', 'x', '1.5'])('refuses max-buckets=%s', async (value) => {
    const answer = await node().raw({ method: 'GET', path: `/?max-buckets=${value}` })
    expect([answer.status, answer.element('Code'), answer.element('ArgumentName')]).toEqual([400, 'InvalidArgument', 'max-buckets'])
  })

  it('refuses a token that it did not give', async () => {
    expect(await refusal(node().s3.send(new ListBucketsCommand({ ContinuationToken: 'made-up' })))).toMatchObject({
      code: 'InvalidArgument',
      status: 400,
    })
  })

  it('says nothing to nobody', async () => {
    const answer = await node().raw({ method: 'GET', path: '/', signed: false })
    expect([answer.status, answer.element('Code')]).toEqual([403, 'AccessDenied'])
  })
})
