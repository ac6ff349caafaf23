import {
  CreateBucketCommand,
  DeleteBucketEncryptionCommand,
  GetBucketEncryptionCommand,
  HeadObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { newName, openDeployment, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment()
const sse = (SSEAlgorithm: 'AES256' | 'aws:kms', more = {}) => ({
  Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm }, ...more }],
})

async function newBucket(): Promise<string> {
  const Bucket = newName()
  await node().s3.send(new CreateBucketCommand({ Bucket }))
  return Bucket
}

async function rulesOf(Bucket: string) {
  return (await node().s3.send(new GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration?.Rules
}

const notFound = { code: 'ServerSideEncryptionConfigurationNotFoundError', status: 404 }

describe('PutBucketEncryption', () => {
  it('makes AES256 the default of new objects', async () => {
    const Bucket = await newBucket()
    await node().s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: sse('AES256') }))
    expect(await rulesOf(Bucket)).toEqual([{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false }])
    await node().s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    expect((await node().s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).ServerSideEncryption).toBe('AES256')
  })

  it('keeps BucketKeyEnabled', async () => {
    const Bucket = await newBucket()
    await node().s3.send(
      new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: sse('AES256', { BucketKeyEnabled: true }) }),
    )
    expect((await rulesOf(Bucket))?.[0]?.BucketKeyEnabled).toBe(true)
  })

  const rule = (inner: string) => `<Rule><ApplyServerSideEncryptionByDefault>${inner}</ApplyServerSideEncryptionByDefault></Rule>`
  it.each([
    ['SSE-KMS', rule('<SSEAlgorithm>aws:kms</SSEAlgorithm>'), 501, 'NotImplemented'],
    ['an unknown algorithm', rule('<SSEAlgorithm>ROT13</SSEAlgorithm>'), 400, 'MalformedXML'],
    ['a key for AES256', rule('<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>'), 400, 'InvalidArgument'],
    ['no rule', '', 400, 'MalformedXML'],
    ['two rules', rule('<SSEAlgorithm>AES256</SSEAlgorithm>').repeat(2), 400, 'MalformedXML'],
    ['an empty rule', '<Rule/>', 400, 'MalformedXML'],
    [
      'blocked types',
      `${rule('<SSEAlgorithm>AES256</SSEAlgorithm>').replace('</Rule>', '')}<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule>`,
      501,
      'NotImplemented',
    ],
  ])('refuses %s and keeps what stands', async (_, inner, status, code) => {
    const Bucket = await newBucket()
    await node().s3.send(
      new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: sse('AES256', { BucketKeyEnabled: true }) }),
    )
    const answer = await node().raw({
      method: 'PUT',
      path: `/${Bucket}?encryption`,
      body: `<ServerSideEncryptionConfiguration>${inner}</ServerSideEncryptionConfiguration>`,
    })
    expect([answer.status, answer.element('Code')]).toEqual([status, code])
    expect((await rulesOf(Bucket))?.[0]?.BucketKeyEnabled).toBe(true)
  })
})

describe('GetBucketEncryption', () => {
  it('answers 404 without a configuration where nothing is encrypted by default', async () => {
    expect(await refusal(node().s3.send(new GetBucketEncryptionCommand({ Bucket: await newBucket() })))).toMatchObject(notFound)
  })

  it('answers AES256 without a configuration where everything is encrypted', async () => {
    const encrypting = await openDeployment({ defaults: { encryption: 'AES256' } })
    try {
      const Bucket = newName()
      const { s3 } = encrypting.node('us-east-1')
      await s3.send(new CreateBucketCommand({ Bucket }))
      const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand({ Bucket }))
      expect(ServerSideEncryptionConfiguration).toEqual(sse('AES256', { BucketKeyEnabled: false }))
    } finally {
      await encrypting.close()
    }
  })
})

describe('DeleteBucketEncryption', () => {
  it('removes the configuration, also one that is not there', async () => {
    const Bucket = await newBucket()
    await node().s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: sse('AES256') }))
    for (const _ of [1, 2]) {
      const { $metadata } = await node().s3.send(new DeleteBucketEncryptionCommand({ Bucket }))
      expect($metadata.httpStatusCode).toBe(204)
    }
    expect(await refusal(node().s3.send(new GetBucketEncryptionCommand({ Bucket })))).toMatchObject(notFound)
  })
})
