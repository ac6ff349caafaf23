import { DeleteObjectCommand, ListObjectVersionsCommand, type ListObjectVersionsCommandInput, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { canonicalId, refusal, type TestRegion, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const put = async (Bucket: string, Key: string) => (await client().send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))).VersionId
const remove = async (Bucket: string, Key: string) => (await client().send(new DeleteObjectCommand({ Bucket, Key }))).VersionId
const list = (Bucket: string, input: Partial<ListObjectVersionsCommandInput> = {}) =>
  client().send(new ListObjectVersionsCommand({ Bucket, ...input }))
const raw = (bucket: string, query = '') => region().raw({ method: 'GET', path: `/${bucket}?versions${query}` })
const pattern = /<(?:Version|DeleteMarker)><Key>([^<]*)<\/Key><VersionId>([^<]*)<\/VersionId>/g
const rowsOf = ({ text }: Awaited<ReturnType<TestRegion['raw']>>) => [...text.matchAll(pattern)].map(([, key, id]) => `${key} ${id}`)

/** Every page of `size` rows, walked by the markers that each page gives. */
async function walk(bucket: string, size: number): Promise<readonly string[]> {
  const rows: string[] = []
  let query = ''
  for (;;) {
    const page = await raw(bucket, `&max-keys=${size}${query}`)
    rows.push(...rowsOf(page))
    if (page.element('IsTruncated') !== 'true') return rows
    const [key, id] = [page.element('NextKeyMarker'), page.element('NextVersionIdMarker')]
    query = `&key-marker=${encodeURIComponent(key ?? '')}${id === undefined ? '' : `&version-id-marker=${id}`}`
  }
}

describe('ListObjectVersions', () => {
  it('lists versions and delete markers in one order: by key, the newest first', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const b1 = await put(bucket, 'b')
    const a1 = await put(bucket, 'a')
    const marker = await remove(bucket, 'a')
    const a2 = await put(bucket, 'a')
    expect(rowsOf(await raw(bucket))).toEqual([`a ${a2}`, `a ${marker}`, `a ${a1}`, `b ${b1}`])
    const { Versions, DeleteMarkers } = await list(bucket)
    expect(Versions?.map(({ IsLatest }) => IsLatest)).toEqual([true, false, true])
    expect(Versions?.[0]).toMatchObject({ Size: 1, StorageClass: 'STANDARD', Owner: { ID: canonicalId }, ChecksumType: 'FULL_OBJECT' })
    expect(DeleteMarkers).toEqual([
      { Key: 'a', VersionId: marker, IsLatest: false, LastModified: expect.any(Date), Owner: { ID: canonicalId } },
    ])
  })

  it('shows the objects of a bucket without versions as null versions', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    expect((await list(bucket)).Versions).toMatchObject([{ Key: 'k', VersionId: 'null', IsLatest: true }])
  })

  it('pages through versions, markers and null versions without a gap or a repetition', async () => {
    const bucket = await region().makeBucket()
    for (const key of ['a', 'b', 'c']) await put(bucket, key)
    await region().setVersioning(bucket, 'Enabled')
    for (const key of ['a', 'b', 'b', 'c']) await put(bucket, key)
    await remove(bucket, 'b')
    await region().setVersioning(bucket, 'Suspended')
    await put(bucket, 'c')
    const all = rowsOf(await raw(bucket))
    expect(all).toHaveLength(8)
    expect(all.filter((row) => row.endsWith(' null'))).toEqual(['a null', 'b null', 'c null'])
    for (const size of [1, 2, 3, 5]) expect(await walk(bucket, size)).toEqual(all)
  })

  it('goes on with what is left when the null version that a page ended with was deleted', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const older = await put(bucket, 'k')
    await region().setVersioning(bucket, 'Suspended')
    await put(bucket, 'k')
    const page = await raw(bucket, '&max-keys=1')
    expect(page.element('NextVersionIdMarker')).toBe('null')
    await client().send(new DeleteObjectCommand({ Bucket: bucket, Key: 'k', VersionId: 'null' }))
    expect(rowsOf(await raw(bucket, '&key-marker=k&version-id-marker=null'))).toEqual([`k ${older}`])
  })

  it('skips all versions of a key-marker without a version-id-marker', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    for (const key of ['a', 'a', 'b']) await put(bucket, key)
    const page = await raw(bucket, '&key-marker=a')
    expect(rowsOf(page).map((row) => row.slice(0, 1))).toEqual(['b'])
    expect(page.element('KeyMarker')).toBe('a')
  })

  it('folds keys into common prefixes and pages behind them', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    for (const key of ['a/1', 'a/1', 'a/2', 'b']) await put(bucket, key)
    const page = await list(bucket, { Delimiter: '/', MaxKeys: 1 })
    expect(page).toMatchObject({ CommonPrefixes: [{ Prefix: 'a/' }], IsTruncated: true, NextKeyMarker: 'a/' })
    expect(page.NextVersionIdMarker).toBeUndefined()
    const rest = await list(bucket, { Delimiter: '/', KeyMarker: 'a/' })
    expect([rest.CommonPrefixes, rest.Versions?.map(({ Key }) => Key)]).toEqual([undefined, ['b']])
  })

  it('refuses a version-id-marker without a key-marker, an empty and an ill-formed one', async () => {
    const bucket = await region().makeBucket()
    for (const query of ['&version-id-marker=null', '&key-marker=k&version-id-marker=', '&key-marker=k&version-id-marker=x']) {
      const answer = await raw(bucket, query)
      expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidArgument'])
    }
  })

  it('encodes keys and markers for encoding-type=url, and counts as the other listings do', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    for (const key of ['a b', 'a c']) await put(bucket, key)
    const page = await raw(bucket, '&encoding-type=url&max-keys=1&prefix=a%20')
    expect([page.element('Key'), page.element('NextKeyMarker'), page.element('Prefix')]).toEqual(['a+b', 'a+b', 'a+'])
    expect((await raw(bucket, '&max-keys=0')).element('IsTruncated')).toBe('false')
    expect(await refusal(list(bucket, { MaxKeys: -1 }))).toMatchObject({ code: 'InvalidArgument' })
  })
})
