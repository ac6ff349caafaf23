import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, type ListMultipartUploadsCommandInput } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { canonicalId, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const list = (Bucket: string, input: Partial<ListMultipartUploadsCommandInput> = {}) =>
  client().send(new ListMultipartUploadsCommand({ Bucket, ...input }))

async function bucketWith(...keys: readonly string[]) {
  const Bucket = await region().makeBucket()
  const rows: string[] = []
  for (const Key of keys) {
    const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key }))
    rows.push(`${Key} ${UploadId}`)
  }
  return { Bucket, rows }
}

const rowsOf = ({ Uploads = [] }: Awaited<ReturnType<typeof list>>) => Uploads.map(({ Key, UploadId }) => `${Key} ${UploadId}`)

describe('ListMultipartUploads', () => {
  it('lists open uploads by key, and of one key by the time they began', async () => {
    const { Bucket, rows } = await bucketWith('b', 'a', 'b')
    const answer = await list(Bucket)
    expect(rowsOf(answer)).toEqual([rows[1], rows[0], rows[2]])
    expect(answer).toMatchObject({ Bucket, IsTruncated: false, MaxUploads: 1000 })
    expect(answer.Uploads?.[0]).toMatchObject({
      StorageClass: 'STANDARD',
      Initiated: expect.any(Date),
      Owner: { ID: canonicalId },
      Initiator: { ID: canonicalId },
    })
  })

  it('pages through uploads of several keys and of one key without a gap or a repetition', async () => {
    const { Bucket, rows } = await bucketWith('a', 'b', 'b', 'b', 'c')
    for (const MaxUploads of [1, 2, 3]) {
      const found: string[] = []
      let markers: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
      while (markers !== undefined) {
        const page: Awaited<ReturnType<typeof list>> = await list(Bucket, { MaxUploads, ...markers })
        found.push(...rowsOf(page))
        const { NextKeyMarker: KeyMarker = '', NextUploadIdMarker: UploadIdMarker = '' } = page
        markers = page.IsTruncated === true ? { KeyMarker, UploadIdMarker } : undefined
      }
      expect(found).toEqual(rows)
    }
  })

  it('skips all uploads of a key-marker without an upload-id-marker, which means nothing alone', async () => {
    const { Bucket, rows } = await bucketWith('a', 'a', 'b')
    expect(rowsOf(await list(Bucket, { KeyMarker: 'a' }))).toEqual([rows[2]])
    const [, id = ''] = rows[1]?.split(' ') ?? []
    expect(rowsOf(await list(Bucket, { UploadIdMarker: id }))).toEqual(rows)
  })

  it('folds keys into common prefixes below a prefix', async () => {
    const { Bucket } = await bucketWith('p/a/1', 'p/a/2', 'p/b', 'q')
    const answer = await list(Bucket, { Prefix: 'p/', Delimiter: '/' })
    expect(answer.CommonPrefixes).toEqual([{ Prefix: 'p/a/' }])
    expect(answer.Uploads?.map(({ Key }) => Key)).toEqual(['p/b'])
  })

  it('encodes keys for encoding-type=url, and counts as the other listings do', async () => {
    const { Bucket } = await bucketWith('a b')
    const raw = (query: string) => region().raw({ method: 'GET', path: `/${Bucket}?uploads&${query}` })
    expect((await raw('encoding-type=url')).element('Key')).toBe('a+b')
    expect((await raw('max-uploads=0')).element('IsTruncated')).toBe('false')
    for (const query of ['max-uploads=-1', 'encoding-type=x', 'key-marker=a&upload-id-marker=x']) {
      expect((await raw(query)).element('Code')).toBe('InvalidArgument')
    }
  })
})
