/** Ways around a permission: each asks for the same thing by a road that the rule does not seem to stand on. */
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeletePublicAccessBlockCommand,
  GetObjectTaggingCommand,
  ListMultipartUploadsCommand,
  PutBucketPolicyCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { SignatureV4 } from '@smithy/signature-v4'
import { sign } from 'aws4'
import { beforeAll, describe, expect, it } from 'vitest'
import { allow, homeAccount, type Keys, newAccount, newUser, statements } from '../iam/callers.ts'
import { Sha256 } from '../s3/auth/random-requests.ts'
import { credentials, newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment()

function clientOf(keys: Keys): S3Client {
  const { endpoint, region } = node()
  const requestHandler = { httpAgent: { keepAlive: false } }
  return new S3Client({ endpoint, region, credentials: keys, forcePathStyle: true, maxAttempts: 1, requestHandler })
}

async function newBucket(): Promise<string> {
  const Bucket = newName()
  await node().s3.send(new CreateBucketCommand({ Bucket }))
  return Bucket
}

describe('a tag that may not be put', () => {
  let Bucket: string
  let client: S3Client
  const Tagging = 'class=public'
  beforeAll(async () => {
    Bucket = await newBucket()
    const Condition = { StringEquals: { 's3:RequestObjectTag/class': 'public' } }
    const rights = { Effect: 'Allow', Action: 's3:*', Resource: '*' }
    const forbidden = { Effect: 'Deny', Action: ['s3:PutObject', 's3:PutObjectTagging'], Resource: '*', Condition }
    client = clientOf((await newUser(node(), { policy: statements(rights, forbidden) })).keys)
  })

  it('is not put by a header, and another is', async () => {
    expect((await refusal(client.send(new PutObjectCommand({ Bucket, Key: 'k', Tagging })))).code).toBe('AccessDenied')
    await client.send(new PutObjectCommand({ Bucket, Key: 'other', Tagging: 'class=private' }))
    const { TagSet } = await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'other' }))
    expect(TagSet).toEqual([{ Key: 'class', Value: 'private' }])
  })

  it('is not put by an upload in parts, nor with the name of a source beside it that is not copied', async () => {
    const plain = new CreateMultipartUploadCommand({ Bucket, Key: 'k', Tagging })
    expect((await refusal(client.send(plain))).code).toBe('AccessDenied')
    const beside = new CreateMultipartUploadCommand({ Bucket, Key: 'k', Tagging })
    beside.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { headers: Record<string, string> } // what the SDK is about to sign
        request.headers['x-amz-copy-source'] = '/a/b'
        return next(args)
      },
      { step: 'build' },
    )
    expect((await refusal(client.send(beside))).code).toBe('AccessDenied')
    expect((await node().s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toBeUndefined()
  })

  it.each([
    ['header-like field', { 'x-amz-tagging': Tagging }],
    ['header-like field beside a source', { 'x-amz-tagging': Tagging, 'x-amz-copy-source': '/a/b' }],
    ['document', { tagging: '<Tagging><TagSet><Tag><Key>class</Key><Value>public</Value></Tag></TagSet></Tagging>' }],
  ])('is not put by the %s of a form', async (_, fields) => {
    const { status, code } = await postForm(Bucket, { key: 'k', ...fields }, (await newUser(node(), { policy: policyText() })).keys)
    expect({ status, code }).toEqual({ status: 403, code: 'AccessDenied' })
  })

  const policyText = () =>
    statements(
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: 's3:PutObject', Resource: '*', Condition: { StringEquals: { 's3:RequestObjectTag/class': 'public' } } },
    )
})

/** A form in a request that is signed by its header. */
async function postForm(
  bucket: string,
  fields: Readonly<Record<string, string>>,
  keys: Keys,
): Promise<{ status: number; code: string | undefined }> {
  const part = (words: string, value: string) => `--edge\r\nContent-Disposition: form-data; ${words}\r\n\r\n${value}\r\n`
  const parts = Object.entries(fields).map(([name, value]) => part(`name="${name}"`, value))
  const body = `${parts.join('')}${part('name="file"; filename="f"', 'bytes')}--edge--\r\n`
  const headers = { 'content-type': 'multipart/form-data; boundary=edge' }
  return send({ path: `/${bucket}`, service: 's3', headers, body, keys })
}

interface Sent {
  readonly path: string
  readonly service: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly keys: Keys
}

async function send({ path, service, headers, body, keys }: Sent): Promise<{ status: number; code: string | undefined; text: string }> {
  const { endpoint, region } = node()
  const { host } = new URL(endpoint)
  const signed = sign({ host, path, service, region, method: 'POST', headers: { ...headers }, body }, keys)
  const kept = Object.entries(signed.headers ?? {}).filter(([name]) => !['host', 'content-length'].includes(name.toLowerCase()))
  const answer = await fetch(endpoint + path, {
    method: 'POST',
    headers: Object.fromEntries(kept.map(([name, value]) => [name, String(value)])),
    body,
  })
  const text = await answer.text()
  return { status: answer.status, code: /<Code>([^<]*)</.exec(text)?.[1], text }
}

describe('a call of IAM', () => {
  it('is what was signed, whatever a header says of its body', async () => {
    const form = (action: string) => `Action=${action}&Version=2010-05-08`
    const { endpoint, region } = node()
    const { hostname, port } = new URL(endpoint)
    const signer = new SignatureV4({ credentials, region, service: 'iam', sha256: Sha256 })
    const headers = {
      host: `${hostname}:${port}`,
      'content-type': 'application/x-www-form-urlencoded',
      // The signer puts it in the place of the body's digest.
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    }
    const signed = await signer.sign({ method: 'POST', protocol: 'http:', hostname, path: '/', headers, body: form('GetUser') })
    const { host: _, ...rest } = signed.headers
    const answer = await fetch(endpoint, { method: 'POST', headers: rest, body: form('CreateAccessKey') })
    const text = await answer.text()
    expect({ status: answer.status, code: /<Code>([^<]*)</.exec(text)?.[1] }).toEqual({ status: 403, code: 'SignatureDoesNotMatch' })
    expect(text).not.toContain('AccessKeyId>')
  })
})

describe('the right to pass a role', () => {
  it('may be given for S3 alone, and taken for S3 alone', async () => {
    const Bucket = await newBucket()
    const { s3, region } = node()
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
    const put = async (Effect: 'Allow' | 'Deny', service: string) => {
      const pass = { Effect, Action: 'iam:PassRole', Resource: '*', Condition: { StringEquals: { 'iam:PassedToService': service } } }
      const rights = { Effect: 'Allow', Action: Effect === 'Allow' ? 's3:*' : '*', Resource: '*' }
      const client = clientOf((await newUser(node(), { policy: statements(rights, pass) })).keys)
      const Role = `arn:aws:iam::${homeAccount}:role/nobody-in-${region}`
      const rule = { Status: 'Enabled' as const, Prefix: '', Destination: { Bucket: 'arn:aws:s3:::nowhere-at-all' } }
      const ReplicationConfiguration = { Role, Rules: [rule] }
      return (await refusal(client.send(new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration })))).code
    }
    expect(await put('Allow', 's3.amazonaws.com')).toBe('InvalidRequest')
    expect(await put('Allow', 'ec2.amazonaws.com')).toBe('AccessDenied')
    expect(await put('Deny', 's3.amazonaws.com')).toBe('AccessDenied')
    expect(await put('Deny', 'ec2.amazonaws.com')).toBe('InvalidRequest')
  })
})

describe('who may write and not read', () => {
  it('learns nothing of what is there by a condition', async () => {
    const Bucket = await newBucket()
    await node().s3.send(new PutObjectCommand({ Bucket, Key: 'there', Body: 'x' }))
    const writer = clientOf((await newUser(node(), { policy: allow(['s3:PutObject', 's3:DeleteObject']) })).keys)
    for (const Key of ['there', 'not-there']) {
      const IfMatch = '"00000000000000000000000000000000"'
      expect((await refusal(writer.send(new DeleteObjectCommand({ Bucket, Key, IfMatch })))).code).toBe('AccessDenied')
      const { Errors } = await writer.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key, ETag: IfMatch }] } }))
      expect(Errors?.map(({ Code }) => Code)).toEqual(['AccessDenied'])
      const { UploadId } = await writer.send(new CreateMultipartUploadCommand({ Bucket, Key }))
      const { ETag } = await writer.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'part' }))
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
      const complete = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload, IfMatch })
      expect((await refusal(writer.send(complete))).code).toBe('AccessDenied')
    }
  })
})

describe('a bucket policy', () => {
  it('is nobody else’s to take over, even where it says so', async () => {
    const Bucket = await newBucket()
    await node().s3.send(new DeletePublicAccessBlockCommand({ Bucket }))
    const other = await newAccount(node())
    const Principal = { AWS: other.accountId }
    const Policy = statements({
      Effect: 'Allow',
      Principal,
      Action: 's3:*',
      Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
    })
    await node().s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))
    const client = clientOf(other.keys)
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    expect((await refusal(client.send(new PutBucketPolicyCommand({ Bucket, Policy })))).code).toBe('MethodNotAllowed')
  })
})
