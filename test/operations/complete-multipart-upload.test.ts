import { createHash } from 'node:crypto'
import {
  type ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { describe, expect, it } from 'vitest'
import { RawClient } from '../s3/support.ts'
import { bytesOf, refusal, useRegion } from '../support/region.ts'
import { signedHead } from '../support/sockets.ts'

const region = useRegion()
const client = () => region().client
const mib = 1024 * 1024
const bodies = [Buffer.alloc(5 * mib, 1), Buffer.alloc(5 * mib + 3, 2), Buffer.from('the rest')] as const
const md5 = (...parts: readonly Buffer[]) => createHash('md5').update(Buffer.concat(parts)).digest()

interface Begun {
  readonly Bucket: string
  readonly UploadId: string
  readonly Parts: CompletedPart[]
}

async function uploaded(
  input: Partial<CreateMultipartUploadCommandInput> & { versioning?: 'Enabled'; parts?: readonly Buffer[] } = {},
): Promise<Begun> {
  const { versioning, parts = [bodies[0], bodies[2]], ...create } = input
  const Bucket = await region().makeBucket(versioning === undefined ? {} : { versioning })
  const { UploadId = '' } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key: 'k', ...create }))
  const Parts: CompletedPart[] = []
  for (const [index, Body] of parts.entries()) {
    const PartNumber = index + 1
    const { $metadata: _, ...answer } = await client().send(
      new UploadPartCommand({ Bucket, Key: 'k', UploadId, PartNumber, Body, ChecksumAlgorithm: create.ChecksumAlgorithm }),
    )
    const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } = answer
    Parts.push({ PartNumber, ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 })
  }
  return { Bucket, UploadId, Parts }
}

const complete = ({ Bucket, UploadId, Parts }: Begun, input: Partial<CompleteMultipartUploadCommandInput> = {}) =>
  client().send(new CompleteMultipartUploadCommand({ Bucket, Key: 'k', UploadId, MultipartUpload: { Parts }, ...input }))
const head = (Bucket: string) => client().send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }))
const post = ({ Bucket, UploadId }: Begun, body: string, headers = {}) =>
  region().raw({ method: 'POST', path: `/${Bucket}/k?uploadId=${UploadId}`, body, headers })

describe('CompleteMultipartUpload', () => {
  it('makes one object of the parts, with the ETag of their MD5s and its address', async () => {
    const begun = await uploaded({ versioning: 'Enabled', parts: bodies })
    const answer = await complete(begun)
    const etag = `"${md5(...bodies.map((body) => md5(body))).toString('hex')}-3"`
    expect(answer).toMatchObject({ Bucket: begun.Bucket, Key: 'k', ETag: etag, Location: `${region().endpoint}/${begun.Bucket}/k` })
    const read = await client().send(new GetObjectCommand({ Bucket: begun.Bucket, Key: 'k' }))
    expect([read.ETag, read.VersionId]).toEqual([etag, answer.VersionId])
    expect((await bytesOf(read.Body)).equals(Buffer.concat(bodies))).toBe(true)
  })

  it('leaves out the parts that are not named', async () => {
    const begun = await uploaded({ parts: bodies })
    await complete({ ...begun, Parts: begun.Parts.filter(({ PartNumber }) => PartNumber !== 2) })
    expect((await head(begun.Bucket)).ContentLength).toBe(5 * mib + 8)
  })

  it('encrypts every part when the upload was begun so', async () => {
    const begun = await uploaded({ ServerSideEncryption: 'AES256' })
    expect((await complete(begun)).ServerSideEncryption).toBe('AES256')
    const read = await client().send(new GetObjectCommand({ Bucket: begun.Bucket, Key: 'k', Range: `bytes=${5 * mib - 2}-${5 * mib + 2}` }))
    expect((await bytesOf(read.Body)).toString('latin1')).toBe('\u0001\u0001the')
  })

  it('answers the same when it is asked again, also with conditions and at the same time', async () => {
    const begun = await uploaded({ versioning: 'Enabled' })
    const twice = await Promise.all([complete(begun, { IfNoneMatch: '*' }), complete(begun, { IfNoneMatch: '*' })])
    const again = await complete(begun, { IfNoneMatch: '*' })
    for (const { ETag, VersionId } of twice) expect([ETag, VersionId]).toEqual([again.ETag, again.VersionId])
    const other = complete({ ...begun, Parts: begun.Parts.slice(0, 1) })
    expect(await refusal(other)).toMatchObject({ code: 'NoSuchUpload', status: 404 })
  })

  describe('the part list', () => {
    it.each([
      ['parts that do not ascend', (parts: CompletedPart[]) => parts.toReversed(), 'InvalidPartOrder'],
      ['a part twice', (parts: CompletedPart[]) => [...parts.slice(0, 1), ...parts], 'InvalidPartOrder'],
      ['a part that was not uploaded', (parts: CompletedPart[]) => [...parts, { PartNumber: 9, ETag: '"x"' }], 'InvalidPart'],
      ['another ETag', (parts: CompletedPart[]) => parts.map((part) => ({ ...part, ETag: '"x"' })), 'InvalidPart'],
      ['part number 0', (parts: CompletedPart[]) => parts.map((part) => ({ ...part, PartNumber: 0 })), 'InvalidArgument'],
      ['part number 10,001', (parts: CompletedPart[]) => parts.map((part) => ({ ...part, PartNumber: 10_001 })), 'InvalidArgument'],
    ])('refuses %s and stores nothing', async (_, change, code) => {
      const begun = await uploaded()
      expect(await refusal(complete({ ...begun, Parts: change(begun.Parts) }))).toMatchObject({ code, status: 400 })
      expect(await refusal(head(begun.Bucket))).toMatchObject({ status: 404 })
    })

    it('refuses a part below 5 MiB that is not the last with EntityTooSmall, and takes it as the last', async () => {
      const begun = await uploaded({ parts: [bodies[2], bodies[2]] })
      expect(await refusal(complete(begun))).toMatchObject({ code: 'EntityTooSmall', status: 400 })
      await complete({ ...begun, Parts: begun.Parts.slice(0, 1) })
      expect((await head(begun.Bucket)).ContentLength).toBe(8)
    })

    it('refuses an empty list and what is no list with MalformedXML, and an empty body with MissingRequestBodyError', async () => {
      const begun = await uploaded({ parts: [bodies[2]] })
      for (const body of ['<CompleteMultipartUpload/>', '<CompleteMultipartUpload><Part/></CompleteMultipartUpload>', '<Other/>', 'x']) {
        const answer = await post(begun, body)
        expect([answer.status, answer.element('Code')]).toEqual([400, 'MalformedXML'])
      }
      expect((await post(begun, '')).element('Code')).toBe('MissingRequestBodyError')
    })

    it('takes ETags without quotes', async () => {
      const begun = await uploaded({ parts: [bodies[2]] })
      const etag = begun.Parts[0]?.ETag?.replaceAll('"', '')
      const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`
      expect((await post(begun, body)).status).toBe(200)
    })
  })

  describe('checksums', () => {
    it.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)(
      'makes a COMPOSITE %s of the parts’, with their number',
      async (ChecksumAlgorithm) => {
        const begun = await uploaded({ ChecksumAlgorithm })
        const member = `Checksum${ChecksumAlgorithm}` as const
        const answer = await complete(begun)
        expect(answer[member]).toMatch(/=-2$/)
        expect(answer.ChecksumType).toBe('COMPOSITE')
        expect(await head(begun.Bucket)).toMatchObject({ [member]: answer[member], ChecksumType: 'COMPOSITE' })
        if (ChecksumAlgorithm === 'SHA256') {
          const digests = begun.Parts.map(({ ChecksumSHA256 }) => Buffer.from(ChecksumSHA256 ?? '', 'base64'))
          expect(answer.ChecksumSHA256).toBe(`${createHash('sha256').update(Buffer.concat(digests)).digest('base64')}-2`)
        }
      },
    )

    it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
      'sums the full object by %s as one PUT of the same bytes does',
      async (ChecksumAlgorithm) => {
        const begun = await uploaded({ ChecksumAlgorithm, ChecksumType: 'FULL_OBJECT', parts: bodies })
        const member = `Checksum${ChecksumAlgorithm}` as const
        const Body = Buffer.concat(bodies)
        const whole = await client().send(new PutObjectCommand({ Bucket: begun.Bucket, Key: 'whole', Body, ChecksumAlgorithm }))
        expect(await complete(begun)).toMatchObject({ [member]: whole[member], ChecksumType: 'FULL_OBJECT' })
      },
    )

    it('sums by CRC64NVME when nothing was asked for', async () => {
      const begun = await uploaded()
      const answer = await complete(begun)
      expect([answer.ChecksumType, answer.ChecksumCRC64NVME]).toEqual(['FULL_OBJECT', expect.stringMatching(/=$/)])
      expect((await head(begun.Bucket)).ChecksumCRC64NVME).toBe(answer.ChecksumCRC64NVME)
    })

    it('needs the checksum of each part for a COMPOSITE one', async () => {
      const begun = await uploaded({ ChecksumAlgorithm: 'SHA256' })
      const Parts = begun.Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }))
      expect(await refusal(complete({ ...begun, Parts }))).toMatchObject({ code: 'InvalidRequest', status: 400 })
    })

    it('refuses another checksum of a part with InvalidPart', async () => {
      const begun = await uploaded({ ChecksumAlgorithm: 'SHA1' })
      const Parts = begun.Parts.map((part) => ({ ...part, ChecksumSHA1: 'qvTGHdzF6KLavt4PO0gs2a6pQ00=' }))
      expect(await refusal(complete({ ...begun, Parts }))).toMatchObject({ code: 'InvalidPart', status: 400 })
    })

    it('checks the checksum of the whole, its type and the size that the client expects', async () => {
      const begun = await uploaded({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' })
      expect(await refusal(complete(begun, { ChecksumCRC32: 'AAAAAA==' }))).toMatchObject({ code: 'BadDigest', status: 400 })
      expect(await refusal(complete(begun, { ChecksumType: 'COMPOSITE' }))).toMatchObject({ code: 'InvalidRequest' })
      expect(await refusal(complete(begun, { MpuObjectSize: 1 }))).toMatchObject({ code: 'InvalidRequest', status: 400 })
      const whole = await client().send(
        new PutObjectCommand({ Bucket: begun.Bucket, Key: 'w', Body: Buffer.concat([bodies[0], bodies[2]]), ChecksumAlgorithm: 'CRC32' }),
      )
      const { ChecksumCRC32 } = whole
      expect(await complete(begun, { ChecksumCRC32, ChecksumType: 'FULL_OBJECT', MpuObjectSize: 5 * mib + 8 })).toMatchObject({
        ChecksumCRC32,
      })
    })
  })

  describe('conditions', () => {
    it('checks If-None-Match and If-Match of the key', async () => {
      const begun = await uploaded({ parts: [bodies[2]] })
      expect(await refusal(complete(begun, { IfMatch: '"x"' }))).toMatchObject({ code: 'NoSuchKey', status: 404 })
      const { ETag = '' } = await client().send(new PutObjectCommand({ Bucket: begun.Bucket, Key: 'k', Body: 'there' }))
      expect(await refusal(complete(begun, { IfNoneMatch: '*' }))).toMatchObject({ code: 'PreconditionFailed', status: 412 })
      expect(await refusal(complete(begun, { IfMatch: '"x"' }))).toMatchObject({ code: 'PreconditionFailed', status: 412 })
      await complete(begun, { IfMatch: ETag })
      expect((await head(begun.Bucket)).ContentLength).toBe(8)
    })
  })

  it('works with the SDK’s own uploader, whatever it sums by', async () => {
    const Bucket = await region().makeBucket()
    const Body = Buffer.concat(bodies)
    for (const algorithm of [undefined, 'CRC32', 'CRC64NVME', 'SHA256'] as const) {
      const params = { Bucket, Key: 'k', Body, ...(algorithm !== undefined && { ChecksumAlgorithm: algorithm as ChecksumAlgorithm }) }
      await new Upload({ client: client(), params }).done()
      expect(
        (await bytesOf((await client().send(new GetObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }))).Body)).equals(Body),
      ).toBe(true)
    }
  })
})

describe('a slow CompleteMultipartUpload', () => {
  const release: { now: () => void } = { now: () => {} }
  const slowRegion = useRegion({
    slowTiming: { graceMs: 0, intervalMs: 1 },
    between: (objects) => ({
      ...objects,
      async completeUpload(request) {
        await new Promise<void>((resolve) => {
          release.now = resolve
        })
        return await objects.completeUpload(request)
      },
    }),
  })

  it('answers 200 and white space until the result is known, and an error that comes late stands in the body', async () => {
    const Bucket = await slowRegion().makeBucket()
    const { UploadId = '' } = await slowRegion().client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }))
    const body = '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>'
    const path = `/${Bucket}/k?uploadId=${UploadId}`
    const begun = new RawClient(slowRegion().port)
    begun.send(signedHead(slowRegion(), { method: 'POST', path, headers: { 'Content-Length': `${body.length}` } }))
    begun.send(body)
    await begun.until((received) => received.includes('1\r\n \r\n1\r\n \r\n'), 'white space')
    release.now()
    const text = await begun.until((received) => received.includes('</Error>'), 'the error')
    expect(text).toContain('<Code>InvalidPart</Code>')
  })

  it('lets the SDK see a late error as the error it is', async () => {
    const Bucket = await slowRegion().makeBucket()
    const { UploadId = '' } = await slowRegion().client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }))
    const Parts = [{ PartNumber: 1, ETag: 'x' }]
    const call = refusal(
      slowRegion().client.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'k', UploadId, MultipartUpload: { Parts } })),
    )
    release.now = () => {}
    const timer = setInterval(() => release.now(), 20)
    expect(await call).toMatchObject({ code: 'InvalidPart' })
    clearInterval(timer)
  })
})
