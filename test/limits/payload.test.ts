/** Signatures and lengths that do not hold, in each payload mode: refused by name, and nothing of the body is stored. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client, createBucket, expectStatus, listKeys } from './client.ts'
import { randomFrom } from './random.ts'
import { eventually, filesBelow, type Region, startRegion } from './region.ts'
import { chunkedBody, encodePath, type Pairs, type Signed, sha256, signRequest } from './signer.ts'
import { headBytes, Wire, type WireAnswer } from './wire.ts'

const bucket = 'payload'
const random = randomFrom(3)

let folder = ''
let region: Region
let client: Client

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'farshore-payload-'))
  region = await startRegion({ folder })
  client = new Client(region.port)
  await createBucket(client, bucket)
})
afterAll(async () => {
  await client?.close()
  await region?.kill()
  rmSync(folder, { recursive: true, force: true })
})

const modes = [
  'UNSIGNED-PAYLOAD',
  'sha256',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
] as const
type Mode = (typeof modes)[number]

interface Options {
  readonly secret?: string
  readonly decodedLength?: string
  readonly wrongChunk?: number
  readonly trailers?: Pairs
}

interface Prepared {
  readonly signed: Signed
  readonly body: Buffer
}

const isChunked = (mode: Mode): boolean => mode.startsWith('STREAMING')
const isChunkSigned = (mode: Mode): boolean => mode.startsWith('STREAMING-AWS4')
const hasTrailer = (mode: Mode): boolean => mode.endsWith('-TRAILER')
const crcName = 'x-amz-checksum-crc32'

/** A PUT of `content` under the key `never`, as clients of this mode send it. */
function prepare(mode: Mode, content: Buffer, { secret, decodedLength, wrongChunk, trailers }: Options = {}): Prepared {
  const signed = signRequest({
    method: 'PUT',
    path: encodePath(bucket, 'never'),
    payload: mode === 'sha256' ? sha256(content) : mode,
    headers: [
      ...(isChunked(mode) ? [['x-amz-decoded-content-length', decodedLength ?? String(content.length)] as const] : []),
      ...(hasTrailer(mode) ? [['x-amz-trailer', crcName] as const] : []),
    ],
    ...(secret === undefined ? {} : { secret }),
  })
  if (!isChunked(mode)) return { signed, body: content }
  const half = Math.ceil(content.length / 2)
  const body = chunkedBody([content.subarray(0, half), content.subarray(half)], {
    seed: signed.seed,
    isSigned: isChunkSigned(mode),
    ...(hasTrailer(mode) ? { trailers: trailers ?? [[crcName, crcOf(content)]] } : {}),
    ...(wrongChunk === undefined ? {} : { wrongChunk }),
  })
  return { signed, body }
}

function crcOf(content: Buffer): string {
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(content))
  return sum.toString('base64')
}

/** @param isCut whether the client then says that nothing follows; the server would wait for what the head has promised */
async function send(head: Buffer, body: Buffer, { isCut = false } = {}): Promise<WireAnswer> {
  const wire = new Wire(region.port)
  await wire.send(Buffer.concat([head, body]))
  if (isCut) wire.end()
  return wire.answer()
}

function headOf({ signed, body }: Prepared, more: Pairs = [['content-length', String(body.length)]]): Buffer {
  return headBytes('PUT', signed, [...more, ['connection', 'close']])
}

async function expectNothingStored(): Promise<void> {
  expect(await listKeys(client, bucket)).toEqual([])
  await eventually('files to be gone', () =>
    filesBelow(join(region.dataFolder, 'blobs')).every((file) => !file.startsWith('files/') && !file.startsWith('tmp/')),
  )
}

async function expectRefused(answer: WireAnswer, code: string): Promise<void> {
  expect(`${answer.status} ${answer.code}`).toMatch(new RegExp(`^4\\d\\d (${code})$`))
  await expectNothingStored()
}

/** Below and above what is gathered in memory before it is checked. */
const sizes = [
  ['small', random.bytes(9000)],
  ['large', random.bytes(300_000)],
] as const

describe.each(sizes)('a %s PUT', (_size, content) => {
  describe.each(modes)('with %s', (mode) => {
    it('is stored when all of it holds', async () => {
      const right = prepare(mode, content)
      expect((await send(headOf(right), right.body)).status).toBe(200)
      const got = expectStatus(await client.send({ method: 'GET', bucket, key: 'never' }), 200)
      expect(got.body.equals(content)).toBe(true)
      expectStatus(await client.send({ method: 'DELETE', bucket, key: 'never' }), 204)
      await expectNothingStored()
    })

    it('is refused when another secret signed it', async () => {
      const wrong = prepare(mode, content, { secret: 'another secret' })
      await expectRefused(await send(headOf(wrong), wrong.body), 'SignatureDoesNotMatch')
    })

    it('is refused without a signature', async () => {
      const { signed, body } = prepare(mode, content)
      const headers = signed.headers.filter(([name]) => name !== 'authorization')
      const code = isChunkSigned(mode) ? 'InvalidRequest' : 'AccessDenied'
      await expectRefused(await send(headOf({ signed: { ...signed, headers }, body }), body), code)
    })

    it('is refused with two signatures', async () => {
      const { signed, body } = prepare(mode, content)
      const [authorization] = signed.headers.filter(([name]) => name === 'authorization')
      const wrong = prepare(mode, content, { secret: 'another secret' }).signed.headers.at(-1)
      if (authorization === undefined || wrong === undefined) throw new Error('not signed')
      const others = signed.headers.filter(([name]) => name !== 'authorization')
      for (const pair of [
        [authorization, authorization],
        [authorization, wrong],
        [wrong, authorization],
      ]) {
        const head = headOf({ signed: { ...signed, headers: [...others, ...pair] }, body })
        await expectRefused(await send(head, body), 'InvalidArgument|InvalidRequest|AuthorizationHeaderMalformed|SignatureDoesNotMatch')
      }
    })

    it('is refused with a signature in the header and one in the query', async () => {
      const { signed, body } = prepare(mode, content)
      const target = `${signed.target}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=${'0'.repeat(64)}`
      await expectRefused(await send(headOf({ signed: { ...signed, target }, body }), body), 'InvalidArgument|InvalidRequest')
    })

    it.each([1, 10, 5000])('is refused when its last %s bytes never come', async (missing) => {
      const right = prepare(mode, content)
      await expectRefused(await send(headOf(right), right.body.subarray(0, -missing), { isCut: true }), 'IncompleteBody')
    })

    it('is refused when its length says less than it is', async () => {
      const right = prepare(mode, content)
      if (mode === 'UNSIGNED-PAYLOAD') return // Then that is all of it: nothing else says how long it is.
      const head = headOf(right, [['content-length', String(right.body.length - 1000)]])
      // Or what is left is taken for another request, and is none.
      await expectRefused(await send(head, right.body), 'IncompleteBody|XAmzContentSHA256Mismatch|BadRequest')
    })

    it.each(['-5', '+5', '5x', '', '0x10', '99999999999999999999999', '5, 6'])('is refused with the length %s', async (length) => {
      const answer = await send(headOf(prepare(mode, content), [['content-length', length]]), content)
      expect([400, 411]).toContain(answer.status)
      await expectNothingStored()
    })

    it('is refused with two lengths, and with a length beside another coding', async () => {
      const right = prepare(mode, content)
      for (const more of [
        [
          ['content-length', String(right.body.length)],
          ['content-length', '3'],
        ],
        [
          ['content-length', String(right.body.length)],
          ['transfer-encoding', 'chunked'],
        ],
      ] satisfies Pairs[]) {
        expect((await send(headOf(right, more), right.body)).status).toBe(400)
        await expectNothingStored()
      }
    })

    it('is refused without any length', async () => {
      const { status } = await send(headOf(prepare(mode, content), []), Buffer.alloc(0))
      // What is chunked for S3 says its length elsewhere; its body is then an empty one, and too short.
      expect(isChunked(mode) ? [400, 411] : [411]).toContain(status)
      await expectNothingStored()
    })
  })

  describe.each(modes.filter(isChunked))('in chunks, with %s', (mode) => {
    it.each(['-1', '0', '1', 'NaN', '1e3', '9007199254740993', '99999999999999999999'])(
      'is refused when it says that it has %s bytes',
      async (decodedLength) => {
        const lying = prepare(mode, content, { decodedLength })
        await expectRefused(await send(headOf(lying), lying.body), 'IncompleteBody|InvalidArgument|EntityTooLarge')
      },
    )

    it('is refused when something follows its end', async () => {
      const { signed, body } = prepare(mode, content)
      const longer = Buffer.concat([body, Buffer.from('more')])
      await expectRefused(await send(headOf({ signed, body: longer }), longer), 'IncompleteBody|MalformedTrailerError')
    })

    it.each(['zz', '-1', '', 'ffffffffffffffff', '1;'.repeat(9000), `${'0'.repeat(30)}1`, '\0'])(
      'is refused with a chunk of the size %j',
      async (chunkSize) => {
        const { signed } = prepare(mode, content)
        const body = Buffer.concat([
          Buffer.from(`${chunkSize};chunk-signature=${'0'.repeat(64)}\r\n`),
          content,
          Buffer.from('\r\n0\r\n\r\n'),
        ])
        await expectRefused(await send(headOf({ signed, body }), body), 'IncompleteBody|SignatureDoesNotMatch|InvalidChunkSizeError')
      },
    )
  })

  describe.each(modes.filter(isChunkSigned))('signed chunk by chunk, with %s', (mode) => {
    it.each([0, 1, 2])('is refused when the signature of chunk %i is wrong', async (wrongChunk) => {
      const wrong = prepare(mode, content, { wrongChunk })
      await expectRefused(await send(headOf(wrong), wrong.body), 'SignatureDoesNotMatch')
    })

    it('is refused when a byte was changed on the way', async () => {
      const { signed, body } = prepare(mode, content)
      const at = Math.floor(body.length / 3)
      const changed = Buffer.from(body)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      await expectRefused(await send(headOf({ signed, body: changed }), changed), 'SignatureDoesNotMatch')
    })
  })

  describe.each(modes.filter(hasTrailer))('with a trailer, with %s', (mode) => {
    it.each([
      ['a wrong checksum', [[crcName, 'AAAAAA==']], 'BadDigest'],
      ['a malformed checksum', [[crcName, 'nonsense']], 'InvalidRequest|MalformedTrailerError|BadDigest'],
      ['another name', [['x-amz-checksum-sha1', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=']], 'MalformedTrailerError'],
      ['nothing', [], 'MalformedTrailerError'],
      [
        'the same twice',
        [
          [crcName, crcOf(content)],
          [crcName, crcOf(content)],
        ],
        'MalformedTrailerError',
      ],
    ] satisfies readonly [string, Pairs, string][])('is refused when it holds %s', async (_what, trailers, code) => {
      const wrong = prepare(mode, content, { trailers })
      await expectRefused(await send(headOf(wrong), wrong.body), code)
    })
  })
})

it('a region that has refused all this is alive, and has nothing to report', () => {
  expect(region.isAlive()).toBe(true)
  expect(region.log()).toBe('')
})
