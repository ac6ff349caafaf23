import { ListObjectsCommand, type ListObjectsCommandInput, type ListObjectsCommandOutput, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { canonicalId, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const list = (Bucket: string, input: Partial<ListObjectsCommandInput> = {}) => client().send(new ListObjectsCommand({ Bucket, ...input }))
const raw = (bucket: string, query: string) => region().raw({ method: 'GET', path: `/${bucket}${query}` })
const keysOf = ({ Contents = [] }: ListObjectsCommandOutput) => Contents.map(({ Key }) => Key)
const prefixesOf = ({ CommonPrefixes = [] }: ListObjectsCommandOutput) => CommonPrefixes.map(({ Prefix }) => Prefix)

async function bucketWith(...keys: readonly string[]): Promise<string> {
  const Bucket = await region().makeBucket()
  for (const Key of keys) await client().send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
  return Bucket
}

describe('ListObjects', () => {
  it('lists objects with their owner', async () => {
    const bucket = await bucketWith('b', 'a')
    const answer = await list(bucket)
    expect(keysOf(answer)).toEqual(['a', 'b'])
    expect(answer.Contents?.[0]?.Owner).toEqual({ ID: canonicalId })
    expect(answer).toMatchObject({ Name: bucket, Prefix: '', Marker: '', MaxKeys: 1000, IsTruncated: false })
  })

  it('begins behind the marker', async () => {
    const bucket = await bucketWith('a', 'b', 'c')
    const answer = await list(bucket, { Marker: 'a' })
    expect([keysOf(answer), answer.Marker]).toEqual([['b', 'c'], 'a'])
  })

  it('gives NextMarker only when there is a delimiter', async () => {
    const bucket = await bucketWith('a', 'b/1', 'b/2', 'c')
    const plain = await list(bucket, { MaxKeys: 1 })
    expect([plain.IsTruncated, plain.NextMarker]).toEqual([true, undefined])
    const folded = await list(bucket, { MaxKeys: 2, Delimiter: '/' })
    expect([folded.IsTruncated, folded.NextMarker, prefixesOf(folded)]).toEqual([true, 'b/', ['b/']])
  })

  it('skips a whole common prefix that is the marker', async () => {
    const bucket = await bucketWith('a', 'b/1', 'b/2', 'c')
    const answer = await list(bucket, { Marker: 'b/', Delimiter: '/' })
    expect([keysOf(answer), prefixesOf(answer)]).toEqual([['c'], []])
  })

  it('serves max-keys 0, more than 1000 and bad numbers as V2 does', async () => {
    const bucket = await bucketWith('a')
    expect((await raw(bucket, '?max-keys=0')).element('IsTruncated')).toBe('false')
    expect((await raw(bucket, '?max-keys=2000')).element('MaxKeys')).toBe('1000')
    expect((await raw(bucket, '?max-keys=-1')).element('Code')).toBe('InvalidArgument')
  })

  it('encodes the markers too for encoding-type=url', async () => {
    const bucket = await bucketWith('a b/1', 'a b/2', 'c')
    const answer = await raw(bucket, '?encoding-type=url&delimiter=/&max-keys=1&marker=a%20')
    expect([answer.element('Marker'), answer.element('NextMarker')]).toEqual(['a+', 'a+b/'])
    expect((await raw(bucket, '?encoding-type=x')).element('Code')).toBe('InvalidArgument')
  })

  it('asks for the right to list the bucket', async () => {
    const bucket = await bucketWith()
    const asked: string[] = []
    region().deny = ({ action }) => void asked.push(action)
    await list(bucket)
    region().deny = () => {}
    expect(asked).toEqual(['s3:ListBucket'])
  })
})
