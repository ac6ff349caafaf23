import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketPolicyCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { operations } from '../../../src/operations/index.ts'
import { newName, useDeployment } from '../../support/deployment.ts'
import { type CallerName, callers, expected, patterns } from './expected.ts'
import { openPeople } from './people.ts'
import { outcomeOf, requestFor, standingKey, writtenKey } from './requests.ts'

const region = 'us-east-1'
const node = useDeployment({ regions: [region] })

describe('the table of what operations ask', () => {
  it('has every operation that is served, and no other', () => {
    expect(Object.keys(expected).sort()).toEqual(operations.map(({ name }) => name).sort())
  })
})

describe('what each caller gets', () => {
  it.each(operations.map((operation) => [operation.name, operation] as const))('of %s', { timeout: 60_000 }, async (name, operation) => {
    const entry = expected[name]
    if (entry === undefined) throw new Error(`${name} has no entry`)
    const people = await openPeople(node(), entry.actions)
    const buckets = { own: await bucketOf(people.own), foreign: await bucketOf(people.foreign) }
    const uploads = { own: await uploadIn(people.own, buckets.own), foreign: await uploadIn(people.foreign, buckets.foreign) }
    const found = { own: [] as CallerName[], foreign: [] as CallerName[] }
    for (const caller of callers) {
      const isNamed = caller === 'user of another account, named by the bucket policy'
      await people.own.send(new DeleteBucketPolicyCommand({ Bucket: buckets.own }))
      if (isNamed) await people.own.send(new PutBucketPolicyCommand({ Bucket: buckets.own, Policy: naming(people.namedArn, buckets.own) }))
      for (const side of ['own', 'foreign'] as const) {
        const bucket = entry.pattern === 'service' ? newName() : buckets[side]
        const request = requestFor(operation, { bucket, role: people.roleArn, uploadId: uploads[side] })
        const outcome = await outcomeOf(request, { endpoint: node().endpoint, region, identity: people.identities[caller] })
        if (outcome === 'allowed') found[side].push(caller)
      }
    }
    const { own, foreign } = patterns[entry.pattern]
    expect(found).toEqual({ own: inOrder(own), foreign: inOrder(foreign) })
  })
})

const inOrder = (names: readonly CallerName[]) => callers.filter((caller) => names.includes(caller))

async function bucketOf(client: S3Client): Promise<string> {
  const Bucket = newName()
  await client.send(new CreateBucketCommand({ Bucket }))
  await client.send(new PutObjectCommand({ Bucket, Key: standingKey, Body: 'stands' }))
  return Bucket
}

async function uploadIn(client: S3Client, Bucket: string): Promise<string> {
  const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: writtenKey }))
  return UploadId
}

function naming(AWS: string, bucket: string): string {
  const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`]
  return JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { AWS }, Action: 's3:*', Resource } })
}
