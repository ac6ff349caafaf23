import {
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { anything, clientOf, otherAccountId, type Statement, user } from '../support/callers.ts'
import { accountId, refusal, useRegion } from '../support/region.ts'

const nobody = user('nobody')
const admin = user('admin', { statements: [anything] })
const reader = user('reader', { statements: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] })
const stranger = user('stranger', { of: 'other', statements: [anything] })
const poor = user('poor', { of: 'other' })
const region = useRegion({ principals: [nobody, admin, reader, stranger, poor] })

let clients: Record<'nobody' | 'admin' | 'reader' | 'stranger' | 'poor', S3Client>
beforeAll(() => {
  const of = (principal: typeof nobody) => clientOf(principal, region())
  clients = { nobody: of(nobody), admin: of(admin), reader: of(reader), stranger: of(stranger), poor: of(poor) }
})

const get = (client: S3Client, Bucket: string, Key = 'k') => client.send(new GetObjectCommand({ Bucket, Key }))
const put = (client: S3Client, Bucket: string, Key = 'k') => client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
const fetched = async (bucket: string, path: string, init?: RequestInit) =>
  (await fetch(`${region().endpoint}/${bucket}/${path}`, init)).status

function policy(...statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/** A bucket with one object in it, and the policy that its name fits into. */
async function bucketWith(...statements: readonly ((arn: string) => Statement)[]): Promise<string> {
  const Bucket = await region().makeBucket()
  await put(region().client, Bucket)
  const Policy = policy(...statements.map((statement) => statement(`arn:aws:s3:::${Bucket}`)))
  if (statements.length > 0) await region().client.send(new PutBucketPolicyCommand({ Bucket, Policy }))
  return Bucket
}

const openTo =
  (Principal: unknown, Action: unknown = 's3:GetObject') =>
  (arn: string): Statement => ({
    Effect: 'Allow',
    Principal,
    Action,
    Resource: [arn, `${arn}/*`],
  })

describe('PutBucketPolicy, GetBucketPolicy, DeleteBucketPolicy', () => {
  it('answers the text as it was put, until it is deleted', async () => {
    const Bucket = await region().makeBucket()
    const Policy = ` ${policy({ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*` })}\n`
    const { client } = region()
    expect(await refusal(client.send(new GetBucketPolicyCommand({ Bucket })))).toMatchObject({ code: 'NoSuchBucketPolicy', status: 404 })
    await client.send(new PutBucketPolicyCommand({ Bucket, Policy }))
    expect((await client.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy)
    await client.send(new DeleteBucketPolicyCommand({ Bucket }))
    expect(await refusal(client.send(new GetBucketPolicyCommand({ Bucket })))).toMatchObject({ code: 'NoSuchBucketPolicy' })
    await client.send(new DeleteBucketPolicyCommand({ Bucket }))
  })

  it.each<[string, (arn: string) => string, string, RegExp]>([
    ['no JSON', () => '{', 'MalformedPolicy', /invalid Json/],
    [
      'another bucket',
      () => policy(openTo('*')('arn:aws:s3:::other')),
      'MalformedPolicy',
      /Policy has invalid resource.*Statement\[0\]\.Resource/,
    ],
    [
      'an action of IAM',
      (arn) => policy(openTo('*', 'iam:GetUser')(arn)),
      'MalformedPolicy',
      /Policy has invalid action.*Statement\[0\]\.Action/,
    ],
    ['an action that S3 has not', (arn) => policy(openTo('*', 's3:GetObjects')(arn)), 'MalformedPolicy', /Policy has invalid action/],
    ['a principal that is none', (arn) => policy(openTo({ AWS: 'me' })(arn)), 'MalformedPolicy', /Invalid principal in policy.*Principal/],
    ['20 KiB and more', (arn) => policy({ ...openTo('*')(arn), Sid: 'a'.repeat(20_480) }), 'PolicyTooLarge', /20480/],
  ])('refuses %s', async (_, text, code, message) => {
    const Bucket = await region().makeBucket()
    const refused = await refusal(region().client.send(new PutBucketPolicyCommand({ Bucket, Policy: text(`arn:aws:s3:::${Bucket}`) })))
    expect(refused).toMatchObject({ code, status: 400, message: expect.stringMatching(message) })
    expect(await refusal(region().client.send(new GetBucketPolicyCommand({ Bucket })))).toMatchObject({ code: 'NoSuchBucketPolicy' })
  })

  it('refuses an empty body', async () => {
    const bucket = await region().makeBucket()
    expect(await region().raw({ method: 'PUT', path: `/${bucket}?policy` })).toMatchObject({ status: 400 })
  })

  it('lets the root take back a policy that denies it everything', async () => {
    const Bucket = await bucketWith((arn) => ({ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [arn, `${arn}/*`] }))
    expect(await refusal(get(region().client, Bucket))).toMatchObject({ code: 'AccessDenied' })
    expect(await refusal(clients.admin.send(new DeleteBucketPolicyCommand({ Bucket })))).toMatchObject({
      message: expect.stringContaining('with an explicit deny in a resource-based policy'),
    })
    await region().client.send(new DeleteBucketPolicyCommand({ Bucket }))
    await get(region().client, Bucket)
  })
})

describe('GetBucketPolicyStatus', () => {
  it('says whether the policy is public', async () => {
    const status = async (Bucket: string) =>
      (await region().client.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus?.IsPublic
    expect(await status(await bucketWith(openTo('*')))).toBe(true)
    expect(await status(await bucketWith(openTo({ AWS: accountId })))).toBe(false)
    const narrow = { Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } }
    expect(await status(await bucketWith((arn) => ({ ...openTo('*')(arn), ...narrow })))).toBe(false)
  })
})

describe('a bucket policy', () => {
  it('opens objects to the anonymous, and nothing else', async () => {
    const bucket = await bucketWith(openTo('*'))
    expect(await fetched(bucket, 'k')).toBe(200)
    expect(await fetched(bucket, 'k', { method: 'PUT', body: 'y' })).toBe(403)
    expect(await fetched(bucket, 'none')).toBe(403)
    expect(await fetched(bucket, '?list-type=2')).toBe(403)
    expect(await fetched(await bucketWith(), 'k')).toBe(403)
  })

  it('tells that a key is missing to those who may list', async () => {
    const bucket = await bucketWith(openTo('*', ['s3:GetObject', 's3:ListBucket']))
    expect(await fetched(bucket, 'none')).toBe(404)
    expect(await refusal(get(clients.reader, await bucketWith(), 'none'))).toMatchObject({ code: 'AccessDenied' })
    expect(await refusal(get(clients.admin, await bucketWith(), 'none'))).toMatchObject({ code: 'NoSuchKey' })
  })

  it('allows a user of the account whom no policy of its own does', async () => {
    const closed = await refusal(get(clients.nobody, await bucketWith()))
    expect(closed).toMatchObject({
      code: 'AccessDenied',
      message: expect.stringMatching(
        /^User: arn:aws:iam::123456789012:user\/nobody is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::[^"]+\/k" because no identity-based policy allows the s3:GetObject action$/,
      ),
    })
    await get(clients.nobody, await bucketWith(openTo({ AWS: nobody.arn })))
    expect(await refusal(get(clients.nobody, await bucketWith(openTo({ AWS: accountId }))))).toMatchObject({ code: 'AccessDenied' })
  })

  it('is half of what somebody of another account needs', async () => {
    const bucket = await bucketWith(openTo({ AWS: otherAccountId }))
    await get(clients.stranger, bucket)
    expect(await refusal(get(clients.poor, bucket))).toMatchObject({ code: 'AccessDenied', message: 'Access Denied' })
    expect(await refusal(get(clients.stranger, await bucketWith()))).toMatchObject({ code: 'AccessDenied', message: 'Access Denied' })
    expect(await refusal(get(clients.poor, await bucketWith(openTo({ AWS: poor.arn }))))).toMatchObject({ code: 'AccessDenied' })
  })

  it('holds listings to a prefix, and asks no header for it', async () => {
    const bucket = await bucketWith((arn) => ({
      ...openTo('*', 's3:ListBucket')(arn),
      Condition: { StringLike: { 's3:prefix': 'home/*' } },
    }))
    expect(await fetched(bucket, '?list-type=2&prefix=home/a')).toBe(200)
    expect(await fetched(bucket, '?list-type=2&prefix=etc/')).toBe(403)
    expect(
      await fetched(bucket, '?list-type=2', { headers: { prefix: 'home/a', 'x-amz-prefix': 'home/a', 'aws-sourceip': '192.0.2.1' } }),
    ).toBe(403)
    // HEAD of a bucket and GET of an object read no prefix.
    expect(await fetched(bucket, '?prefix=home/a', { method: 'HEAD' })).toBe(403)
    expect((await clients.admin.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount).toBe(1)
  })

  it('reads the address from the socket alone', async () => {
    const from = (range: string) => (arn: string) => ({ ...openTo('*')(arn), Condition: { IpAddress: { 'aws:SourceIp': range } } })
    const away = await bucketWith(from('192.0.2.0/24'))
    expect(await fetched(await bucketWith(from('127.0.0.0/8')), 'k')).toBe(200)
    expect(await fetched(away, 'k', { headers: { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' } })).toBe(403)
  })

  it('sees the tags of an object, of this version', async () => {
    const bucket = await bucketWith((arn) => ({
      ...openTo('*')(arn),
      Condition: { StringEquals: { 's3:ExistingObjectTag/public': 'yes' } },
    }))
    expect(await fetched(bucket, 'k')).toBe(403)
    await region().client.send(new PutObjectCommand({ Bucket: bucket, Key: 'k', Body: 'x', Tagging: 'public=yes' }))
    expect(await fetched(bucket, 'k')).toBe(200)
  })
})

describe('public access block', () => {
  const blocking = (name: string) => ({
    BlockPublicAcls: false,
    IgnorePublicAcls: false,
    BlockPublicPolicy: false,
    RestrictPublicBuckets: false,
    [name]: true,
  })

  it('refuses a public policy under BlockPublicPolicy, and no other', async () => {
    const Bucket = await region().makeBucket({ settings: { publicAccessBlock: blocking('BlockPublicPolicy') } })
    const send = (principal: unknown) =>
      region().client.send(new PutBucketPolicyCommand({ Bucket, Policy: policy(openTo(principal)(`arn:aws:s3:::${Bucket}`)) }))
    expect(await refusal(send('*'))).toMatchObject({ code: 'AccessDenied' })
    await send({ AWS: otherAccountId })
  })

  it('keeps a public policy within the account under RestrictPublicBuckets', async () => {
    const settings = { ownership: 'BucketOwnerEnforced', publicAccessBlock: blocking('RestrictPublicBuckets') } as const
    const Bucket = await region().makeBucket({ settings })
    await put(region().client, Bucket)
    const Policy = policy(openTo('*')(`arn:aws:s3:::${Bucket}`))
    await region().client.send(new PutBucketPolicyCommand({ Bucket, Policy }))
    expect(await fetched(Bucket, 'k')).toBe(403)
    expect(await refusal(get(clients.stranger, Bucket))).toMatchObject({ code: 'AccessDenied' })
    await get(clients.nobody, Bucket)
  })
})
