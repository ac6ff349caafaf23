import {
  CreateBucketCommand,
  DeleteBucketOwnershipControlsCommand,
  GetBucketAclCommand,
  GetBucketOwnershipControlsCommand,
  type ObjectOwnership,
  PutBucketAclCommand,
  PutBucketOwnershipControlsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment()

async function newBucket(): Promise<string> {
  const Bucket = newName()
  await node().s3.send(new CreateBucketCommand({ Bucket }))
  return Bucket
}

async function setOwnership(Bucket: string, ObjectOwnership: ObjectOwnership) {
  return await node().s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership }] } }))
}

async function ownershipOf(Bucket: string) {
  const { OwnershipControls } = await node().s3.send(new GetBucketOwnershipControlsCommand({ Bucket }))
  return OwnershipControls?.Rules
}

const openToAccounts = (Bucket: string) => node().s3.send(new PutBucketAclCommand({ Bucket, ACL: 'authenticated-read' }))

describe('PutBucketOwnershipControls', () => {
  it.each(['BucketOwnerPreferred', 'ObjectWriter', 'BucketOwnerEnforced'] as const)('sets %s, which is read at once', async (ownership) => {
    const Bucket = await newBucket()
    await setOwnership(Bucket, ownership)
    expect(await ownershipOf(Bucket)).toEqual([{ ObjectOwnership: ownership }])
    const withAcl = node().s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ACL: 'private' }))
    if (ownership === 'BucketOwnerEnforced') expect(await refusal(withAcl)).toMatchObject({ code: 'AccessControlListNotSupported' })
    else expect((await withAcl).$metadata.httpStatusCode).toBe(200)
  })

  it('does not switch ACLs off while the bucket has one that opens it to others', async () => {
    const Bucket = await newBucket()
    await setOwnership(Bucket, 'ObjectWriter')
    const ID = (await node().s3.send(new GetBucketAclCommand({ Bucket }))).Owner?.ID
    const logs = {
      Grantee: { Type: 'Group' as const, URI: 'http://acs.amazonaws.com/groups/s3/LogDelivery' },
      Permission: 'WRITE' as const,
    }
    const AccessControlPolicy = { Owner: { ID }, Grants: [logs] }
    await node().s3.send(new PutBucketAclCommand({ Bucket, AccessControlPolicy }))
    expect(await refusal(setOwnership(Bucket, 'BucketOwnerEnforced'))).toMatchObject({
      code: 'InvalidBucketAclWithObjectOwnership',
      status: 400,
    })
    expect(await ownershipOf(Bucket)).toEqual([{ ObjectOwnership: 'ObjectWriter' }])
    await node().s3.send(new PutBucketAclCommand({ Bucket, ACL: 'private' }))
    await setOwnership(Bucket, 'BucketOwnerEnforced')
    expect(await refusal(openToAccounts(Bucket))).toMatchObject({ code: 'AccessControlListNotSupported' })
  })

  const rule = (ownership: string) => `<Rule><ObjectOwnership>${ownership}</ObjectOwnership></Rule>`
  it.each([
    ['no rule', ''],
    ['two rules', rule('ObjectWriter').repeat(2)],
    ['an unknown ownership', rule('Nobody')],
    ['an empty rule', '<Rule/>'],
  ])('refuses %s and keeps what stands', async (_, inner) => {
    const Bucket = await newBucket()
    const body = `<OwnershipControls>${inner}</OwnershipControls>`
    const answer = await node().raw({ method: 'PUT', path: `/${Bucket}?ownershipControls`, body })
    expect([answer.status, answer.element('Code')]).toEqual([400, 'MalformedXML'])
    expect(await ownershipOf(Bucket)).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }])
  })
})

describe('DeleteBucketOwnershipControls', () => {
  it('leaves a bucket whose ACLs count, also when it is repeated', async () => {
    const Bucket = await newBucket()
    for (const _ of [1, 2]) {
      const { $metadata } = await node().s3.send(new DeleteBucketOwnershipControlsCommand({ Bucket }))
      expect($metadata.httpStatusCode).toBe(204)
    }
    expect(await refusal(node().s3.send(new GetBucketOwnershipControlsCommand({ Bucket })))).toMatchObject({
      code: 'OwnershipControlsNotFoundError',
      status: 404,
    })
    await node().s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ACL: 'private' }))
  })
})
