/** Bad days of the server behind a bucket tier: it is away, slow, full, wrong, or says one thing and does another. */
import { randomBytes as randomId } from 'node:crypto'
import { inspect } from 'node:util'
import {
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { tierRef } from '../../src/model/tier-refs.ts'
import { TierCorrupt, TierFull, TierMissing, TierRefused, TierUnavailable } from '../../src/tiers/errors.ts'
import type { BucketSettings } from '../../src/tiers/settings.ts'
import type { TierBlob, TierStore } from '../../src/tiers/store.ts'
import type { Weather } from '../support/fault-proxy.ts'
import { denying, secretAccessKey } from '../support/region.ts'
import { type BucketBench, openBucketBench, prefix, testTier } from './bench.ts'
import { digestOf, gathered, inPieces, randomBytes } from './bytes.ts'

const mib = 1024 * 1024
const signal = new AbortController().signal
const small = randomBytes(100_000)
const large = randomBytes(20 * mib)
const always = 1000

let bench: BucketBench
let tier: TierStore

beforeAll(async () => {
  bench = await openBucketBench()
})
beforeEach(async () => {
  tier = await bench.open()
})
afterEach(() => bench.proxy.set({ kind: 'up' }))
afterAll(() => bench.close())

const newRef = (): string => tierRef(testTier, { boot: 1, randomId: randomId(16).toString('hex') })

async function put(bytes: Buffer, ref = newRef()): Promise<{ readonly ref: string; readonly blob: TierBlob }> {
  return { ref, blob: await tier.write(inPieces(bytes), { ref, lengthBytes: bytes.length, encrypt: false, signal }) }
}

const read = (ref: string, lengthBytes: number): Promise<Buffer> => gathered(tier.read(ref, { lengthBytes, signal }))

async function unfinishedUploads({ region, bucket }: BucketBench = bench): Promise<number> {
  const { Uploads = [] } = await region.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
  return Uploads.length
}

/** What comes of everything that a tier can be asked, none of which is to succeed. */
function failuresOfAll(ref: string): Promise<readonly unknown[]> {
  const works = [put(small), put(large), read(ref, small.length), tier.remove(newRef(), signal)]
  return Promise.all(works.map((work) => work.catch((error: unknown) => error)))
}

/** An answer that the proxy gives in the region's place. */
function answer(status: string, body: string, headers: readonly string[] = []): string {
  return [`HTTP/1.1 ${status}`, `content-length: ${body.length}`, 'connection: close', ...headers, '', body].join('\r\n')
}

const errorBody = (code: string, message = 'words for people'): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`

describe('a server that is away', () => {
  const weathers: readonly [string, Weather, RegExp][] = [
    ['refuses connections', { kind: 'refuse' }, /connection broke/],
    ['takes connections and says nothing', { kind: 'hang' }, /does not answer in time/],
    ['answers 503', { kind: 'answer503', pattern: /./s }, /503/],
    [
      'answers 500 InternalError',
      { kind: 'answer', pattern: /./s, times: always, text: answer('500 Oops', errorBody('InternalError')) },
      /500 InternalError/,
    ],
    [
      'asks to slow down',
      { kind: 'answer', pattern: /./s, times: always, text: answer('503 Slow Down', errorBody('SlowDown')) },
      /SlowDown/,
    ],
    ['answers 429', { kind: 'answer', pattern: /./s, times: always, text: answer('429 Too Many Requests', '') }, /429/],
    ['hangs up in the head of its answers', { kind: 'cutAnswer', pattern: /./s, times: always, bytes: 20 }, /broke|Socket|Parse/i],
    ['stops in the head of its answers', { kind: 'cutAnswer', pattern: /./s, times: always, bytes: 20, hangs: true }, /in time/],
  ]
  it.each(weathers)('is unavailable when it %s, and works again', { timeout: 30_000 }, async (_, weather, said) => {
    const { ref } = await put(small)
    bench.proxy.set(weather)
    for (const error of await failuresOfAll(ref)) {
      expect(error).toBeInstanceOf(TierUnavailable)
      expect(String(error)).toMatch(said)
    }
    expect(tier.status()).toMatchObject({ kind: 'bucket', state: 'failing', reason: expect.stringMatching(said) })
    bench.proxy.set({ kind: 'up' })
    expect(digestOf(await read(ref, small.length))).toBe(digestOf(small))
    expect(tier.status().state).toBe('ok')
  })

  it('is met at the start too, which goes on', async () => {
    const { ref } = await put(small)
    bench.proxy.set({ kind: 'refuse' })
    tier = await bench.open({ boot: 2 })
    await expect(read(ref, small.length)).rejects.toThrow(TierUnavailable)
    bench.proxy.set({ kind: 'up' })
    expect((await read(ref, small.length)).length).toBe(small.length)
  })

  it('does not keep a caller who gives up', async () => {
    await put(small)
    bench.proxy.set({ kind: 'hang' })
    const giving = new AbortController()
    setTimeout(() => giving.abort(new Error('nobody waits')), 50)
    const write = tier.write(inPieces(large), { ref: newRef(), lengthBytes: large.length, encrypt: false, signal: giving.signal })
    await expect(write).rejects.toThrow('nobody waits')
    expect(tier.status().state).toBe('ok')
  })
})

describe('a server that fails in passing', () => {
  it.each<[string, Weather]>([
    ['one PUT', { kind: 'cut', pattern: /^PUT/, bytes: 70_000, times: 1 }],
    ['one part', { kind: 'cut', pattern: /partNumber=2/, bytes: 3 * mib, times: 1 }],
    ['the answer to the beginning of an upload', { kind: 'dropAnswer', pattern: /^POST \S+\?uploads/, times: 1 }],
    ['the answer to the end of an upload', { kind: 'dropAnswer', pattern: /^POST \S+\?uploadId/, times: 1 }],
    ['a part with SlowDown', { kind: 'answer', pattern: /partNumber=1/, times: 1, text: answer('503 Slow Down', errorBody('SlowDown')) }],
  ])('is asked again: %s', { timeout: 20_000 }, async (what, weather) => {
    await put(small)
    const bytes = what === 'one PUT' ? small : large
    bench.proxy.set(weather)
    const { ref } = await put(bytes)
    expect(bench.proxy.struck).toBe(1)
    bench.proxy.set({ kind: 'up' })
    expect(digestOf(await read(ref, bytes.length))).toBe(digestOf(bytes))
  })

  it('is asked again for the rest of a range that it cut off', async () => {
    const { ref } = await put(large)
    bench.proxy.set({ kind: 'cutAnswer', pattern: /^GET/, times: 2, bytes: mib })
    expect(digestOf(await read(ref, large.length))).toBe(digestOf(large))
    expect(bench.proxy.struck).toBe(2)
  })
})

describe('a server that breaks off', () => {
  it.each<[string, Weather]>([
    ['parts', { kind: 'cut', pattern: /partNumber=2/, bytes: 3 * mib, times: always }],
    ['parts that it reads no further', { kind: 'stall', pattern: /partNumber=2/, times: always }],
    ['the end of uploads', { kind: 'swallow', pattern: /^POST \S+\?uploadId/, times: always }],
    ['the look at what was stored', { kind: 'dropAnswer', pattern: /^HEAD/, times: always }],
  ])('in %s leaves no upload behind', { timeout: 20_000 }, async (_, weather) => {
    await put(small)
    const before = await unfinishedUploads()
    bench.proxy.set(weather)
    await expect(put(large)).rejects.toThrow(TierUnavailable)
    expect(await unfinishedUploads()).toBe(before)
  })

  it('in the middle of what it gives passes on only what is right', { timeout: 20_000 }, async () => {
    const { ref } = await put(large)
    bench.proxy.set({ kind: 'cutAnswer', pattern: /^GET/, times: always, bytes: mib })
    const seen: Buffer[] = []
    const reading = (async () => {
      for await (const piece of tier.read(ref, { lengthBytes: large.length, signal })) seen.push(piece)
    })()
    await expect(reading).rejects.toThrow(TierUnavailable)
    const all = Buffer.concat(seen)
    expect(digestOf(all)).toBe(digestOf(large.subarray(0, all.length)))
  })

  it.each<[string, Weather, RegExp]>([
    ['says no more', { kind: 'cutAnswer', pattern: /bytes=0-/, times: always, bytes: mib, hangs: true }, /in time/],
    ['gives a byte now and then', { kind: 'trickle', pattern: /bytes=0-/, times: always, everyMs: 2 }, /too slow/],
  ])('but %s, is unavailable', { timeout: 20_000 }, async (_, weather, said) => {
    const { ref } = await put(large)
    bench.proxy.set(weather)
    const error: unknown = await read(ref, large.length).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(TierUnavailable)
    expect(String(error)).toMatch(said)
  })
})

describe('a server that says what is not so', () => {
  it('has not stored an upload that it answers with 200 and an error', async () => {
    await put(small)
    const before = await unfinishedUploads()
    bench.proxy.set({ kind: 'answer', pattern: /^POST \S+\?uploadId/, times: always, text: answer('200 OK', errorBody('InternalError')) })
    await expect(put(large)).rejects.toThrow(/complete the upload .*InternalError/)
    expect(await unfinishedUploads()).toBe(before)
  })

  it('has not stored what is not there afterwards, or has another length', async () => {
    await put(small)
    bench.proxy.set({ kind: 'answer', pattern: /^PUT/, times: 1, text: answer('200 OK', '', ['etag: "x"']) })
    await expect(put(small)).rejects.toThrow(/has 0 bytes there/)
    bench.proxy.set({
      kind: 'answer',
      pattern: /^HEAD/,
      times: 1,
      text: 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n',
    })
    await expect(put(small)).rejects.toThrow(/has 5 bytes there/)
  })

  it('is not believed about bytes', async () => {
    const { ref } = await put(small)
    const body = 'x'.repeat(5000)
    const text = answer('206 Partial Content', body, ['content-range: bytes 0-4999/5000', 'etag: "x"'])
    bench.proxy.set({ kind: 'answer', pattern: /^GET/, times: always, text })
    await expect(read(ref, small.length)).rejects.toThrow(TierCorrupt)
    bench.proxy.set({ kind: 'answer', pattern: /^GET/, times: always, text: answer('206 Partial Content', body) })
    await expect(read(ref, small.length)).rejects.toThrow(/does not serve ranges/)
    bench.proxy.set({ kind: 'answer', pattern: /^GET/, times: always, text: answer('200 OK', 'x'.repeat(mib)) })
    await expect(read(ref, small.length)).rejects.toThrow(/more than \d+ bytes/)
  })

  it('and gives another object in the middle of one is found out', async () => {
    const { ref } = await put(large)
    const pieces = tier.read(ref, { lengthBytes: large.length, signal })[Symbol.asyncIterator]()
    const first = await pieces.next()
    await put(randomBytes(20 * mib, 7), ref)
    const rest = (async () => {
      const seen = [first.value as Buffer] // a range that begins at 0 has a first piece
      for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next()) seen.push(piece.value)
      return seen
    })()
    await expect(rest).rejects.toThrow(/was written anew/)
  })
})

describe('a server that says no', () => {
  const refusals: readonly [string, string, RegExp][] = [
    ['403 AccessDenied', answer('403 Forbidden', errorBody('AccessDenied')), /403 AccessDenied/],
    ['404 NoSuchBucket', answer('404 Not Found', errorBody('NoSuchBucket')), /404 NoSuchBucket/],
    ['404 of no S3 server', answer('404 Not Found', '<html>nothing here</html>'), /404/],
    [
      '301 to another region',
      answer('301 Moved', errorBody('PermanentRedirect'), ['location: http://127.0.0.1:1/', 'x-amz-bucket-region: sa-east-1']),
      /301 PermanentRedirect .*sa-east-1/,
    ],
    ['400 InvalidRequest', answer('400 Bad Request', errorBody('InvalidRequest')), /400 InvalidRequest/],
  ]
  it.each(refusals)('is told with its own words: %s', async (_, text, said) => {
    const { ref } = await put(small)
    bench.proxy.set({ kind: 'answer', pattern: /./s, times: always, text })
    for (const error of await failuresOfAll(ref)) {
      expect(error).toBeInstanceOf(TierRefused)
      expect(String(error)).toMatch(said)
    }
    expect(tier.status()).toMatchObject({ state: 'failing', reason: expect.stringMatching(said) })
  })

  it('because it has no room is full', async () => {
    await put(small)
    bench.proxy.set({
      kind: 'answer',
      pattern: /^P/,
      times: always,
      text: answer('507 Insufficient Storage', errorBody('XMinioStorageFull')),
    })
    await expect(put(small)).rejects.toThrow(TierFull)
    await expect(put(large)).rejects.toThrow(TierFull)
  })

  it('is told with the words of a region', async () => {
    const { ref } = await put(small)
    bench.region.deny = denying('s3:GetObject')
    await expect(read(ref, small.length)).rejects.toThrow(/403 AccessDenied/)
    bench.region.deny = () => {}
    const others: readonly [Partial<BucketSettings>, RegExp][] = [
      [{ name: await bench.region.makeBucket() }, /403 AccessDenied/],
      [{ name: 'no-bucket-of-this-name' }, /404 NoSuchBucket/],
      [{ secretAccessKey: 'another-secret' }, /403 SignatureDoesNotMatch/],
      [{ accessKeyId: 'AKIANOBODY' }, /403 InvalidAccessKeyId/],
      [{ region: 'sa-east-1' }, /400 AuthorizationHeaderMalformed/],
    ]
    for (const [settings, said] of others) {
      tier = await bench.open({ settings })
      const error: unknown = await put(small).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(TierRefused)
      expect(String(error)).toMatch(said)
    }
  })

  it('has lost an object: it is missing, and the tier is well', async () => {
    const { ref } = await put(small)
    await bench.region.client.send(new DeleteObjectsCommand({ Bucket: bench.bucket, Delete: { Objects: [{ Key: prefix + ref }] } }))
    await expect(read(ref, small.length)).rejects.toThrow(TierMissing)
    expect(tier.status().state).toBe('ok')
  })

  it('shows no secret, nor does anything here', async () => {
    bench.proxy.set({ kind: 'answer', pattern: /./s, times: always, text: answer('403 Forbidden', errorBody('SignatureDoesNotMatch')) })
    const error: unknown = await put(small).catch((caught: unknown) => caught)
    const shown = inspect([error, tier.status(), bench.logged], { depth: 10 }) + JSON.stringify([error, tier.status(), bench.logged])
    expect(shown).not.toContain(secretAccessKey)
    expect(shown).not.toMatch(/Signature=/)
  })
})

describe('what earlier starts left', () => {
  let own: BucketBench

  beforeEach(async () => {
    own = await openBucketBench()
    tier = await own.open()
    await put(small)
  })
  afterEach(() => own.close())

  it('is taken away when a later one comes to the bucket: uploads that nobody ends', async () => {
    for (const Key of [prefix + newRef(), `${prefix}something-else`]) {
      await own.region.client.send(new CreateMultipartUploadCommand({ Bucket: own.bucket, Key }))
    }
    for (const [boot, left] of [
      [1, 2],
      [2, 1],
    ] as const) {
      tier = await own.open({ boot })
      await put(small)
      expect(await unfinishedUploads(own)).toBe(left)
    }
  })

  it('is known without conditions too, by a server that has none', async () => {
    const without = await openBucketBench()
    const text = answer('501 Not Implemented', errorBody('NotImplemented'))
    without.proxy.set({ kind: 'answer', pattern: /if-none-match/i, times: always, text })
    tier = await without.open()
    const { ref } = await put(small)
    tier = await without.open({ boot: 2 })
    expect((await read(ref, small.length)).length).toBe(small.length)
    tier = await without.open({ region: 'ap-south-1' })
    await expect(put(small)).rejects.toThrow(/belongs to tier vault of region us-east-1/)
    await without.close()
  })

  it('and a bucket whose mark is gone is not taken for new', async () => {
    const Objects = [{ Key: `${prefix}farshore-tier.json` }]
    await own.region.client.send(new DeleteObjectsCommand({ Bucket: own.bucket, Delete: { Objects } }))
    tier = await own.open({ boot: 2 })
    await expect(put(small)).rejects.toThrow(/does not hold farshore-tier\.json/)
    const { Versions = [] } = await own.region.client.send(new ListObjectVersionsCommand({ Bucket: own.bucket }))
    expect(Versions.some(({ Key = '' }) => Key.endsWith('.json'))).toBe(false)
  })
})
