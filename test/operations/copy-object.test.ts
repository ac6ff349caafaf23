import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  DeleteObjectCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { bytesOf, denying, refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const put = (Bucket: string, Key: string, input: Partial<PutObjectCommandInput> = {}) =>
  client().send(new PutObjectCommand({ Bucket, Key, Body: 'hello', ...input }))
const copy = (Bucket: string, Key: string, CopySource: string, input: Partial<CopyObjectCommandInput> = {}) =>
  client().send(new CopyObjectCommand({ Bucket, Key, CopySource, ...input }))
const head = (Bucket: string, Key: string) => client().send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))
const text = async (Bucket: string, Key: string) =>
  (await bytesOf((await client().send(new GetObjectCommand({ Bucket, Key }))).Body)).toString()
const tagsOf = async (Bucket: string, Key: string) => (await client().send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet

describe('CopyObject', () => {
  it('copies bytes, metadata and tags, also from another bucket', async () => {
    const [from, to] = [await region().makeBucket(), await region().makeBucket()]
    await put(from, 'k', { Metadata: { a: 'b' }, ContentType: 'text/plain', CacheControl: 'no-cache', Tagging: 'x=1' })
    const { CopyObjectResult } = await copy(to, 'copied', `${from}/k`)
    expect(CopyObjectResult).toMatchObject({
      ETag: '"5d41402abc4b2a76b9719d911017c592"',
      ChecksumCRC32: 'NhCmhg==',
      ChecksumType: 'FULL_OBJECT',
    })
    expect(CopyObjectResult?.LastModified).toBeInstanceOf(Date)
    expect(await text(to, 'copied')).toBe('hello')
    expect(await head(to, 'copied')).toMatchObject({ Metadata: { a: 'b' }, ContentType: 'text/plain', CacheControl: 'no-cache' })
    expect(await tagsOf(to, 'copied')).toEqual([{ Key: 'x', Value: '1' }])
  })

  it('leaves storage class, ACL, encryption and redirect to the request', async () => {
    const bucket = await region().makeBucket({ settings: { ownership: 'ObjectWriter' } })
    const given = {
      StorageClass: 'STANDARD_IA',
      ACL: 'public-read',
      ServerSideEncryption: 'AES256',
      WebsiteRedirectLocation: '/x',
    } as const
    await put(bucket, 'k', given)
    await copy(bucket, 'plain', `${bucket}/k`)
    const plain = await head(bucket, 'plain')
    expect([plain.StorageClass, plain.ServerSideEncryption, plain.WebsiteRedirectLocation]).toEqual([undefined, undefined, undefined])
    expect((await client().send(new GetObjectAclCommand({ Bucket: bucket, Key: 'plain' }))).Grants).toHaveLength(1)
    const answer = await copy(bucket, 'asked', `${bucket}/k`, given)
    expect(answer.ServerSideEncryption).toBe('AES256')
    expect(await head(bucket, 'asked')).toMatchObject({
      StorageClass: 'STANDARD_IA',
      ServerSideEncryption: 'AES256',
      WebsiteRedirectLocation: '/x',
    })
    expect((await client().send(new GetObjectAclCommand({ Bucket: bucket, Key: 'asked' }))).Grants).toHaveLength(2)
  })

  it('replaces metadata and tags when it is told to', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k', { Metadata: { old: '1' }, ContentType: 'text/plain', Tagging: 'x=1' })
    await copy(bucket, 'new', `${bucket}/k`, {
      MetadataDirective: 'REPLACE',
      Metadata: { new: '2' },
      TaggingDirective: 'REPLACE',
      Tagging: 'y=2',
    })
    const copied = await head(bucket, 'new')
    expect(copied.Metadata).toEqual({ new: '2' })
    expect(copied.ContentType).not.toBe('text/plain')
    expect(await tagsOf(bucket, 'new')).toEqual([{ Key: 'y', Value: '2' }])
    await copy(bucket, 'untagged', `${bucket}/k`, { TaggingDirective: 'REPLACE' })
    expect(await tagsOf(bucket, 'untagged')).toEqual([])
  })

  it('refuses directives that it does not know', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    for (const name of ['x-amz-metadata-directive', 'x-amz-tagging-directive']) {
      const headers = { 'x-amz-copy-source': `${bucket}/k`, [name]: 'MERGE' }
      const answer = await region().raw({ method: 'PUT', path: `/${bucket}/new`, headers })
      expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidArgument'])
    }
  })

  it('refuses a copy onto itself that changes nothing, and makes one that does', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k', { Metadata: { a: 'b' } })
    const refused = await refusal(copy(bucket, 'k', `${bucket}/k`))
    expect(refused).toMatchObject({ code: 'InvalidRequest', status: 400 })
    expect(refused.message).toContain('trying to copy an object to itself')
    await copy(bucket, 'k', `${bucket}/k`, { MetadataDirective: 'REPLACE', Metadata: { c: 'd' } })
    expect((await head(bucket, 'k')).Metadata).toEqual({ c: 'd' })
    await copy(bucket, 'k', `${bucket}/k`, { StorageClass: 'STANDARD_IA' })
    await copy(bucket, 'k', `${bucket}/k`, { ServerSideEncryption: 'AES256' })
    await copy(bucket, 'k', `${bucket}/k`, { WebsiteRedirectLocation: '/x' })
    expect(await text(bucket, 'k')).toBe('hello')
  })

  it('brings an older version back, and names both versions', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { VersionId } = await put(bucket, 'k', { Body: 'old' })
    await put(bucket, 'k', { Body: 'new' })
    const answer = await copy(bucket, 'k', `${bucket}/k?versionId=${VersionId}`)
    expect(answer.CopySourceVersionId).toBe(VersionId)
    expect(answer.VersionId).toMatch(/^[0-9a-v]{32}$/)
    expect(await text(bucket, 'k')).toBe('old')
  })

  it('decodes the source once, with or without a leading slash, and splits the version off first', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'a b+c?versionId=x%20/ü', { Body: 'odd' })
    const encoded = encodeURIComponent('a b+c?versionId=x%20/ü')
    for (const source of [`${bucket}/${encoded}`, `/${bucket}/${encoded}`, encodeURIComponent(`${bucket}/a b+c?versionId=x%20/ü`)]) {
      const answer = await region().raw({ method: 'PUT', path: `/${bucket}/copied`, headers: { 'x-amz-copy-source': source } })
      expect(answer.status).toBe(200)
      expect(await text(bucket, 'copied')).toBe('odd')
      await client().send(new DeleteObjectCommand({ Bucket: bucket, Key: 'copied' }))
    }
  })

  it('computes another checksum when it is asked for', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    const { CopyObjectResult } = await copy(bucket, 'new', `${bucket}/k`, { ChecksumAlgorithm: 'SHA1' })
    expect(CopyObjectResult?.ChecksumSHA1).toBe('qvTGHdzF6KLavt4PO0gs2a6pQ00=')
    expect((await head(bucket, 'new')).ChecksumSHA1).toBe('qvTGHdzF6KLavt4PO0gs2a6pQ00=')
  })

  it('copies large and encrypted objects whole', async () => {
    const bucket = await region().makeBucket()
    const Body = Buffer.from(Array.from({ length: 2_500_000 }, (_, i) => (i * 11) & 255))
    await put(bucket, 'k', { Body, ServerSideEncryption: 'AES256' })
    await copy(bucket, 'new', `${bucket}/k`)
    expect((await bytesOf((await client().send(new GetObjectCommand({ Bucket: bucket, Key: 'new' }))).Body)).equals(Body)).toBe(true)
  })

  it('makes a whole copy of a source that is overwritten all the time', async () => {
    const bucket = await region().makeBucket()
    const body = (round: number) => Buffer.alloc(300 * 1024, round)
    await put(bucket, 'hot', { Body: body(0) })
    const writer = async () => {
      for (let round = 1; round <= 20; round++) await put(bucket, 'hot', { Body: body(round) })
    }
    const copier = async () => {
      for (let i = 0; i < 20; i++) await copy(bucket, `copy-${i}`, `${bucket}/hot`)
    }
    await Promise.all([writer(), copier()])
    const bytes = await bytesOf((await client().send(new GetObjectCommand({ Bucket: bucket, Key: 'copy-19' }))).Body)
    expect(bytes.equals(body(bytes[0] ?? 0))).toBe(true)
  })

  describe('conditions', () => {
    it('answers 412 when the source is not what the copy wants', async () => {
      const bucket = await region().makeBucket()
      const { ETag = '' } = await put(bucket, 'k')
      const [past, future] = [new Date(0), new Date('2100-01-01')]
      const wrong: Partial<CopyObjectCommandInput>[] = [
        { CopySourceIfMatch: '"x"' },
        { CopySourceIfNoneMatch: ETag },
        { CopySourceIfUnmodifiedSince: past },
        { CopySourceIfModifiedSince: future },
      ]
      for (const condition of wrong) {
        expect(await refusal(copy(bucket, 'new', `${bucket}/k`, condition))).toMatchObject({ code: 'PreconditionFailed', status: 412 })
      }
      await copy(bucket, 'new', `${bucket}/k`, { CopySourceIfMatch: ETag, CopySourceIfUnmodifiedSince: past })
    })

    it('checks If-None-Match and If-Match of the key that it writes', async () => {
      const bucket = await region().makeBucket()
      await put(bucket, 'k')
      const { ETag = '' } = await put(bucket, 'taken', { Body: 'mine' })
      expect(await refusal(copy(bucket, 'taken', `${bucket}/k`, { IfNoneMatch: '*' }))).toMatchObject({ status: 412 })
      expect(await refusal(copy(bucket, 'taken', `${bucket}/k`, { IfMatch: '"x"' }))).toMatchObject({ status: 412 })
      expect(await refusal(copy(bucket, 'free', `${bucket}/k`, { IfMatch: ETag }))).toMatchObject({ code: 'NoSuchKey', status: 404 })
      expect(await text(bucket, 'taken')).toBe('mine')
      await copy(bucket, 'taken', `${bucket}/k`, { IfMatch: ETag })
      expect(await text(bucket, 'taken')).toBe('hello')
    })
  })

  describe('sources', () => {
    it.each([
      ['without a key', 'only-a-bucket', 400, 'InvalidArgument'],
      ['with a broken escape', 'bucket/%zz', 400, 'InvalidArgument'],
      ['of a bucket that is not there', 'no-such-bucket/k', 404, 'NoSuchBucket'],
      ['that is an access point', 'arn:aws:s3:us-east-1:123456789012:accesspoint/x/object/k', 501, 'NotImplemented'],
    ])('refuses a source %s', async (_, source, status, code) => {
      const bucket = await region().makeBucket()
      const answer = await region().raw({ method: 'PUT', path: `/${bucket}/new`, headers: { 'x-amz-copy-source': source } })
      expect([answer.status, answer.element('Code')]).toEqual([status, code])
    })

    it('answers NoSuchKey for a missing or deleted source, NoSuchVersion for an unknown version', async () => {
      const bucket = await region().makeBucket({ versioning: 'Enabled' })
      await put(bucket, 'deleted')
      await client().send(new DeleteObjectCommand({ Bucket: bucket, Key: 'deleted' }))
      for (const key of ['missing', 'deleted'])
        expect(await refusal(copy(bucket, 'new', `${bucket}/${key}`))).toMatchObject({ code: 'NoSuchKey', status: 404 })
      const unknown = copy(bucket, 'new', `${bucket}/deleted?versionId=${'0'.repeat(32)}`)
      expect(await refusal(unknown)).toMatchObject({ code: 'NoSuchVersion', status: 404 })
      expect(await refusal(copy(bucket, 'new', `${bucket}/deleted?versionId=x`))).toMatchObject({ code: 'InvalidArgument', status: 400 })
    })

    it('refuses the version id of a delete marker with InvalidRequest', async () => {
      const bucket = await region().makeBucket({ versioning: 'Enabled' })
      const { VersionId } = await client().send(new DeleteObjectCommand({ Bucket: bucket, Key: 'k' }))
      expect(await refusal(copy(bucket, 'new', `${bucket}/k?versionId=${VersionId}`))).toMatchObject({
        code: 'InvalidRequest',
        status: 400,
      })
    })

    it('needs the right to read the source, its tags too', async () => {
      const bucket = await region().makeBucket({ versioning: 'Enabled' })
      const { VersionId } = await put(bucket, 'k', { Tagging: 'a=1' })
      for (const [action, source] of [
        ['s3:GetObject', `${bucket}/k`],
        ['s3:GetObjectVersion', `${bucket}/k?versionId=${VersionId}`],
        ['s3:GetObjectTagging', `${bucket}/k`],
        ['s3:PutObjectTagging', `${bucket}/k`],
      ] as const) {
        region().deny = denying(action)
        expect(await refusal(copy(bucket, 'new', source))).toMatchObject({ code: 'AccessDenied', status: 403 })
      }
      region().deny = () => {}
      expect(await refusal(head(bucket, 'new'))).toMatchObject({ status: 404 })
    })

    it('refuses another expected owner of the source', async () => {
      const bucket = await region().makeBucket()
      await put(bucket, 'k')
      const other = { ExpectedSourceBucketOwner: '999999999999' }
      expect(await refusal(copy(bucket, 'new', `${bucket}/k`, other))).toMatchObject({ code: 'AccessDenied', status: 403 })
    })

    it('answers 501 by name for a source in another region', async () => {
      const [bucket, elsewhere] = [await region().makeBucket(), await region().makeBucket({ region: 'eu-west-1' })]
      const refused = await refusal(copy(bucket, 'new', `${elsewhere}/k`))
      expect(refused).toMatchObject({ code: 'NotImplemented', status: 501 })
      expect(refused.message).toContain('eu-west-1')
    })
  })
})
