import {
  DeleteBucketLifecycleCommand,
  GetBucketLifecycleConfigurationCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
  type PutBucketLifecycleConfigurationCommandInput,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const minimumHeader = 'x-amz-transition-default-minimum-object-size'
const none = { code: 'NoSuchLifecycleConfiguration', status: 404 }

const put = (Bucket: string, Rules: LifecycleRule[], more: Partial<PutBucketLifecycleConfigurationCommandInput> = {}) =>
  region().client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules }, ...more }))
const get = (Bucket: string) => region().client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
const remove = (Bucket: string) => region().client.send(new DeleteBucketLifecycleCommand({ Bucket }))
const raw = (bucket: string, rules: string, headers: Record<string, string> = {}) =>
  region().raw({
    method: 'PUT',
    path: `/${bucket}?lifecycle`,
    headers,
    body: `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rules}</LifecycleConfiguration>`,
  })

const everything: LifecycleRule[] = [
  { ID: 'nothing chosen', Filter: {}, Status: 'Disabled', Expiration: { Days: 1 } },
  { ID: 'prefix', Filter: { Prefix: 'ü/&<' }, Status: 'Enabled', Expiration: { Date: new Date('2030-01-01T00:00:00Z') } },
  { ID: 'tag', Filter: { Tag: { Key: 'k', Value: 'v' } }, Status: 'Enabled', Expiration: { Days: 2 } },
  { ID: 'larger', Filter: { ObjectSizeGreaterThan: 5 }, Status: 'Enabled', Transitions: [{ Days: 0, StorageClass: 'GLACIER' }] },
  { ID: 'smaller', Filter: { ObjectSizeLessThan: 1 }, Status: 'Enabled', NoncurrentVersionExpiration: { NoncurrentDays: 3 } },
  {
    ID: 'all of it',
    Filter: {
      And: {
        Prefix: 'a/',
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '' },
        ],
        ObjectSizeGreaterThan: 100,
        ObjectSizeLessThan: 5_000_000_000_000,
      },
    },
    Status: 'Enabled',
    Expiration: { Days: 400 },
    Transitions: [
      { Days: 30, StorageClass: 'STANDARD_IA' },
      { Days: 60, StorageClass: 'GLACIER' },
      { Days: 150, StorageClass: 'DEEP_ARCHIVE' },
    ],
    NoncurrentVersionExpiration: { NoncurrentDays: 100, NewerNoncurrentVersions: 5 },
    NoncurrentVersionTransitions: [{ NoncurrentDays: 7, NewerNoncurrentVersions: 2, StorageClass: 'GLACIER_IR' }],
  },
  {
    ID: 'clean',
    Filter: { Prefix: '' },
    Status: 'Enabled',
    Expiration: { ExpiredObjectDeleteMarker: true },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
  },
]

describe('PutBucketLifecycleConfiguration', () => {
  it('keeps every element as it was put', async () => {
    const bucket = await region().makeBucket()
    const { $metadata } = await put(bucket, everything)
    expect($metadata.httpStatusCode).toBe(200)
    expect((await get(bucket)).Rules).toEqual(everything)
  })

  it('keeps the older form with its prefix', async () => {
    const bucket = await region().makeBucket()
    const rules: LifecycleRule[] = [
      { ID: 'one', Prefix: 'a/', Status: 'Enabled', Expiration: { Days: 1 } },
      { ID: 'two', Prefix: '', Status: 'Enabled', Transitions: [{ Date: new Date('2030-01-01T00:00:00Z'), StorageClass: 'GLACIER' }] },
    ]
    await put(bucket, rules)
    expect((await get(bucket)).Rules).toEqual(rules)
  })

  it('replaces the whole configuration, and makes up IDs', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, everything)
    await put(bucket, [
      { Filter: {}, Status: 'Enabled', Expiration: { Days: 5 } },
      { Filter: {}, Status: 'Enabled', Expiration: { Days: 6 } },
    ])
    const { Rules = [] } = await get(bucket)
    expect(Rules.map(({ Expiration }) => Expiration?.Days)).toEqual([5, 6])
    expect(new Set(Rules.map(({ ID }) => ID)).size).toBe(2)
  })

  it('answers the default minimum size, and keeps it', async () => {
    const bucket = await region().makeBucket()
    expect((await put(bucket, everything)).TransitionDefaultMinimumObjectSize).toBe('all_storage_classes_128K')
    expect((await get(bucket)).TransitionDefaultMinimumObjectSize).toBe('all_storage_classes_128K')
    const varies = await put(bucket, everything, { TransitionDefaultMinimumObjectSize: 'varies_by_storage_class' })
    expect(varies.TransitionDefaultMinimumObjectSize).toBe('varies_by_storage_class')
    expect((await get(bucket)).TransitionDefaultMinimumObjectSize).toBe('varies_by_storage_class')
    const answer = await raw(bucket, '<Rule/>', { [minimumHeader]: '1K' })
    expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidRequest'])
  })

  it.each([
    ['no rule', '', 'MalformedXML'],
    ['an empty rule', '<Rule/>', 'MalformedXML'],
    ['an element that no rule has', '<Rule><Filter/><Status>Enabled</Status><Expires/></Rule>', 'MalformedXML'],
    ['two filters', '<Rule><Filter/><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>', 'MalformedXML'],
    ['no action', '<Rule><Filter/><Status>Enabled</Status></Rule>', 'InvalidRequest'],
    ['no days', '<Rule><Filter/><Status>Enabled</Status><Expiration><Days>0</Days></Expiration></Rule>', 'InvalidArgument'],
    [
      'a tag that cannot be',
      '<Rule><Filter><Tag><Key>aws:x</Key><Value/></Tag></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>',
      'InvalidTag',
    ],
    ['1001 rules', '<Rule><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>'.repeat(1001), 'InvalidRequest'],
    ['10,001 rules', '<Rule/>'.repeat(10_001), 'MalformedXML'],
  ])('refuses %s, and keeps what there was', async (_, rules, code) => {
    const bucket = await region().makeBucket()
    await put(bucket, everything)
    const answer = await raw(bucket, rules)
    expect([answer.status, answer.element('Code')]).toEqual([400, code])
    expect((await get(bucket)).Rules).toEqual(everything)
  })

  it('refuses a body whose MD5 is another', async () => {
    const bucket = await region().makeBucket()
    const answer = await raw(bucket, '<Rule/>', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' })
    expect([answer.status, answer.element('Code')]).toEqual([400, 'BadDigest'])
  })

  it('takes rules in the order in which AWS writes them, without an ID, and gives them back so', async () => {
    const bucket = await region().makeBucket()
    const rule = '<Filter></Filter><Status>Enabled</Status><Transition><Days>0</Days><StorageClass>GLACIER_IR</StorageClass></Transition>'
    expect((await raw(bucket, `<Rule><ID>x</ID>${rule}</Rule>`)).status).toBe(200)
    const { text, headers } = await region().raw({ method: 'GET', path: `/${bucket}?lifecycle` })
    expect(text).toContain(`<Rule><ID>x</ID>${rule}</Rule>`)
    expect(headers[minimumHeader]).toBe('all_storage_classes_128K')
  })
})

describe('GetBucketLifecycleConfiguration', () => {
  it('answers 404 where there is none', async () => {
    expect(await refusal(get(await region().makeBucket()))).toMatchObject(none)
  })
})

describe('DeleteBucketLifecycle', () => {
  it('removes the configuration, and answers the same when there is none', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, everything)
    expect((await remove(bucket)).$metadata.httpStatusCode).toBe(204)
    expect(await refusal(get(bucket))).toMatchObject(none)
    expect((await remove(bucket)).$metadata.httpStatusCode).toBe(204)
  })
})
