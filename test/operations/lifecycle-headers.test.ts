import { spawn, spawnSync } from 'node:child_process'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListPartsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { form, multipart } from '../support/forms.ts'
import { accessKeyId, secretAccessKey, useRegion } from '../support/region.ts'

const region = useRegion()
const hasty = useRegion({ defaults: { lifecycleDayMs: 10_000 } })
const client = () => region().client
const dayMs = 86_400_000

async function bucketWith(rules: readonly LifecycleRule[], versioning?: 'Enabled'): Promise<string> {
  const Bucket = await region().makeBucket(versioning && { versioning })
  await client().send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [...rules] } }))
  return Bucket
}

const expiring = (Days: number, more: Partial<LifecycleRule> = {}): LifecycleRule => ({
  ID: 'gone',
  Filter: {},
  Status: 'Enabled',
  Expiration: { Days },
  ...more,
})

/** The midnight after so many whole days from now. */
const midnightIn = (days: number, from = Date.now()) => new Date((Math.floor(from / dayMs) + 1 + days) * dayMs).toUTCString()
const header = (days: number, id = 'gone') => `expiry-date="${midnightIn(days)}", rule-id="${id}"`
const put = (Bucket: string, Key = 'k', more: { readonly Tagging?: string } = {}) =>
  client().send(new PutObjectCommand({ Bucket, Key, Body: 'hello', ...more }))
const head = (Bucket: string, Key = 'k', VersionId?: string) => client().send(new HeadObjectCommand({ Bucket, Key, VersionId }))

describe('x-amz-expiration', () => {
  it('is on PUT, GET, HEAD and copies', async () => {
    const Bucket = await bucketWith([expiring(3)])
    expect((await put(Bucket)).Expiration).toBe(header(3))
    expect((await head(Bucket)).Expiration).toBe(header(3))
    expect((await client().send(new GetObjectCommand({ Bucket, Key: 'k' }))).Expiration).toBe(header(3))
    const ranged = await client().send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'bytes=1-2' }))
    expect(ranged.Expiration).toBe(header(3))
    expect((await client().send(new CopyObjectCommand({ Bucket, Key: 'c', CopySource: `${Bucket}/k` }))).Expiration).toBe(header(3))
  })

  it('is on a form', async () => {
    const Bucket = await bucketWith([expiring(3)])
    const { body, contentType } = multipart(form(Bucket))
    const answer = await fetch(`${region().endpoint}/${Bucket}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: new Uint8Array(body),
    })
    expect([answer.status, answer.headers.get('x-amz-expiration')]).toEqual([204, header(3)])
  })

  it('is on a completed upload, and once more when that is asked again', async () => {
    const Bucket = await bucketWith([expiring(3)], 'Enabled')
    const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }))
    const { ETag } = await client().send(new UploadPartCommand({ Bucket, Key: 'k', UploadId, PartNumber: 1, Body: 'hello' }))
    const complete = () =>
      client().send(
        new CompleteMultipartUploadCommand({ Bucket, Key: 'k', UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }),
      )
    expect((await complete()).Expiration).toBe(header(3))
    expect((await complete()).Expiration).toBe(header(3))
    await put(Bucket)
    expect((await complete()).Expiration).toBeUndefined()
  })

  it('names the rule that comes first, its ID encoded', async () => {
    const rules = [expiring(9), expiring(2, { ID: 'Löschen "bald"' }), expiring(1, { ID: 'off', Status: 'Disabled' })]
    const Bucket = await bucketWith(rules)
    expect((await put(Bucket)).Expiration).toBe(header(2, 'L%C3%B6schen%20%22bald%22'))
  })

  it('is of a date when the rule names one', async () => {
    const Bucket = await bucketWith([expiring(0, { Expiration: { Date: new Date('2099-12-31T00:00:00Z') } })])
    expect((await put(Bucket)).Expiration).toBe('expiry-date="Thu, 31 Dec 2099 00:00:00 GMT", rule-id="gone"')
  })

  it('counts in days of the length that the region has', async () => {
    const Bucket = await hasty().makeBucket()
    const { client: s3 } = hasty()
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [expiring(3)] } }))
    const { Expiration = '' } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'hello' }))
    const dueMs = Date.parse(/expiry-date="([^"]+)"/.exec(Expiration)?.[1] ?? '')
    expect(dueMs % 10_000).toBe(0)
    expect(Math.abs(dueMs - Date.now() - 35_000)).toBeLessThan(20_000)
  })

  it('follows the tags of the object', async () => {
    const Bucket = await bucketWith([expiring(1, { Filter: { Tag: { Key: 'a', Value: '1' } } })])
    expect((await put(Bucket, 'k', { Tagging: 'a=1' })).Expiration).toBe(header(1))
    expect((await put(Bucket)).Expiration).toBeUndefined()
    await client().send(new PutObjectTaggingCommand({ Bucket, Key: 'k', Tagging: { TagSet: [{ Key: 'a', Value: '1' }] } }))
    expect((await head(Bucket)).Expiration).toBe(header(1))
  })

  it.each<[string, LifecycleRule]>([
    ['a disabled rule', expiring(1, { Status: 'Disabled' })],
    ['a rule of another prefix', expiring(1, { Filter: { Prefix: 'x' } })],
    ['a rule for larger objects', expiring(1, { Filter: { ObjectSizeGreaterThan: 5 } })],
    ['a rule that removes markers', expiring(1, { Expiration: { ExpiredObjectDeleteMarker: true } })],
    ['a rule for noncurrent versions', expiring(1, { Expiration: undefined, NoncurrentVersionExpiration: { NoncurrentDays: 1 } })],
    ['a rule that moves', expiring(1, { Expiration: undefined, Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR' }] })],
    ['a rule of more days than there are dates', expiring(2_147_483_647)],
  ])('is not there for %s', async (_, rule) => {
    const Bucket = await bucketWith([rule])
    expect((await put(Bucket)).Expiration).toBeUndefined()
    expect((await head(Bucket)).Expiration).toBeUndefined()
  })

  it('is not there for a version that is asked for by its id, current or not', async () => {
    const Bucket = await bucketWith([expiring(3)], 'Enabled')
    const { VersionId: older } = await put(Bucket)
    const { VersionId: newer, Expiration } = await put(Bucket)
    expect(Expiration).toBe(header(3))
    expect([(await head(Bucket, 'k', older)).Expiration, (await head(Bucket, 'k', newer)).Expiration]).toEqual([undefined, undefined])
  })
})

describe('x-amz-abort-date', () => {
  const aborting = (DaysAfterInitiation: number, more: Partial<LifecycleRule> = {}): LifecycleRule => ({
    ID: 'stop it',
    Filter: { Prefix: 'up/' },
    Status: 'Enabled',
    AbortIncompleteMultipartUpload: { DaysAfterInitiation },
    ...more,
  })
  const create = (Bucket: string, Key: string) => client().send(new CreateMultipartUploadCommand({ Bucket, Key }))

  it('is on CreateMultipartUpload and ListParts, with the rule', async () => {
    const Bucket = await bucketWith([aborting(9, { ID: 'late', Filter: {} }), aborting(2)])
    const made = await create(Bucket, 'up/k')
    const expected = { AbortDate: new Date(midnightIn(2)), AbortRuleId: 'stop%20it' }
    expect(made).toMatchObject(expected)
    const { UploadId } = made
    expect(await client().send(new ListPartsCommand({ Bucket, Key: 'up/k', UploadId }))).toMatchObject(expected)
    await client().send(new AbortMultipartUploadCommand({ Bucket, Key: 'up/k', UploadId }))
    expect(await create(Bucket, 'other')).toMatchObject({ AbortDate: new Date(midnightIn(9)), AbortRuleId: 'late' })
  })

  it('is not there for a disabled rule, or another prefix', async () => {
    const Bucket = await bucketWith([aborting(2, { Status: 'Disabled', Filter: {} }), aborting(3, { ID: 'other' })])
    const { AbortDate, AbortRuleId, UploadId } = await create(Bucket, 'k')
    expect([AbortDate, AbortRuleId]).toEqual([undefined, undefined])
    expect((await client().send(new ListPartsCommand({ Bucket, Key: 'k', UploadId }))).AbortDate).toBeUndefined()
  })
})

const isInstalled = spawnSync('aws', ['--version']).status === 0
if (!isInstalled) process.stderr.write('\nSKIPPED: aws-cli is not on this machine, and its tests did not run.\n')

async function aws(...words: readonly string[]): Promise<unknown> {
  const { name, endpoint } = region()
  const child = spawn('aws', ['--endpoint-url', endpoint, '--region', name, '--output', 'json', 's3api', ...words], {
    env: {
      PATH: process.env.PATH,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    said.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    said.err += chunk
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect([code, said.err]).toEqual([0, ''])
  return said.out === '' ? undefined : JSON.parse(said.out)
}

describe.skipIf(!isInstalled)('aws-cli', () => {
  it('puts rules, reads them back as they were, and removes them', { timeout: 60_000 }, async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const Rules = [
      {
        Expiration: { Date: '2030-01-01T00:00:00.000Z' },
        ID: 'a year of versions',
        Filter: { And: { Prefix: 'a/', Tags: [{ Key: 'k', Value: 'v' }], ObjectSizeGreaterThan: 1 } },
        Status: 'Enabled',
        NoncurrentVersionTransitions: [{ NoncurrentDays: 7, StorageClass: 'GLACIER', NewerNoncurrentVersions: 1 }],
        NoncurrentVersionExpiration: { NoncurrentDays: 365, NewerNoncurrentVersions: 2 },
      },
      { Expiration: { ExpiredObjectDeleteMarker: true }, ID: 'clean', Filter: {}, Status: 'Enabled' },
    ]
    const configuration = ['--lifecycle-configuration', JSON.stringify({ Rules })]
    const minimum = 'varies_by_storage_class'
    const flag = ['--transition-default-minimum-object-size', minimum]
    expect(await aws('put-bucket-lifecycle-configuration', '--bucket', bucket, ...configuration, ...flag)).toEqual({
      TransitionDefaultMinimumObjectSize: minimum,
    })
    expect(await aws('get-bucket-lifecycle-configuration', '--bucket', bucket)).toEqual({
      Rules,
      TransitionDefaultMinimumObjectSize: minimum,
    })
    expect(await aws('delete-bucket-lifecycle', '--bucket', bucket)).toBeUndefined()
  })

  it('puts the older form with the older command', { timeout: 60_000 }, async () => {
    const bucket = await region().makeBucket()
    const older = { Rules: [{ ID: 'one', Prefix: 'a/', Status: 'Enabled', Transition: { Days: 30, StorageClass: 'STANDARD_IA' } }] }
    await aws('put-bucket-lifecycle', '--bucket', bucket, '--lifecycle-configuration', JSON.stringify(older))
    expect(await aws('get-bucket-lifecycle-configuration', '--bucket', bucket)).toMatchObject({
      Rules: [{ ID: 'one', Prefix: 'a/', Status: 'Enabled', Transitions: [{ Days: 30, StorageClass: 'STANDARD_IA' }] }],
    })
  })
})
