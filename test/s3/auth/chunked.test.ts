import { describe, expect, it } from 'vitest'
import { type BodyHeaders, openBody, readWhole } from '../../../src/s3/auth/body.ts'
import type { PayloadMode } from '../../../src/s3/auth/payload.ts'
import { type ChunkedOptions, chunked, pieces, refusal, refusalOf, seed } from './requests.ts'

const chunks = ['first chunk', 'second', 'the third \r\n']
const decoded = chunks.join('')
const trailers = [['x-amz-checksum-crc32', 'AAAAAA==']] as const
const trailer = ['x-amz-checksum-crc32']

interface Form {
  readonly name: string
  readonly payload: PayloadMode
  readonly options: ChunkedOptions
  readonly headers: BodyHeaders
}

const forms: readonly Form[] = [
  { name: 'signed', payload: { mode: 'chunked-signed', trailer: false }, options: { signed: true }, headers: {} },
  {
    name: 'signed with a trailer',
    payload: { mode: 'chunked-signed', trailer: true },
    options: { signed: true, trailers },
    headers: { trailer },
  },
  { name: 'unsigned with a trailer', payload: { mode: 'chunked-unsigned-trailer' }, options: { trailers }, headers: { trailer } },
]
const [signedForm, signedTrailerForm, unsignedForm] = forms as readonly [Form, Form, Form]

interface Reading {
  readonly options?: ChunkedOptions
  readonly headers?: BodyHeaders
  /** Changes the bytes on the way. */
  readonly wire?: (raw: Buffer) => readonly (Buffer | Error)[]
  readonly chunks?: readonly string[]
  /** What came out, also when the reading failed. */
  readonly out?: Buffer[]
}

async function read(form: Form, reading: Reading = {}) {
  const raw = chunked(reading.chunks ?? chunks, { ...form.options, ...reading.options })
  const length = (reading.chunks ?? chunks).join('').length
  const headers = { decodedContentLength: length, contentLength: raw.length, ...form.headers, ...reading.headers }
  const body = openBody(pieces(...(reading.wire?.(raw) ?? [raw])), { payload: form.payload, seed, headers })
  const out = reading.out ?? []
  for await (const piece of body) out.push(piece)
  return { text: Buffer.concat(out).toString('latin1'), trailers: body.trailers() }
}

const replaced = (from: string, to: string) => (raw: Buffer) => {
  const text = raw.toString('latin1')
  expect(text).toContain(from)
  return [Buffer.from(text.replace(from, to), 'latin1')]
}

function only(parts: readonly Buffer[]): Buffer {
  expect(parts.length).toBe(1)
  return Buffer.concat(parts)
}

/** Without Content-Length, as under Transfer-Encoding: chunked. */
const unmeasured = (form: Form): BodyHeaders => ({ decodedContentLength: decoded.length, ...form.headers })

async function readUnmeasured(form: Form, raw: Buffer) {
  const body = openBody(pieces(raw), { payload: form.payload, seed, headers: unmeasured(form) })
  return { text: (await readWhole(body, { maxBytes: 1e9 })).toString('latin1'), trailers: body.trailers() }
}

describe.each(forms)('an aws-chunked body, $name', (form) => {
  const expected = { text: decoded, trailers: form.options.trailers === undefined ? {} : { 'x-amz-checksum-crc32': 'AAAAAA==' } }

  it('comes out whole, split in two at every byte', async () => {
    const { length } = chunked(chunks, form.options)
    for (let at = 0; at <= length; at += 1) {
      expect(await read(form, { wire: (raw) => [raw.subarray(0, at), raw.subarray(at)] })).toEqual(expected)
    }
  })

  it('comes out whole in pieces of one byte', async () => {
    expect(await read(form, { wire: (raw) => [...raw].map((byte) => Buffer.from([byte])) })).toEqual(expected)
  })

  it('may be empty', async () => {
    expect(await read(form, { chunks: [] })).toEqual({ ...expected, text: '' })
  })

  it('comes out whole without Content-Length', async () => {
    expect(await readUnmeasured(form, chunked(chunks, form.options))).toEqual(expected)
  })

  it('is IncompleteBody cut off at every byte, whether the connection breaks or ends', async () => {
    const { length } = chunked(chunks, form.options)
    for (let at = 0; at < length; at += 1) {
      for (const end of [[], [new Error('aborted')]]) {
        const error = await refusalOf(() => read(form, { wire: (raw) => [raw.subarray(0, at), ...end] }))
        expect([at, error.code]).toEqual([at, 'IncompleteBody'])
      }
    }
  })

  it('is refused when a client without Content-Length ends it early, but for the last CRLF that some leave out', async () => {
    const raw = chunked(chunks, form.options)
    for (let at = 0; at < raw.length - 2; at += 1) {
      const error = await refusalOf(() => readUnmeasured(form, raw.subarray(0, at)))
      expect(['IncompleteBody', 'MalformedTrailerError']).toContain(error.code)
    }
    expect(await readUnmeasured(form, raw.subarray(0, -2))).toEqual(expected)
    expect((await refusalOf(() => readUnmeasured(form, raw.subarray(0, -1)))).code).toBe('IncompleteBody')
  })

  it('is IncompleteBody when x-amz-decoded-content-length says more or less', async () => {
    for (const decodedContentLength of [decoded.length - 1, decoded.length + 1, 0]) {
      const error = await refusalOf(() => read(form, { headers: { decodedContentLength } }))
      expect(error).toMatchObject({ code: 'IncompleteBody', status: 400 })
    }
  })

  it('lets no byte of a chunk pass that goes beyond the decoded length', async () => {
    const out: Buffer[] = []
    await refusalOf(() => read(form, { headers: { decodedContentLength: 12 }, out }))
    expect(Buffer.concat(out).toString()).toBe('first chunk')
  })

  it('is MissingContentLength without x-amz-decoded-content-length', () => {
    const error = refusal(() => openBody(pieces(), { payload: form.payload, seed, headers: { contentLength: 10 } }))
    expect(error).toMatchObject({ code: 'MissingContentLength', status: 411 })
  })

  it.each([
    ['a size that is no number', replaced('\r\n6', '\r\ng')],
    ['a negative size', replaced('\r\n6', '\r\n-6')],
    ['a size with 0x', replaced('\r\n6', '\r\n0x6')],
    ['a size beyond all numbers', replaced('\r\n6', `\r\n${'f'.repeat(16)}`)],
    ['a size of 17 digits', replaced('\r\n6', `\r\n${'0'.repeat(16)}6`)],
    ['a size too small', replaced('b', 'a')],
    ['a size too large', replaced('b', 'c')],
    ['no CRLF after the data', replaced('second\r\n', 'second\n\r')],
    ['a header ended by LF alone', replaced('\r\nsecond', '\nsecond')],
    ['an endless header', replaced('\r\nsecond', `;${'x'.repeat(8192)}\r\nsecond`)],
  ])('is IncompleteBody with %s', async (_what, wire) => {
    const error = await refusalOf(() => readUnmeasured(form, only(wire(chunked(chunks, form.options)))))
    expect(error.code).toBe('IncompleteBody')
  })

  it('passes over chunk extensions that it does not know', async () => {
    const wire = replaced('\r\nsecond', ';colour=red ; mood\r\nsecond')
    expect(await readUnmeasured(form, only(wire(chunked(chunks, form.options))))).toEqual(expected)
  })
})

describe('chunk signatures', () => {
  it.each([0, 1, 2, 3])('are SignatureDoesNotMatch at chunk %i, and no byte of that chunk passes', async (wrongChunk) => {
    const out: Buffer[] = []
    const error = await refusalOf(() => read(signedForm, { options: { wrongChunk }, out }))
    expect(error).toMatchObject({ code: 'SignatureDoesNotMatch', status: 403 })
    expect(Buffer.concat(out).toString()).toBe(chunks.slice(0, wrongChunk).join(''))
  })

  it('cover the data', async () => {
    for (const [from, to] of [
      ['first', 'f1rst'],
      ['third', 'th1rd'],
    ] as const) {
      expect((await refusalOf(() => read(signedForm, { wire: replaced(from, to) }))).code).toBe('SignatureDoesNotMatch')
    }
  })

  it('cover the order of the chunks', async () => {
    const pair = ['same size A', 'same size B']
    const swap = (raw: Buffer) => {
      const [a = '', b = '', ...rest] = raw.toString('latin1').split(/(?<=\r\nsame size .\r\n)/)
      return [Buffer.from(b + a + rest.join(''), 'latin1')]
    }
    expect((await refusalOf(() => read(signedForm, { chunks: pair, wire: swap }))).code).toBe('SignatureDoesNotMatch')
  })

  it('may not be missing, doubled or of another size', async () => {
    const first = /;chunk-signature=[0-9a-f]{64}/
    const change = (to: (found: string) => string) => (raw: Buffer) => [Buffer.from(raw.toString('latin1').replace(first, to), 'latin1')]
    const refused = async (to: (found: string) => string) =>
      (await refusalOf(() => readUnmeasured(signedForm, only(change(to)(chunked(chunks, signedForm.options)))))).code
    expect(await refused(() => '')).toBe('SignatureDoesNotMatch')
    expect(await refused((found) => found.slice(0, -1))).toBe('SignatureDoesNotMatch')
    expect(await refused((found) => found + found)).toBe('IncompleteBody')
  })

  it('name what was signed', async () => {
    const { details } = await refusalOf(() => read(signedForm, { options: { wrongChunk: 0 } }))
    expect(details).toMatchObject({ AWSAccessKeyId: seed.accessKeyId, SignatureProvided: '0'.repeat(64) })
    expect(details.StringToSign).toMatch(/^AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n/)
  })

  it('hold large chunks that come in pieces of every size', async () => {
    const large = [Buffer.alloc(300_000, 'xyz').toString(), Buffer.alloc(70_000, 'ab').toString()]
    for (const sizes of [[1000], [4096], [65_536], [1, 5000, 3], [100, 70_000]]) {
      const cut = (raw: Buffer) => {
        const parts: Buffer[] = []
        for (let at = 0, turn = 0; at < raw.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1
          parts.push(raw.subarray(at, at + size))
          at += size
        }
        return parts
      }
      expect((await read(signedForm, { chunks: large, wire: cut })).text).toBe(large.join(''))
    }
  })

  it('are InvalidChunkSizeError over 16 MiB, before the chunk is read', async () => {
    const size = 16 * 1024 * 1024 + 1
    const raw = Buffer.from(`${size.toString(16)};chunk-signature=${'0'.repeat(64)}\r\n`)
    const headers = { decodedContentLength: size, contentLength: size + 200 }
    const body = openBody(pieces(raw), { payload: signedForm.payload, seed, headers })
    expect(await refusalOf(() => readWhole(body, { maxBytes: 1e9 }))).toMatchObject({ code: 'InvalidChunkSizeError', status: 400 })
  })
})

describe('an unsigned chunk', () => {
  it('streams, whatever its size', async () => {
    const part = Buffer.alloc(1024 * 1024, 'x')
    const count = 20
    async function* raw() {
      yield Buffer.from(`${(count * part.length).toString(16)}\r\n`)
      for (let index = 0; index < count; index += 1) yield part
      yield Buffer.from('\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n')
    }
    const headers = { decodedContentLength: count * part.length, trailer }
    const out: Buffer[] = []
    for await (const piece of openBody(raw(), { payload: unsignedForm.payload, headers })) out.push(piece)
    expect(out.length).toBe(count)
    expect(out.every((piece) => piece.buffer === part.buffer)).toBe(true)
  })
})

describe('trailers', () => {
  it('are SignatureDoesNotMatch with a wrong x-amz-trailer-signature', async () => {
    const error = await refusalOf(() => read(signedTrailerForm, { options: { wrongTrailerSignature: true } }))
    expect(error).toMatchObject({ code: 'SignatureDoesNotMatch', status: 403 })
    const changed = await refusalOf(() => read(signedTrailerForm, { wire: replaced('AAAAAA==', 'AAAAAB==') }))
    expect(changed.code).toBe('SignatureDoesNotMatch')
  })

  it('are MalformedTrailerError without x-amz-trailer-signature, and with one in an unsigned body', async () => {
    const wire = (raw: Buffer) => [Buffer.from(raw.toString('latin1').replace(/x-amz-trailer-signature:.*\r\n/, ''), 'latin1')]
    const { length } = wire(chunked(chunks, signedTrailerForm.options))[0] ?? Buffer.alloc(0)
    const missing = await refusalOf(() => read(signedTrailerForm, { wire, headers: { contentLength: length } }))
    expect(missing.code).toBe('MalformedTrailerError')
    const raw = chunked(chunks, { end: `x-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:${'0'.repeat(64)}\r\n\r\n` })
    expect((await refusalOf(() => readUnmeasured(unsignedForm, raw))).code).toBe('MalformedTrailerError')
  })

  const good = 'x-amz-checksum-crc32:AAAAAA=='
  it.each([
    ['missing', ''],
    ['another than announced', 'x-amz-checksum-sha1:AAAAAA==\r\n'],
    ['one more than announced', `${good}\r\nx-amz-checksum-sha1:AAAAAA==\r\n`],
    ['repeated', `${good}\r\n${good}\r\n`],
    ['without a colon', 'x-amz-checksum-crc32\r\n'],
    ['without a value', 'x-amz-checksum-crc32:\r\n'],
    ['without a name', ':AAAAAA==\r\n'],
    ['with a space in the value', 'x-amz-checksum-crc32:AAA AAA==\r\n'],
    ['with a byte that is no text', 'x-amz-checksum-crc32:AAAA\xff\r\n'],
    ['too many', `${Array.from({ length: 11 }, (_, index) => `x-amz-meta-${index}:1\r\n`).join('')}`],
    ['followed by something else', `${good}\r\n\r\nGET / HTTP/1.1\r\n`],
  ])('are MalformedTrailerError when %s', async (_what, section) => {
    const raw = chunked(chunks, { end: `${section}\r\n` })
    expect(await refusalOf(() => readUnmeasured(unsignedForm, raw))).toMatchObject({ code: 'MalformedTrailerError', status: 400 })
  })

  it('are refused over 8 KiB, in one line or in many', async () => {
    for (const section of [`x-amz-checksum-crc32:${'A'.repeat(8192)}\r\n`, `${'\r\n'.repeat(4200)}${good}\r\n`]) {
      const error = await refusalOf(() => readUnmeasured(unsignedForm, chunked(chunks, { end: `${section}\r\n` })))
      expect(error.status).toBe(400)
    }
  })

  it('may have upper-case names and spaces around the value', async () => {
    const raw = chunked(chunks, { end: 'X-Amz-Checksum-CRC32: AAAAAA== \r\n\r\n' })
    expect((await readUnmeasured(unsignedForm, raw)).trailers).toEqual({ 'x-amz-checksum-crc32': 'AAAAAA==' })
  })

  it('are accepted as minio-go writes them, with an LF and an empty line before the signature', async () => {
    const raw = chunked(chunks, { signed: true, trailers, beforeSignature: '\r\n' })
    const text = raw.toString('latin1').replace('AAAAAA==\r\n', 'AAAAAA==\n')
    const { trailers: values } = await readUnmeasured(signedTrailerForm, Buffer.from(text, 'latin1'))
    expect(values).toEqual({ 'x-amz-checksum-crc32': 'AAAAAA==' })
  })

  it('need not be there when none are announced', async () => {
    const raw = chunked(chunks, {})
    const body = openBody(pieces(raw), { payload: unsignedForm.payload, headers: { decodedContentLength: decoded.length } })
    expect((await readWhole(body, { maxBytes: 1e6 })).toString('latin1')).toBe(decoded)
  })

  it('are InvalidRequest when x-amz-trailer announces something that is no checksum', () => {
    for (const name of ['x-amz-meta-a', '', '__proto__', 'content-length']) {
      const headers = { decodedContentLength: 1, trailer: [name] }
      const error = refusal(() => openBody(pieces(), { payload: unsignedForm.payload, headers }))
      expect(error).toMatchObject({ code: 'InvalidRequest', status: 400 })
    }
  })

  it('are not allowed after a signed body that announces none', async () => {
    const raw = chunked(chunks, { signed: true, end: `${good}\r\n\r\n` })
    expect((await refusalOf(() => readUnmeasured(signedForm, raw))).code).toBe('IncompleteBody')
  })
})
