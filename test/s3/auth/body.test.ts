import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { S3Error } from '../../../src/model/errors.ts'
import { type Body, bodyHeadersOf, contentEncodingWithoutChunked, openBody, readWhole } from '../../../src/s3/auth/body.ts'
import type { PayloadMode } from '../../../src/s3/auth/payload.ts'
import { emptySha256, pieces, refusal, refusalOf, sha256 } from './requests.ts'

const data = Buffer.from('the quick brown fox')
const hashed: PayloadMode = { mode: 'sha256', hex: sha256(data) }
const contentLength = data.length

const text = async (body: Body) => (await readWhole(body, { maxBytes: 1e6 })).toString('latin1')

describe('a body with its hash in the head', () => {
  it('passes, in whatever pieces, without copies', async () => {
    const [first, second] = [data.subarray(0, 7), data.subarray(7)]
    const out: Buffer[] = []
    const body = openBody(pieces(first, Buffer.alloc(0), second), { payload: hashed, headers: { contentLength } })
    expect(body.lengthBytes).toBe(contentLength)
    for await (const piece of body) out.push(piece)
    expect(out).toEqual([first, second])
    expect(out.every((piece) => piece.buffer === data.buffer)).toBe(true)
    expect(body.trailers()).toEqual({})
  })

  it('may be empty', async () => {
    const body = openBody(pieces(), { payload: { mode: 'sha256', hex: emptySha256 }, headers: { contentLength: 0 } })
    expect(await text(body)).toBe('')
  })

  it('is XAmzContentSHA256Mismatch at its end when a bit is wrong', async () => {
    const wrong = Buffer.from(data)
    wrong[3] = (wrong[3] ?? 0) ^ 1
    const error = await refusalOf(() => text(openBody(pieces(wrong), { payload: hashed, headers: { contentLength } })))
    expect(error).toMatchObject({ code: 'XAmzContentSHA256Mismatch', status: 400 })
    expect(error.details).toEqual({ ClientComputedContentSHA256: sha256(data), S3ComputedContentSHA256: sha256(wrong) })
  })

  it.each(['sha256', 'unsigned'])('is IncompleteBody when short, too long or cut off (%s)', async (mode) => {
    const payload: PayloadMode = mode === 'sha256' ? hashed : { mode: 'unsigned' }
    const short = data.subarray(0, -1)
    for (const raw of [pieces(short), pieces(data, data), pieces(short, new Error('aborted'))]) {
      const error = await refusalOf(() => text(openBody(raw, { payload, headers: { contentLength } })))
      expect(error).toMatchObject({ code: 'IncompleteBody', status: 400 })
    }
  })

  it('lets nothing pass that comes after its length', async () => {
    const out: Buffer[] = []
    const body = openBody(pieces(data, Buffer.from('more')), { payload: hashed, headers: { contentLength } })
    await refusalOf(async () => {
      for await (const piece of body) out.push(piece)
    })
    expect(out).toEqual([data])
  })

  it('keeps the name of a refusal that the source makes itself', async () => {
    const raw = pieces(data.subarray(0, 1), new S3Error('RequestTimeout'))
    expect((await refusalOf(() => text(openBody(raw, { payload: hashed, headers: { contentLength } })))).code).toBe('RequestTimeout')
  })

  it('is MissingContentLength without a length, unless the decoded one says it', async () => {
    const error = refusal(() => openBody(pieces(data), { payload: hashed, headers: {} }))
    expect(error).toMatchObject({ code: 'MissingContentLength', status: 411 })
    const body = openBody(pieces(data), { payload: hashed, headers: { decodedContentLength: contentLength } })
    expect(await text(body)).toBe(data.toString())
  })

  it('is InvalidRequest with an announced trailer, which nobody would check', () => {
    const headers = { contentLength, trailer: ['x-amz-checksum-crc32'] }
    expect(refusal(() => openBody(pieces(data), { payload: hashed, headers })).code).toBe('InvalidRequest')
  })
})

describe('reading a body', () => {
  it('pulls nothing before the first iteration', async () => {
    let pulled = false
    async function* raw() {
      pulled = true
      yield data
    }
    const body = openBody(raw(), { payload: hashed, headers: { contentLength } })
    await Promise.resolve()
    expect(pulled).toBe(false)
    await text(body)
    expect(pulled).toBe(true)
  })

  it('ends the source when the reader gives up', async () => {
    let ended = false
    async function* raw() {
      try {
        yield data
        yield data
      } finally {
        ended = true
      }
    }
    for await (const _ of openBody(raw(), { payload: { mode: 'unsigned' }, headers: { contentLength: 2 * contentLength } })) break
    expect(ended).toBe(true)
  })

  it('leaves a Readable open when it refuses, so that the rest can be drained', async () => {
    const raw = new Readable({ read: () => undefined })
    raw.push(data)
    const headers = { contentLength: 100, decodedContentLength: 100 }
    const body = openBody(raw, { payload: { mode: 'chunked-unsigned-trailer' }, headers })
    raw.push(Buffer.from('\r\n'))
    expect((await refusalOf(() => text(body))).code).toBe('IncompleteBody')
    expect(raw.destroyed).toBe(false)
    raw.push('the rest')
    raw.push(null)
    expect((await readWhole(raw, { maxBytes: 100 })).toString()).toContain('the rest')
  })

  it('happens once, and trailers are not known before its end', async () => {
    const body = openBody(pieces(data), { payload: hashed, headers: { contentLength } })
    expect(() => body.trailers()).toThrow('before the end')
    await text(body)
    await expect(text(body)).rejects.toThrow('read twice')
  })

  it('as a whole is refused over the limit, by its length before a byte is read', async () => {
    let pulled = false
    async function* raw() {
      pulled = true
      yield data
    }
    const body = () => openBody(raw(), { payload: hashed, headers: { contentLength } })
    const limit = { maxBytes: contentLength - 1 }
    expect((await refusalOf(() => readWhole(body(), limit))).code).toBe('EntityTooLarge')
    expect(pulled).toBe(false)
    expect((await refusalOf(() => readWhole(raw(), { ...limit, code: 'MalformedXML' }))).code).toBe('MalformedXML')
    expect((await readWhole(raw(), { maxBytes: contentLength })).equals(data)).toBe(true)
  })
})

describe('the headers of a body', () => {
  it('are read as numbers and names', () => {
    const headers = { 'content-length': '12', 'x-amz-decoded-content-length': '7', 'x-amz-trailer': 'X-Amz-Checksum-CRC32 , b' }
    expect(bodyHeadersOf({ headers })).toEqual({
      contentLength: 12,
      decodedContentLength: 7,
      trailer: ['x-amz-checksum-crc32', 'b'],
    })
    expect(bodyHeadersOf({ headers: {} })).toEqual({})
  })

  it.each(['', '-1', '1.5', '0x10', '1, 1', '9'.repeat(16), '9'.repeat(30)])('are InvalidArgument with the length "%s"', (value) => {
    const error = refusal(() => bodyHeadersOf({ headers: { 'x-amz-decoded-content-length': value } }))
    expect(error).toMatchObject({ code: 'InvalidArgument', details: { ArgumentName: 'x-amz-decoded-content-length' } })
  })
})

describe('Content-Encoding without aws-chunked', () => {
  it.each([
    [undefined, undefined],
    ['gzip', 'gzip'],
    ['aws-chunked', undefined],
    ['aws-chunked,gzip', 'gzip'],
    ['gzip, AWS-Chunked', 'gzip'],
    ['gzip, aws-chunked, br', 'gzip,br'],
    ['my-aws-chunked', 'my-aws-chunked'],
  ])('of %s is %s', (value, stored) => {
    expect(contentEncodingWithoutChunked(value)).toBe(stored)
  })
})
