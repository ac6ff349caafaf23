/** What a client may write into a request, and what nobody believes of it. */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import type { Authorization } from '../../src/s3/gate.ts'
import { type RawAnswer, useRegion } from '../support/region.ts'
import { keysIn } from './requests.ts'

const region = useRegion()

/** A copy, and what was asked of the access check for it. */
async function copied(
  bucket: string,
  { source, path = `/${bucket}/copy` }: { readonly source: string; readonly path?: string },
): Promise<{ readonly answer: RawAnswer; readonly asked: readonly string[] }> {
  const asked: string[] = []
  region().deny = ({ action, target }: Authorization) => void asked.push(`${action} ${target.bucketName}/${target.key}`)
  const answer = await region().raw({ method: 'PUT', path, headers: { 'x-amz-copy-source': source } })
  region().deny = () => {}
  return { answer, asked }
}

describe('a copy source', () => {
  it.each([
    ['climbing above its bucket', (from: string, to: string) => `/${to}/../${from}/secret`],
    ['climbing above its bucket, escaped', (from: string, to: string) => `/${to}/%2e%2e/${from}/secret`],
    ['climbing above its bucket, escaped with the slash', (from: string, to: string) => `/${to}/%2e%2e%2f${from}%2Fsecret`],
    ['climbing out of the bucket name', (from: string) => `/../${from}/secret`],
    ['with a bucket of dots', (from: string) => `%2e%2e/${from}/secret`],
  ])('%s is refused before anything is read', async (_what, sourceOf) => {
    const [from, to] = [await region().makeBucket(), await region().makeBucket()]
    await region().client.send(new PutObjectCommand({ Bucket: from, Key: 'secret', Body: 'x' }))
    const { answer, asked } = await copied(to, { source: sourceOf(from, to) })
    expect(answer.status).toBe(400)
    expect(asked.filter((one) => one.includes(from))).toEqual([])
    expect(await keysIn(region(), to)).toEqual([])
  })

  it('with dots inside of its bucket is that key to the access check as well, and no other', async () => {
    const bucket = await region().makeBucket()
    await region().client.send(new PutObjectCommand({ Bucket: bucket, Key: 'secret', Body: 'x' }))
    for (const source of [`/${bucket}/a/../secret`, `/${bucket}/a/%2e%2e/secret`]) {
      const { answer, asked } = await copied(bucket, { source })
      expect(answer.element('Code')).toBe('NoSuchKey')
      expect(asked).toContain(`s3:GetObject ${bucket}/a/../secret`)
    }
  })

  it('with an escaped ?versionId= is a key of that name, and reads no version', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { VersionId } = await region().client.send(new PutObjectCommand({ Bucket: bucket, Key: 'secret', Body: 'x' }))
    const { answer, asked } = await copied(bucket, { source: `/${bucket}/secret%3FversionId=${VersionId}` })
    expect(answer.element('Code')).toBe('NoSuchKey')
    expect(asked).toContain(`s3:GetObject ${bucket}/secret?versionId=${VersionId}`)
    expect(asked.join()).not.toContain('GetObjectVersion')
  })

  it('with a versionId asks for the right to read versions, in UploadPartCopy too', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { VersionId } = await region().client.send(new PutObjectCommand({ Bucket: bucket, Key: 'secret', Body: 'x' }))
    const { answer, asked } = await copied(bucket, { source: `/${bucket}/secret?versionId=${VersionId}` })
    expect(answer.status).toBe(200)
    expect(asked).toContain(`s3:GetObjectVersion ${bucket}/secret`)
    const upload = (await region().raw({ method: 'POST', path: `/${bucket}/copy?uploads` })).element('UploadId')
    const path = `/${bucket}/copy?partNumber=1&uploadId=${upload}`
    const part = await copied(bucket, { source: `/${bucket}/secret?versionId=${VersionId}`, path })
    expect(part.answer.status).toBe(200)
    expect(part.asked).toContain(`s3:GetObjectVersion ${bucket}/secret`)
  })
})

describe('a request from nobody trusted', () => {
  const forwarded = {
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'bucket.s3.test',
    'x-forwarded-proto': 'https',
    forwarded: 'for=127.0.0.1;host=bucket.s3.test;proto=https',
    'x-real-ip': '127.0.0.1',
    'x-original-url': '/other/key',
    'x-rewrite-url': '/other/key',
    'x-http-method-override': 'DELETE',
  }

  it('is not taken for another address, host, scheme, path or method by what it says of them', async () => {
    const bucket = await region().makeBucket()
    const asked: Authorization[] = []
    region().deny = (question) => void asked.push(question)
    const made = await region().raw({ method: 'POST', path: `/${bucket}/k?uploads`, headers: forwarded })
    const [upload] = [made.element('UploadId')]
    const part = await region().raw({
      method: 'PUT',
      path: `/${bucket}/k?partNumber=1&uploadId=${upload}`,
      headers: forwarded,
      body: 'hello',
    })
    const list = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`
    const done = await region().raw({ method: 'POST', path: `/${bucket}/k?uploadId=${upload}`, headers: forwarded, body: list })
    region().deny = () => {}
    // The one answer that holds an address: of the socket's scheme and the Host that was signed.
    expect(done.element('Location')).toBe(`${region().endpoint}/${bucket}/k`)
    expect(new Set(asked.map(({ target }) => `${target.bucketName}/${target.key}`))).toEqual(new Set([`${bucket}/k`]))
    const body = await region().client.send(new GetObjectCommand({ Bucket: bucket, Key: 'k' }))
    expect(await body.Body?.transformToString()).toBe('hello')
  })

  it('is still nobody with headers named like condition keys, and whoever signed is still that', async () => {
    const bucket = await region().makeBucket()
    const headers = {
      'aws-principalarn': 'arn:aws:iam::123456789012:root',
      principalarn: 'arn:aws:iam::123456789012:root',
      'aws-sourceip': '127.0.0.1',
      sourceip: '127.0.0.1',
      'aws-userid': '123456789012',
      userid: '123456789012',
      securetransport: 'true',
      'aws-securetransport': 'true',
      's3-authtype': 'REST-HEADER',
      authtype: 'REST-HEADER',
      currenttime: '2020-01-01T00:00:00Z',
    }
    const answer = await region().raw({ method: 'PUT', path: `/${bucket}/k`, headers, body: 'x', signed: false })
    expect([answer.status, answer.element('Code')]).toEqual([403, 'AccessDenied'])
    expect(await keysIn(region(), bucket)).toEqual([])

    const callers: unknown[] = []
    region().deny = ({ caller }) => void callers.push(caller)
    await region().raw({ method: 'PUT', path: `/${bucket}/k`, body: 'x' })
    await region().raw({ method: 'PUT', path: `/${bucket}/k`, headers, body: 'x' })
    region().deny = () => {}
    expect(callers[1]).toEqual(callers[0])
  })

  it.each([
    ['header', true],
    ['header', false],
    ['query', false],
  ] as const)('says nothing that only regions say, in the %s, signed: %s', async (via, signed) => {
    const bucket = await region().makeBucket()
    for (const name of ['x-farshore-version-id', 'x-farshore-protocol', 'x-farshore-caller', 'x-farshore-anything']) {
      const said = via === 'header' ? { path: `/${bucket}/k`, headers: { [name]: 'x' } } : { path: `/${bucket}/k?${name}=x` }
      const answer = await region().raw({ method: 'PUT', ...said, body: 'x', signed })
      expect([answer.status, answer.element('Code')]).toEqual([403, 'AccessDenied'])
    }
    expect(await keysIn(region(), bucket)).toEqual([])
  })
})
