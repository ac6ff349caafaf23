import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  GetPublicAccessBlockCommand,
  PutBucketAclCommand,
  PutBucketOwnershipControlsCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment()

async function newBucket(): Promise<string> {
  const Bucket = newName()
  await node().s3.send(new CreateBucketCommand({ Bucket }))
  return Bucket
}

async function blockOf(Bucket: string) {
  return (await node().s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration
}

const all = (value: boolean) => ({
  BlockPublicAcls: value,
  IgnorePublicAcls: value,
  BlockPublicPolicy: value,
  RestrictPublicBuckets: value,
})

describe('a public access block', () => {
  it('is replaced whole: what is left out is off', async () => {
    const Bucket = await newBucket()
    await node().s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: all(true) }))
    expect(await blockOf(Bucket)).toEqual(all(true))
    await node().s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: true } }))
    expect(await blockOf(Bucket)).toEqual({ ...all(false), BlockPublicAcls: true })
  })

  it('refuses public ACLs from the moment that it is set, and no longer when it is gone', async () => {
    const Bucket = await newBucket()
    const OwnershipControls = { Rules: [{ ObjectOwnership: 'ObjectWriter' as const }] }
    await node().s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }))
    const open = () => node().s3.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' }))
    await node().s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: true } }))
    expect(await refusal(open())).toMatchObject({ code: 'AccessDenied', status: 403 })
    for (const _ of [1, 2]) {
      const { $metadata } = await node().s3.send(new DeletePublicAccessBlockCommand({ Bucket }))
      expect($metadata.httpStatusCode).toBe(204)
    }
    await open()
    expect(await refusal(node().s3.send(new GetPublicAccessBlockCommand({ Bucket })))).toMatchObject({
      code: 'NoSuchPublicAccessBlockConfiguration',
      status: 404,
    })
  })

  it.each([
    ['a word that is no boolean', '<BlockPublicAcls>yes</BlockPublicAcls>'],
    ['an element twice', '<BlockPublicAcls>true</BlockPublicAcls><BlockPublicAcls>false</BlockPublicAcls>'],
  ])('is MalformedXML with %s', async (_, inner) => {
    const Bucket = await newBucket()
    const body = `<PublicAccessBlockConfiguration>${inner}</PublicAccessBlockConfiguration>`
    const answer = await node().raw({ method: 'PUT', path: `/${Bucket}?publicAccessBlock`, body })
    expect([answer.status, answer.element('Code')]).toEqual([400, 'MalformedXML'])
  })
})
