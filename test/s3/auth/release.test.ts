import { describe, expect, it } from 'vitest'
import { type Body, openBody } from '../../../src/s3/auth/body.ts'
import type { PayloadMode } from '../../../src/s3/auth/payload.ts'
import { randomFrom } from '../../limits/random.ts'
import { type ChunkedOptions, chunked, pieces, seed } from './requests.ts'

const random = randomFrom(11)
const content = random.bytes(300_000)

interface Form {
  readonly name: string
  readonly payload: PayloadMode
  readonly wire: Buffer
}

function chunkedForm(name: string, payload: PayloadMode, options: ChunkedOptions): Form {
  // Chunks of many sizes, so that they end at and beside the ends of what comes off the wire.
  const chunks = [1, 4096, 65_536, 100_000, 7, content.length].map((end, i, ends) =>
    content.subarray(sum(ends.slice(0, i)), Math.min(sum(ends.slice(0, i)) + end, content.length)).toString('latin1'),
  )
  return { name, payload, wire: chunked(chunks, options) }
}

const forms: readonly Form[] = [
  { name: 'plain', payload: { mode: 'unsigned' }, wire: content },
  chunkedForm(
    'chunked, unsigned with a trailer',
    { mode: 'chunked-unsigned-trailer' },
    { trailers: [['x-amz-checksum-crc32', 'AAAAAA==']] },
  ),
  chunkedForm('chunked and signed', { mode: 'chunked-signed', trailer: false }, { signed: true }),
]

/** As a socket gives it: each piece in memory of its own. */
function ownPieces(wire: Buffer, bytes: number): Buffer[] {
  const count = Math.ceil(wire.length / bytes)
  return Array.from({ length: count }, (_, i) => Buffer.from(Uint8Array.from(wire.subarray(i * bytes, (i + 1) * bytes)).buffer))
}

function opened({ payload, wire }: Form, raw: readonly Buffer[]): Body {
  const trailer = payload.mode === 'chunked-unsigned-trailer' ? { trailer: ['x-amz-checksum-crc32'] } : {}
  const headers = { contentLength: wire.length, decodedContentLength: content.length, ...trailer }
  return openBody(pieces(...raw), { payload, seed, headers })
}

/** Each piece is copied and given back before the next is asked for. */
async function readReleasing(body: Body): Promise<Buffer> {
  const copies: Buffer[] = []
  for await (const piece of body) {
    copies.push(Buffer.from(piece))
    body.release(piece)
  }
  return Buffer.concat(copies)
}

describe.each(forms)('a body read and given back: $name', (form) => {
  it.each([65_536, 16_384, 4097, 1000])('comes whole in pieces of %i bytes', async (bytes) => {
    const raw = ownPieces(form.wire, bytes)
    expect((await readReleasing(opened(form, raw))).equals(content)).toBe(true)
    const given = raw.filter(({ buffer }) => buffer.byteLength === 0).length
    // Those stay whose last bytes are of the wrapping, or that were held and copied together until their signature was checked.
    if (form.name === 'plain') expect(given).toBe(raw.length)
    else if (bytes >= 16_384) expect(given).toBeGreaterThan(raw.length / 3)
  })

  it.each([
    ['before', [1, 2, 3], []],
    ['behind', [], [1, 2, 3]],
  ])('leaves memory alone that others have a part of, %s it', async (_, before, behind) => {
    const whole = Buffer.from(Uint8Array.from([...before, ...form.wire, ...behind]).buffer)
    const end = before.length + form.wire.length
    const raw = [whole.subarray(before.length, 1000), whole.subarray(1000, end)]
    expect((await readReleasing(opened(form, raw))).equals(content)).toBe(true)
    expect([...whole.subarray(0, before.length), ...whole.subarray(end)]).toEqual([1, 2, 3])
  })
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
