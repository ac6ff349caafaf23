import { createHash } from 'node:crypto'
import {
  DeleteObjectsCommand,
  type DeleteObjectsCommandInput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import { refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const put = (Bucket: string, Key: string) => client().send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
const remove = (Bucket: string, Delete: DeleteObjectsCommandInput['Delete']) => client().send(new DeleteObjectsCommand({ Bucket, Delete }))
const keys = async (Bucket: string) => (await client().send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key) ?? []
const md5 = (text: string) => createHash('md5').update(text).digest('base64')
const post = (bucket: string, body: string, headers: Record<string, string> = { 'Content-MD5': md5(body) }) =>
  region().raw({ method: 'POST', path: `/${bucket}?delete`, body, headers })
const object = (key: string, more = '') => `<Object><Key>${key}</Key>${more}</Object>`

describe('DeleteObjects', () => {
  it('deletes what is named and reports absent keys as deleted, in the order asked', async () => {
    const bucket = await region().makeBucket()
    for (const key of ['a', 'b', 'c']) await put(bucket, key)
    const answer = await remove(bucket, { Objects: [{ Key: 'c' }, { Key: 'never' }, { Key: 'a' }] })
    expect(answer.Deleted).toEqual([{ Key: 'c' }, { Key: 'never' }, { Key: 'a' }])
    expect(answer.Errors).toBeUndefined()
    expect(await keys(bucket)).toEqual(['b'])
  })

  it('lists only errors when it is to be quiet', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'a')
    const answer = await remove(bucket, { Quiet: true, Objects: [{ Key: 'a' }, { Key: 'b', VersionId: 'ill-formed' }] })
    expect(answer.Deleted).toBeUndefined()
    expect(answer.Errors).toMatchObject([{ Key: 'b', VersionId: 'ill-formed', Code: 'InvalidArgument' }])
    expect(await keys(bucket)).toEqual([])
  })

  it('names the markers that it makes and those that it removes', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { VersionId } = await put(bucket, 'k')
    const [marker] = (await remove(bucket, { Objects: [{ Key: 'k' }] })).Deleted ?? []
    expect(marker).toEqual({ Key: 'k', DeleteMarker: true, DeleteMarkerVersionId: expect.stringMatching(/^[0-9a-v]{32}$/) })
    const markerId = marker?.DeleteMarkerVersionId
    const answer = await remove(bucket, {
      Objects: [
        { Key: 'k', VersionId: markerId },
        { Key: 'k', VersionId },
      ],
    })
    expect(answer.Deleted).toEqual([
      { Key: 'k', VersionId: markerId, DeleteMarker: true, DeleteMarkerVersionId: markerId },
      { Key: 'k', VersionId },
    ])
    expect((await client().send(new ListObjectVersionsCommand({ Bucket: bucket }))).Versions).toBeUndefined()
  })

  it('checks the ETag of each entry for itself', async () => {
    const bucket = await region().makeBucket()
    const { ETag } = await put(bucket, 'right')
    await put(bucket, 'wrong')
    const answer = await remove(bucket, {
      Objects: [
        { Key: 'right', ETag },
        { Key: 'wrong', ETag: '"x"' },
      ],
    })
    expect(answer.Deleted).toEqual([{ Key: 'right' }])
    expect(answer.Errors).toMatchObject([{ Key: 'wrong', Code: 'PreconditionFailed' }])
    expect(await keys(bucket)).toEqual(['wrong'])
  })

  it('asks for the right to each key, and goes on behind one that is refused', async () => {
    const bucket = await region().makeBucket()
    for (const key of ['a', 'forbidden', 'z']) await put(bucket, key)
    region().deny = ({ target }) => {
      if (target.key === 'forbidden') throw new S3Error('AccessDenied')
    }
    const body = `<Delete>${['z', 'forbidden', 'a'].map((key) => object(key)).join('')}</Delete>`
    const answer = await post(bucket, body)
    region().deny = () => {}
    expect(answer.text.match(/<(Deleted|Error)><Key>\w+/g)).toEqual(['<Deleted><Key>z', '<Error><Key>forbidden', '<Deleted><Key>a'])
    expect(answer.element('Code')).toBe('AccessDenied')
    expect(await keys(bucket)).toEqual(['forbidden'])
  })

  it('takes 1000 keys and refuses 1001, none, and what is no document with MalformedXML', async () => {
    const bucket = await region().makeBucket()
    const many = (count: number) => Array.from({ length: count }, (_, i) => ({ Key: `${i}`.padStart(1000, 'k') }))
    expect((await remove(bucket, { Objects: many(1000) })).Deleted).toHaveLength(1000)
    expect(await refusal(remove(bucket, { Objects: many(1001) }))).toMatchObject({ code: 'MalformedXML', status: 400 })
    for (const body of [
      '<Delete></Delete>',
      '<Delete><Object></Object></Delete>',
      '<Delete>',
      '<Other/>',
      `<Delete>${object('a', '<X/>')}</Delete>`,
    ]) {
      const answer = await post(bucket, body)
      expect([answer.status, answer.element('Code')]).toEqual([400, 'MalformedXML'])
    }
  })

  it('refuses a body without a digest with InvalidRequest, and one with a wrong digest with BadDigest', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'a')
    const body = `<Delete>${object('a')}</Delete>`
    expect((await post(bucket, body, {})).element('Code')).toBe('InvalidRequest')
    expect((await post(bucket, body, { 'Content-MD5': md5('other') })).element('Code')).toBe('BadDigest')
    expect((await post(bucket, body, { 'Content-MD5': 'no' })).element('Code')).toBe('InvalidDigest')
    expect((await post(bucket, body, { 'x-amz-checksum-crc32': 'AAAAAA==' })).element('Code')).toBe('BadDigest')
    expect(await keys(bucket)).toEqual(['a'])
  })

  it('refuses an empty body with MissingRequestBodyError', async () => {
    const bucket = await region().makeBucket()
    const answer = await post(bucket, '')
    expect([answer.status, answer.element('Code')]).toEqual([400, 'MissingRequestBodyError'])
  })

  it('refuses a key that no object can have for itself alone', async () => {
    const bucket = await region().makeBucket()
    const answer = await post(bucket, `<Delete>${object('k'.repeat(1025))}${object('')}${object('fine')}</Delete>`)
    expect(answer.status).toBe(200)
    expect(answer.text.match(/<Code>\w+/g)).toEqual(['<Code>KeyTooLongError', '<Code>InvalidArgument'])
    expect(answer.text).toContain('<Deleted><Key>fine</Key></Deleted>')
  })

  it('answers 501 for conditions that it would have to pass over', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'a')
    const answer = await post(bucket, `<Delete>${object('a', '<Size>5</Size>')}</Delete>`)
    expect([answer.status, answer.element('Code')]).toEqual([501, 'NotImplemented'])
    expect(await keys(bucket)).toEqual(['a'])
  })

  it('takes an empty version id for none, and the same key twice', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const answer = await post(bucket, `<Delete>${object('a', '<VersionId></VersionId>')}${object('a')}</Delete>`)
    expect(answer.text.match(/<DeleteMarkerVersionId>/g)).toHaveLength(2)
  })
})
