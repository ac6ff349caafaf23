import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GetObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { openBlobStore } from '../../src/blobs/open-blob-store.ts'
import { eventually, head, linkBuckets, openPair, type Pair, type PairRegion, type Rules, untilStatus } from '../support/regions-pair.ts'

const batch = /^POST \/_peer\/v1\/replication\/batch/
const stream = /^PUT \/_peer\/v1\/replication\/version/
const small = Buffer.from('small content that travels in a batch')
const large = Buffer.alloc(2 * 1024 * 1024 + 5, 'large content that travels alone ')

/**
 * Where a request breaks off: in its head, in its content, at its last byte. Negative: so many bytes before its end. The content is random,
 * so that it does not shrink on the way and these places lie within it.
 */
const cuts = [
  ...[0, 1, 300, -1_500, -1].map((bytes) => ({ size: 'small', bytes }) as const),
  ...[0, 1, 300, -1_900_000, -1_000_000, -1].map((bytes) => ({ size: 'large', bytes }) as const),
]

async function put(pair: Pair, bucket: string, key: string, body: Buffer): Promise<string | undefined> {
  const { VersionId } = await pair.source.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
  return VersionId
}

/** Exactly one version of a key at the destination, and it is the source's. */
async function expectOneEqual(pair: Pair, of: { near: string; far: string; key: string; body: Buffer }): Promise<void> {
  const source = await untilStatus(pair.source, { bucket: of.near, key: of.key, status: 'COMPLETED', deadlineMs: 40_000 })
  const { Versions = [] } = await pair.destination.s3.send(new ListObjectVersionsCommand({ Bucket: of.far, Prefix: of.key }))
  const there = Versions.filter(({ Key }) => Key === of.key)
  expect(there.map(({ VersionId, ETag }) => [VersionId, ETag])).toEqual([[source.VersionId, source.ETag]])
  const { Body } = await pair.destination.s3.send(new GetObjectCommand({ Bucket: of.far, Key: of.key }))
  expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(of.body)).toBe(true)
}

describe('between two regions', () => {
  it('a peer that is away leaves PENDING from the first HEAD on, and is caught up with in two seconds of its return', async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    await pair.destination.stop()
    for (let n = 0; n < 20; n++) await put(pair, near, `waiting-${n}`, small)
    expect((await head(pair.source, near, 'waiting-0')).ReplicationStatus).toBe('PENDING')
    const [rule] = (
      await eventually(async () => {
        const status = await pair.source.admin<Rules>('/admin/v1/replication')
        expect(status.rules[0]?.lastError).toMatchObject({ code: 'DstUnreachable' })
        return status
      })
    ).rules
    expect(rule).toMatchObject({ pendingOperations: 20, pendingBytes: 20 * small.length, failed: 0 })
    await pair.destination.start()
    const began = performance.now()
    await untilStatus(pair.source, { bucket: near, key: 'waiting-0', status: 'COMPLETED' })
    expect(performance.now() - began).toBeLessThan(3_000)
    for (let n = 0; n < 20; n++) await expectOneEqual(pair, { near, far, key: `waiting-${n}`, body: small })
    expect((await pair.source.admin<Rules>('/admin/v1/replication')).rules[0]).toMatchObject({ pendingOperations: 0, pendingBytes: 0 })
  })

  it('a peer that hangs, or answers 503, changes nothing but the time', { timeout: 90_000 }, async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    for (const weather of [{ kind: 'hang' } as const, { kind: 'answer503', pattern: /_peer\/v1\/replication/ } as const]) {
      pair.destination.proxy.set(weather)
      await put(pair, near, weather.kind, small)
      await put(pair, near, `${weather.kind}-large`, large)
      if (weather.kind === 'answer503') await eventually(async () => expect(pair.destination.proxy.struck).toBeGreaterThan(1))
      expect((await head(pair.source, near, weather.kind)).ReplicationStatus).toBe('PENDING')
      pair.destination.proxy.set({ kind: 'up' })
      await expectOneEqual(pair, { near, far, key: weather.kind, body: small })
      await expectOneEqual(pair, { near, far, key: `${weather.kind}-large`, body: large })
    }
  })

  it('a peer that takes a request and stays silent is given up within seconds, whatever the size', { timeout: 90_000 }, async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    for (const [key, pattern, body] of [
      ['silent', batch, small],
      ['silent-large', stream, large],
    ] as const) {
      pair.destination.proxy.set({ kind: 'swallow', pattern, times: 1 })
      await put(pair, near, key, body)
      await eventually(async () => expect(pair.destination.proxy.struck).toBe(1))
      await expectOneEqual(pair, { near, far, key, body })
    }
  })

  it('an answer that is lost after the version was stored makes no second one', { timeout: 60_000 }, async () => {
    const pair = await openPair()
    const { near, far } = await linkBuckets(pair)
    for (const [key, pattern, body] of [
      ['lost', batch, small],
      ['lost-large', stream, large],
    ] as const) {
      pair.destination.proxy.set({ kind: 'dropAnswer', pattern, times: 2 })
      await put(pair, near, key, body)
      await expectOneEqual(pair, { near, far, key, body })
      expect(pair.destination.proxy.struck).toBeGreaterThan(0)
    }
  })

  it('a request that is cut anywhere leaves nothing half', { timeout: 60_000 }, async () => {
    // Of a pair each, side by side: what takes the time is the waiting between two attempts.
    const all = await Promise.all(cuts.map(async (cut) => ({ cut, pair: await openPair() })))
    await Promise.all(
      all.map(async ({ cut: { size, bytes }, pair }) => {
        const { near, far } = await linkBuckets(pair)
        const where = `${size}, cut at ${bytes}`
        const body = randomBytes(size === 'small' ? 3_000 : 2 * 1024 * 1024)
        const { proxy } = pair.destination
        proxy.set({ kind: 'cut', pattern: size === 'small' ? batch : stream, bytes, times: Number.POSITIVE_INFINITY })
        await put(pair, near, 'cut', body)
        await eventually(async () => expect(proxy.struck, where).toBeGreaterThan(1))
        await expect(head(pair.destination, far, 'cut'), where).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } })
        expect((await head(pair.source, near, 'cut')).ReplicationStatus, where).toBe('PENDING')
        proxy.set({ kind: 'up' })
        await expectOneEqual(pair, { near, far, key: 'cut', body })
        if (size === 'large') await eventually(async () => expect(await fileBlobs(pair.destination), where).toHaveLength(1))
      }),
    )
  })

  it.each([
    ['small', small],
    ['large', large],
  ] as const)(
    'a byte of a %s version that changes between the wire and the disk is seen by the reading back, and heals when it stops',
    {
      timeout: 60_000,
    },
    async (_size, body) => {
      const pair = await openPair()
      const { near, far } = await linkBuckets(pair)
      await pair.destination.stop()
      let flips = true
      const standing = new Set<string>()
      await pair.destination.start({
        async openBlobs(options) {
          const store = await openBlobStore(options)
          return {
            ...store,
            async write(content, rest) {
              const written = await store.write(flips ? flipped(content) : content, rest)
              standing.add(written.ref)
              return written
            },
            async remove(refs) {
              await store.remove(refs)
              for (const ref of refs) standing.delete(ref)
            },
          }
        },
      })
      await put(pair, near, 'flipped', body)
      await eventually(async () => {
        const { rules } = await pair.source.admin<Rules>('/admin/v1/replication')
        expect(rules[0]?.lastError?.code).toBe('DstChecksumMismatch')
      })
      expect((await head(pair.source, near, 'flipped')).ReplicationStatus).toBe('PENDING')
      await expect(head(pair.destination, far, 'flipped')).rejects.toThrow()
      flips = false
      await expectOneEqual(pair, { near, far, key: 'flipped', body })
      expect(standing.size).toBe(1)
    },
  )
})

/** Content with files of its own. */
async function fileBlobs({ folder }: PairRegion): Promise<readonly string[]> {
  const entries = await readdir(join(folder, 'blobs', 'files'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

function flipped(content: Uint8Array | AsyncIterable<Uint8Array>): Uint8Array | AsyncIterable<Uint8Array> {
  return content instanceof Uint8Array ? withFlip(content) : streamWithFlip(content)
}

async function* streamWithFlip(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true
  for await (const piece of content) {
    yield isFirst ? withFlip(piece) : piece
    isFirst = false
  }
}

function withFlip(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1
  return copy
}
