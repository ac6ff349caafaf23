import {
  DeleteObjectCommand,
  type DeleteObjectCommandInput,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { bytesOf, refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const put = (Bucket: string, Key: string, Body = 'x') => client().send(new PutObjectCommand({ Bucket, Key, Body }))
const remove = (Bucket: string, Key: string, input: Partial<DeleteObjectCommandInput> = {}) =>
  client().send(new DeleteObjectCommand({ Bucket, Key, ...input }))
const versions = async (Bucket: string) => {
  const { Versions = [], DeleteMarkers = [] } = await client().send(new ListObjectVersionsCommand({ Bucket }))
  return { versions: Versions.map(({ VersionId }) => VersionId), markers: DeleteMarkers.map(({ VersionId }) => VersionId) }
}
const text = async (Bucket: string, Key: string) =>
  (await bytesOf((await client().send(new GetObjectCommand({ Bucket, Key }))).Body)).toString()

describe('DeleteObject', () => {
  it('removes the object of a bucket without versions, and says nothing of markers', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    const answer = await region().raw({ method: 'DELETE', path: `/${bucket}/k` })
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect([answer.headers['x-amz-delete-marker'], answer.headers['x-amz-version-id']]).toEqual([undefined, undefined])
    expect(await versions(bucket)).toEqual({ versions: [], markers: [] })
  })

  it('answers 204 for what is not there', async () => {
    const bucket = await region().makeBucket()
    expect((await remove(bucket, 'never')).$metadata.httpStatusCode).toBe(204)
    expect((await remove(bucket, 'never', { VersionId: '0'.repeat(32) })).$metadata.httpStatusCode).toBe(204)
  })

  it('puts a delete marker on top of versions and names it', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { VersionId } = await put(bucket, 'k')
    const answer = await remove(bucket, 'k')
    expect(answer.DeleteMarker).toBe(true)
    expect(await versions(bucket)).toEqual({ versions: [VersionId], markers: [answer.VersionId] })
  })

  it('brings the object back when the marker itself is deleted, and says that it was one', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    await put(bucket, 'k', 'kept')
    const { VersionId } = await remove(bucket, 'k')
    expect(await remove(bucket, 'k', { VersionId })).toMatchObject({ DeleteMarker: true, VersionId })
    expect(await text(bucket, 'k')).toBe('kept')
  })

  it('removes a named version for good and lets the next newest be current', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    await put(bucket, 'k', 'one')
    const { VersionId } = await put(bucket, 'k', 'two')
    const answer = await remove(bucket, 'k', { VersionId })
    expect([answer.DeleteMarker, answer.VersionId]).toEqual([undefined, VersionId])
    expect(await text(bucket, 'k')).toBe('one')
  })

  it('replaces the null version with a null marker while versioning is suspended, and keeps older versions', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { VersionId } = await put(bucket, 'k')
    await region().setVersioning(bucket, 'Suspended')
    await put(bucket, 'k')
    expect(await remove(bucket, 'k')).toMatchObject({ DeleteMarker: true, VersionId: 'null' })
    await remove(bucket, 'k')
    expect(await versions(bucket)).toEqual({ versions: [VersionId], markers: ['null'] })
  })

  it('checks If-Match: 412 for another ETag, 204 for the right one and for a missing key', async () => {
    const bucket = await region().makeBucket()
    const { ETag } = await put(bucket, 'k')
    expect(await refusal(remove(bucket, 'k', { IfMatch: '"x"' }))).toMatchObject({ code: 'PreconditionFailed', status: 412 })
    expect(await text(bucket, 'k')).toBe('x')
    expect((await remove(bucket, 'k', { IfMatch: ETag })).$metadata.httpStatusCode).toBe(204)
    expect((await remove(bucket, 'k', { IfMatch: '"x"' })).$metadata.httpStatusCode).toBe(204)
  })

  it('refuses an ill-formed version id, and conditions that it would have to pass over', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    expect(await refusal(remove(bucket, 'k', { VersionId: 'x' }))).toMatchObject({ code: 'InvalidArgument', status: 400 })
    const sized = await region().raw({ method: 'DELETE', path: `/${bucket}/k`, headers: { 'x-amz-if-match-size': '1' } })
    expect([sized.status, sized.element('Code')]).toEqual([501, 'NotImplemented'])
    expect(await text(bucket, 'k')).toBe('x')
  })

  it('asks for another right to remove a version than to delete an object', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const asked: string[] = []
    region().deny = ({ action }) => void asked.push(action)
    await remove(bucket, 'k')
    await remove(bucket, 'k', { VersionId: 'null' })
    region().deny = () => {}
    expect(asked).toEqual(['s3:DeleteObject', 's3:DeleteObjectVersion'])
  })
})
