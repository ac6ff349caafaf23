import {
  CreateBucketCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  type ObjectLockRule,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { allow, newUser } from '../iam/callers.ts'
import { newName, refusal, useDeployment } from '../support/deployment.ts'

const regions = ['us-east-1', 'eu-west-1'] as const
const node = useDeployment({ regions })
const day = 24 * 60 * 60 * 1000

async function lockedBucket(region = 'us-east-1'): Promise<string> {
  const Bucket = newName()
  const location = region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region as 'eu-west-1' } } // any region's name
  await node(region).s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true, ...location }))
  return Bucket
}

const versioning = async (Bucket: string, region?: string) =>
  (await node(region).s3.send(new GetBucketVersioningCommand({ Bucket }))).Status
const get = async (Bucket: string, region?: string) =>
  (await node(region).s3.send(new GetObjectLockConfigurationCommand({ Bucket }))).ObjectLockConfiguration
const put = (Bucket: string, Rule?: ObjectLockRule) =>
  node().s3.send(
    new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', ...(Rule && { Rule }) } }),
  )
const putText = (bucket: string, inner: string) =>
  node().raw({ method: 'PUT', path: `/${bucket}?object-lock`, body: `<ObjectLockConfiguration>${inner}</ObjectLockConfiguration>` })

describe('CreateBucket with Object Lock', () => {
  it.each(regions)('makes a bucket in %s with versions and lock at once', async (region) => {
    const Bucket = await lockedBucket(region)
    expect(await versioning(Bucket, region)).toBe('Enabled')
    expect(await get(Bucket, region)).toEqual({ ObjectLockEnabled: 'Enabled' })
  })

  it.each(['s3:PutBucketObjectLockConfiguration', 's3:PutBucketVersioning'])('needs %s', async (action) => {
    const may = ['s3:CreateBucket', 's3:PutBucketObjectLockConfiguration', 's3:PutBucketVersioning']
    const make = async (actions: readonly string[]) => {
      const { keys } = await newUser(node(), { policy: allow(actions) })
      const { endpoint, region } = node()
      const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: keys })
      await client.send(new CreateBucketCommand({ Bucket: newName(), ObjectLockEnabledForBucket: true }))
    }
    expect(await refusal(make(may.filter((one) => one !== action)))).toMatchObject({ code: 'AccessDenied', status: 403 })
    await make(may)
  })

  it('is no repeat of a bucket without', async () => {
    const Bucket = newName()
    await node().s3.send(new CreateBucketCommand({ Bucket }))
    const again = node().s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }))
    expect(await refusal(again)).toMatchObject({ code: 'BucketAlreadyOwnedByYou', status: 409 })
  })

  it('never has its versioning suspended', async () => {
    const Bucket = await lockedBucket()
    const suspend = new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } })
    expect(await refusal(node().s3.send(suspend))).toMatchObject({ code: 'InvalidBucketState', status: 409 })
    expect(await versioning(Bucket)).toBe('Enabled')
  })
})

describe('PutObjectLockConfiguration', () => {
  it('turns the lock on in a bucket with versions, and keeps it on', async () => {
    const Bucket = newName()
    await node().s3.send(new CreateBucketCommand({ Bucket }))
    expect(await refusal(put(Bucket))).toMatchObject({ code: 'InvalidBucketState', status: 409 })
    await node().s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
    await put(Bucket)
    expect(await get(Bucket)).toEqual({ ObjectLockEnabled: 'Enabled' })
  })

  it.each([{ Days: 1 }, { Days: 36_500 }, { Years: 100 }])('sets and takes away a default of %j', async (period) => {
    const Bucket = await lockedBucket()
    const Rule = { DefaultRetention: { Mode: 'GOVERNANCE' as const, ...period } }
    await put(Bucket, Rule)
    expect(await get(Bucket)).toEqual({ ObjectLockEnabled: 'Enabled', Rule })
    await put(Bucket)
    expect(await get(Bucket)).toEqual({ ObjectLockEnabled: 'Enabled' })
  })

  it('counts the default from the creation of a version', async () => {
    const Bucket = await lockedBucket()
    await put(Bucket, { DefaultRetention: { Mode: 'GOVERNANCE', Days: 3 } })
    const beforeMs = Date.now()
    await node().s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'b' }))
    const { Retention } = await node().s3.send(new GetObjectRetentionCommand({ Bucket, Key: 'k' }))
    expect(Retention?.Mode).toBe('GOVERNANCE')
    const countedMs = (Retention?.RetainUntilDate?.getTime() ?? 0) - 3 * day
    expect(countedMs).toBeGreaterThanOrEqual(beforeMs)
    expect(countedMs).toBeLessThanOrEqual(Date.now())
  })

  it.each([
    ['0 days', { Days: 0 }, 'InvalidArgument'],
    ['36,501 days', { Days: 36_501 }, 'InvalidArgument'],
    ['-1 years', { Years: -1 }, 'InvalidArgument'],
    ['101 years', { Years: 101 }, 'InvalidArgument'],
    ['days and years', { Days: 1, Years: 1 }, 'MalformedXML'],
    ['no period', {}, 'MalformedXML'],
    ['no such mode', { Days: 1, Mode: 'governance' as 'GOVERNANCE' }, 'MalformedXML'], // what the type forbids
  ])('refuses a default of %s', async (_, period, code) => {
    const Bucket = await lockedBucket()
    expect(await refusal(put(Bucket, { DefaultRetention: { Mode: 'GOVERNANCE', ...period } }))).toMatchObject({ code, status: 400 })
    expect(await get(Bucket)).toEqual({ ObjectLockEnabled: 'Enabled' })
  })

  it.each([
    '',
    '<ObjectLockEnabled>Disabled</ObjectLockEnabled>',
    '<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule/>',
    '<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Days>1</Days></DefaultRetention></Rule>',
  ])('refuses %s', async (inner) => {
    const answer = await putText(await lockedBucket(), inner)
    expect([answer.status, answer.element('Code')]).toEqual([400, 'MalformedXML'])
  })
})

describe('GetObjectLockConfiguration', () => {
  it('answers 404 for a bucket without lock', async () => {
    const Bucket = newName()
    await node().s3.send(new CreateBucketCommand({ Bucket }))
    expect(await refusal(get(Bucket))).toMatchObject({ code: 'ObjectLockConfigurationNotFoundError', status: 404 })
  })
})
