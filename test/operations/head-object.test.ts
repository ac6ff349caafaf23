import { DeleteObjectCommand, HeadObjectCommand, type HeadObjectCommandInput, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { exchange } from '../s3/support.ts'
import { denying, refusal, useRegion } from '../support/region.ts'
import { signedHead } from '../support/sockets.ts'

const region = useRegion()
const client = () => region().client
const head = (Bucket: string, Key: string, input: Partial<HeadObjectCommandInput> = {}) =>
  client().send(new HeadObjectCommand({ Bucket, Key, ...input }))
const put = (Bucket: string, Key: string) => client().send(new PutObjectCommand({ Bucket, Key, Body: '0123456789', Metadata: { a: 'b' } }))
/** Over a bare socket: a body that does not belong there would be seen. */
const bare = (path: string, headers: Record<string, string> = {}) =>
  exchange(region().port, signedHead(region(), { method: 'HEAD', path, headers }))

describe('HeadObject', () => {
  it('answers as GetObject would, with the length and without the bytes', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { ETag, VersionId } = await put(bucket, 'k')
    const answer = await bare(`/${bucket}/k`)
    expect([answer.status, answer.body]).toEqual([200, ''])
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      etag: ETag,
      'content-length': '10',
      'accept-ranges': 'bytes',
      'x-amz-version-id': VersionId,
      'x-amz-meta-a': 'b',
    })
  })

  it('answers a range with 206, its length and place', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    const answer = await bare(`/${bucket}/k`, { Range: 'bytes=2-4' })
    expect([answer.status, answer.body]).toEqual([206, ''])
    expect([answer.headers.get('content-length'), answer.headers.get('content-range')]).toEqual(['3', 'bytes 2-4/10'])
  })

  it('answers part 1 of a plain object with all of it', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    expect(await head(bucket, 'k', { PartNumber: 1 })).toMatchObject({ ContentLength: 10 })
    expect(await refusal(head(bucket, 'k', { PartNumber: 2 }))).toMatchObject({ status: 400 })
  })

  it('tells the checksum only in checksum mode', async () => {
    const bucket = await region().makeBucket()
    await put(bucket, 'k')
    expect((await head(bucket, 'k', { ChecksumMode: 'ENABLED' })).ChecksumCRC32).toBe('poTHxg==')
    expect((await head(bucket, 'k')).ChecksumCRC32).toBeUndefined()
  })

  it('tells PENDING from the first HEAD of a version that a replication rule chose', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled', settings: replicatingSettings })
    await put(bucket, 'chosen/k')
    await put(bucket, 'other/k')
    expect((await head(bucket, 'chosen/k')).ReplicationStatus).toBe('PENDING')
    expect((await head(bucket, 'other/k')).ReplicationStatus).toBeUndefined()
  })

  it('refuses with status and headers alone, whatever the reason', async () => {
    const bucket = await region().makeBucket({ versioning: 'Enabled' })
    const { ETag = '' } = await put(bucket, 'k')
    const { VersionId } = await client().send(new DeleteObjectCommand({ Bucket: bucket, Key: 'deleted' }))
    const refused = async (path: string, headers = {}) => {
      const answer = await bare(path, headers)
      expect(answer.body).toBe('')
      expect(answer.headers.get('x-amz-request-id')).toMatch(/^[0-9A-F]{16}$/)
      return answer.status
    }
    expect(await refused(`/${bucket}/k?versionId=ill-formed`)).toBe(400)
    expect(await refused(`/${bucket}/missing`)).toBe(404)
    expect(await refused(`/${bucket}/deleted`)).toBe(404)
    expect(await refused(`/${bucket}/deleted?versionId=${VersionId}`)).toBe(405)
    expect(await refused(`/${bucket}/k`, { 'If-Match': '"x"' })).toBe(412)
    expect(await refused(`/${bucket}/k`, { 'If-None-Match': ETag })).toBe(304)
    expect(await refused(`/${bucket}/k`, { Range: 'bytes=10-' })).toBe(416)
    region().deny = denying('s3:GetObject')
    expect(await refused(`/${bucket}/k`)).toBe(403)
    region().deny = () => {}
  })
})

const replicatingSettings = {
  ownership: 'BucketOwnerEnforced',
  replication: {
    configuration: {
      Role: 'arn:aws:iam::123456789012:role/replicator',
      Rule: [
        {
          ID: 'one',
          Status: 'Enabled',
          Priority: 1,
          Filter: { Prefix: 'chosen/' },
          DeleteMarkerReplication: { Status: 'Disabled' },
          Destination: { Bucket: 'arn:aws:s3:::elsewhere' },
        },
      ],
    },
    destinations: { elsewhere: { bucketId: 'd1', region: 'eu-west-1' } },
  },
} as const
