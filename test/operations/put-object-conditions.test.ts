import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type PutObjectCommandInput } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { exchange, RawClient } from '../s3/support.ts'
import { bytesOf, refusal, useRegion } from '../support/region.ts'
import { signedHead } from '../support/sockets.ts'

const region = useRegion()
const client = () => region().client
const put = (Bucket: string, Key: string, input: Partial<PutObjectCommandInput> = {}) =>
  client().send(new PutObjectCommand({ Bucket, Key, Body: 'hello', ...input }))
const read = async (Bucket: string, Key: string) => bytesOf((await client().send(new GetObjectCommand({ Bucket, Key }))).Body)

describe('a conditional PutObject', () => {
  it('refuses If-None-Match * with 412 when the key exists, and takes it when it does not', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k', { IfNoneMatch: '*' })
    expect(await refusal(put(bucket, 'k', { IfNoneMatch: '*' }))).toMatchObject({ code: 'PreconditionFailed', status: 412 })
  })

  it('lets exactly one of several writers create a key with If-None-Match *', async () => {
    const bucket = await region().makeBucket()
    const writers = Array.from({ length: 8 }, (_, i) => put(bucket, 'k', { IfNoneMatch: '*', Body: `${i}` }))
    const outcomes = await Promise.allSettled(writers)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason.name).toBe('PreconditionFailed')
  })

  it('takes an ETag in If-None-Match of a write', async () => {
    const bucket = await region().makeBucket()
    const { ETag } = await put(bucket, 'k')
    expect(await refusal(put(bucket, 'k', { IfNoneMatch: ETag ?? '' }))).toMatchObject({ status: 412 })
    expect((await put(bucket, 'k', { IfNoneMatch: '"other"' })).$metadata.httpStatusCode).toBe(200)
  })

  it('checks If-Match of a write: NoSuchKey without an object, 412 for another ETag', async () => {
    const bucket = await region().makeBucket()
    expect(await refusal(put(bucket, 'k', { IfMatch: '"x"' }))).toMatchObject({ code: 'NoSuchKey', status: 404 })
    const { ETag } = await put(bucket, 'k')
    expect(await refusal(put(bucket, 'k', { IfMatch: '"x"' }))).toMatchObject({ code: 'PreconditionFailed', status: 412 })
    expect((await put(bucket, 'k', { IfMatch: ETag ?? '' })).ETag).toBe(ETag)
  })

  it('counts a current delete marker as no object', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    await put(bucket, 'k')
    await client().send(new DeleteObjectCommand({ Bucket: bucket, Key: 'k' }))
    expect((await put(bucket, 'k', { IfNoneMatch: '*' })).$metadata.httpStatusCode).toBe(200)
  })

  it('answers 409 to a write whose If-Match held at first and was overtaken', async () => {
    const bucket = await region().makeBucket()
    const { ETag } = await put(bucket, 'k')
    const slow = new RawClient(region().port)
    const path = `/${bucket}/k`
    const headers = { 'If-Match': ETag ?? '', Expect: '100-continue', 'Content-Length': '3' }
    slow.send(signedHead(region(), { method: 'PUT', path, headers }).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    await slow.until((text) => text.includes('100 Continue'), 'the condition to be judged')
    await put(bucket, 'k', { Body: 'faster' })
    slow.send('abc')
    const answer = await slow.ended()
    expect([answer.status, /<Code>(\w+)/.exec(answer.body)?.[1]]).toEqual([409, 'ConditionalRequestConflict'])
    expect((await read(bucket, 'k')).toString()).toBe('faster')
  })

  it('refuses before 100 Continue what the head alone tells: 404, 403 and 412', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    const refused = async (path: string, headers: Record<string, string> = {}, signed = true) => {
      const all = { Expect: '100-continue', 'Content-Length': '5', ...headers }
      const answer = await exchange(region().port, signedHead(region(), { method: 'PUT', path, headers: all, signed }))
      expect(answer.text).not.toContain('100 Continue')
      return answer.status
    }
    expect(await refused('/no-such-bucket/k')).toBe(404)
    expect(await refused(`/${bucket}/k`, {}, false)).toBe(403)
    expect(await refused(`/${bucket}/k`, { 'If-None-Match': '*' })).toBe(412)
    expect(await refused(`/${bucket}/k`, { 'x-amz-storage-class': 'NONE' })).toBe(400)
  })
})
