import { ListObjectsV2Command, type ListObjectsV2CommandInput, type ListObjectsV2CommandOutput, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { canonicalId, refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const list = (Bucket: string, input: Partial<ListObjectsV2CommandInput> = {}) =>
  client().send(new ListObjectsV2Command({ Bucket, ...input }))
const raw = (bucket: string, query: string) => region().raw({ method: 'GET', path: `/${bucket}?list-type=2&${query}` })
const keysOf = ({ Contents = [] }: ListObjectsV2CommandOutput) => Contents.map(({ Key }) => Key)
const prefixesOf = ({ CommonPrefixes = [] }: ListObjectsV2CommandOutput) => CommonPrefixes.map(({ Prefix }) => Prefix)

async function bucketWith(...keys: readonly string[]): Promise<string> {
  const Bucket = await region().makeBucket()
  for (const Key of keys) await client().send(new PutObjectCommand({ Bucket, Key, Body: 'hello' }))
  return Bucket
}

describe('ListObjectsV2', () => {
  it('lists objects in the order of their UTF-8 bytes, with what is known of each', async () => {
    const bucket = await bucketWith('b', 'a', '\u{10000}', '\ufffd', 'Z')
    const answer = await list(bucket)
    expect(keysOf(answer)).toEqual(['Z', 'a', 'b', '\ufffd', '\u{10000}'])
    expect(answer).toMatchObject({ Name: bucket, KeyCount: 5, MaxKeys: 1000, IsTruncated: false })
    expect(answer.Contents?.[0]).toMatchObject({
      ETag: '"5d41402abc4b2a76b9719d911017c592"',
      Size: 5,
      StorageClass: 'STANDARD',
      ChecksumAlgorithm: ['CRC32'],
      ChecksumType: 'FULL_OBJECT',
    })
    expect((await raw(bucket, '')).element('LastModified')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  it('tells owners only when it is asked to', async () => {
    const bucket = await bucketWith('a')
    expect((await list(bucket)).Contents?.[0]?.Owner).toBeUndefined()
    expect((await list(bucket, { FetchOwner: true })).Contents?.[0]?.Owner).toEqual({ ID: canonicalId })
  })

  it('pages by opaque tokens that win over start-after, which counts on the first page alone and is echoed', async () => {
    const bucket = await bucketWith('a', 'b', 'c', 'd', 'e')
    const first = await list(bucket, { StartAfter: 'a', MaxKeys: 2 })
    expect([keysOf(first), first.StartAfter, first.IsTruncated, first.KeyCount]).toEqual([['b', 'c'], 'a', true, 2])
    const token = first.NextContinuationToken
    const second = await list(bucket, { StartAfter: 'zzz', MaxKeys: 2, ContinuationToken: token })
    expect([keysOf(second), second.ContinuationToken, second.IsTruncated]).toEqual([['d', 'e'], token, false])
    expect(second.NextContinuationToken).toBeUndefined()
    expect(token).not.toContain('c/')
  })

  it('refuses a token that is not its own', async () => {
    const bucket = await bucketWith('a')
    expect(await refusal(list(bucket, { ContinuationToken: 'made-up' }))).toMatchObject({ code: 'InvalidArgument', status: 400 })
    expect(await refusal(list(bucket, { ContinuationToken: '' }))).toMatchObject({ code: 'InvalidArgument' })
  })

  it('folds keys into common prefixes, counts each as one entry, and pages between them', async () => {
    const bucket = await bucketWith('a/1', 'a/2', 'b', 'c/1', 'c/2', 'd')
    const all = await list(bucket, { Delimiter: '/' })
    expect([keysOf(all), prefixesOf(all), all.KeyCount, all.Delimiter]).toEqual([['b', 'd'], ['a/', 'c/'], 4, '/'])
    const entries: (string | undefined)[] = []
    let token: string | undefined
    do {
      const page = await list(bucket, { Delimiter: '/', MaxKeys: 1, ContinuationToken: token })
      expect(page.KeyCount).toBe(1)
      entries.push(...prefixesOf(page), ...keysOf(page))
      token = page.NextContinuationToken
    } while (token !== undefined)
    expect(entries).toEqual(['a/', 'b', 'c/', 'd'])
  })

  it('takes any text as delimiter, and an empty one for none', async () => {
    const bucket = await bucketWith('x--1', 'x--2', 'y-1')
    expect(prefixesOf(await list(bucket, { Delimiter: '--' }))).toEqual(['x--'])
    expect(prefixesOf(await list(bucket, { Delimiter: 'x' }))).toEqual(['x'])
    const none = await raw(bucket, 'delimiter=')
    expect(none.text).not.toContain('Delimiter')
    expect(none.text.match(/<Key>/g)).toHaveLength(3)
  })

  it('lists below a prefix, and folds behind it', async () => {
    const bucket = await bucketWith('p/a/1', 'p/a/2', 'p/b', 'q')
    const answer = await list(bucket, { Prefix: 'p/', Delimiter: '/' })
    expect([keysOf(answer), prefixesOf(answer), answer.Prefix]).toEqual([['p/b'], ['p/a/'], 'p/'])
  })

  it('serves max-keys 0 as an empty page, more than 1000 as 1000, and refuses what is no number', async () => {
    const bucket = await bucketWith('a')
    expect(await list(bucket, { MaxKeys: 0 })).toMatchObject({ KeyCount: 0, MaxKeys: 0, IsTruncated: false })
    expect(await list(bucket, { MaxKeys: 5000 })).toMatchObject({ KeyCount: 1, MaxKeys: 1000 })
    for (const value of ['-1', 'x', '1.5', '99999999999']) {
      const answer = await raw(bucket, `max-keys=${value}`)
      expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidArgument'])
    }
  })

  it('percent-encodes keys, prefixes and markers for encoding-type=url, and takes no other', async () => {
    const bucket = await bucketWith('a b/ü+1', 'a b/\u0001')
    const answer = await raw(bucket, 'encoding-type=url&prefix=a%20b%2F&start-after=a%20b&delimiter=%2B')
    expect(answer.element('EncodingType')).toBe('url')
    expect([answer.element('Prefix'), answer.element('StartAfter'), answer.element('Delimiter')]).toEqual(['a+b/', 'a+b', '%2B'])
    expect(answer.element('Key')).toBe('a+b/%01')
    expect(answer.text).toContain('<CommonPrefixes><Prefix>a+b/%C3%BC%2B</Prefix></CommonPrefixes>')
    const other = await raw(bucket, 'encoding-type=base64')
    expect([other.status, other.element('Code')]).toEqual([400, 'InvalidArgument'])
  })

  it('writes keys that XML cannot carry as references', async () => {
    const bucket = await bucketWith('<&>"\u0001')
    expect((await raw(bucket, '')).text).toContain('<Key>&lt;&amp;&gt;&quot;&#x1;</Key>')
  })

  it('pages through a large bucket without a gap or a repetition', async () => {
    const bucket = await region().makeBucket()
    const keys = Array.from({ length: 60 }, (_, i) => `${String(i % 7)}/${String(i).padStart(3, '0')}`)
    await Promise.all(keys.map((Key) => client().send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }))))
    const found: (string | undefined)[] = []
    let token: string | undefined
    do {
      const page = await list(bucket, { MaxKeys: 7, ContinuationToken: token })
      found.push(...keysOf(page))
      token = page.NextContinuationToken
    } while (token !== undefined)
    expect(found).toEqual([...keys].sort())
  })

  it('refuses a prefix of more than 1024 bytes, and one that no key can begin with', async () => {
    const bucket = await bucketWith()
    expect((await raw(bucket, `prefix=${'x'.repeat(1025)}`)).element('Code')).toBe('KeyTooLongError')
    expect((await raw(bucket, 'prefix=%00')).element('Code')).toBe('InvalidArgument')
  })

  it('answers 404 NoSuchBucket', async () => {
    expect(await refusal(list('no-such-bucket'))).toMatchObject({ code: 'NoSuchBucket', status: 404 })
  })
})
