import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { allow, newUser } from '../iam/callers.ts'
import { newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment()
const Bucket = newName()
const Key = 'key'
let versionId: string | undefined

beforeAll(async () => {
  const { s3 } = node()
  await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  versionId = (await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'first' }))).VersionId
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'second' }))
})

async function userWith(...actions: readonly string[]): Promise<S3Client> {
  const { endpoint, region } = node()
  const { keys } = await newUser(node(), { policy: allow(actions) })
  return new S3Client({
    endpoint,
    region,
    credentials: keys,
    forcePathStyle: true,
    maxAttempts: 1,
    requestHandler: { httpAgent: { keepAlive: false } },
  })
}

const one = () => ({ Bucket, Key, VersionId: versionId })

describe('a version by its id', () => {
  it('is not read by who may only s3:GetObject, and by who may s3:GetObjectVersion nothing else is', async () => {
    const current = await userWith('s3:GetObject')
    expect(await (await current.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()).toBe('second')
    expect((await refusal(current.send(new GetObjectCommand(one())))).code).toBe('AccessDenied')
    await expect(current.send(new HeadObjectCommand(one()))).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } })
    const versions = await userWith('s3:GetObjectVersion')
    expect(await (await versions.send(new GetObjectCommand(one()))).Body?.transformToString()).toBe('first')
    expect((await refusal(versions.send(new GetObjectCommand({ Bucket, Key })))).code).toBe('AccessDenied')
  })

  it('is not copied by who may only s3:GetObject', async () => {
    const copier = await userWith('s3:GetObject', 's3:PutObject', 's3:GetObjectTagging', 's3:PutObjectTagging')
    const copy = (CopySource: string) => copier.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }))
    expect((await copy(`${Bucket}/${Key}`)).CopyObjectResult?.ETag).toBeDefined()
    expect((await refusal(copy(`${Bucket}/${Key}?versionId=${versionId}`))).code).toBe('AccessDenied')
  })

  it('is not removed by who may only s3:DeleteObject', async () => {
    const deleter = await userWith('s3:DeleteObject')
    expect((await refusal(deleter.send(new DeleteObjectCommand(one())))).code).toBe('AccessDenied')
    expect((await node().s3.send(new HeadObjectCommand(one()))).ContentLength).toBe(5)
  })
})

describe('a part that is copied', () => {
  it('asks for the source, and for its version where one is named', async () => {
    const part = async (actions: readonly string[], CopySource: string) => {
      const client = await userWith('s3:PutObject', ...actions)
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }))
      return client.send(new UploadPartCopyCommand({ Bucket, Key: 'parts', UploadId, PartNumber: 1, CopySource }))
    }
    expect((await refusal(part([], `${Bucket}/${Key}`))).code).toBe('AccessDenied')
    expect((await refusal(part(['s3:GetObject'], `${Bucket}/${Key}?versionId=${versionId}`))).code).toBe('AccessDenied')
    expect((await part(['s3:GetObject'], `${Bucket}/${Key}`)).CopyPartResult?.ETag).toBeDefined()
    expect((await part(['s3:GetObjectVersion'], `${Bucket}/${Key}?versionId=${versionId}`)).CopyPartResult?.ETag).toBeDefined()
  })
})
