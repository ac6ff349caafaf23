import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openBlobStore } from '../../src/blobs/open-blob-store.ts'
import type { BlobStore } from '../../src/blobs/store.ts'
import type { Metadata } from '../../src/metadata/engine.ts'
import type { Bucket } from '../../src/model/bucket.ts'
import type { ObjectVersion } from '../../src/model/version.ts'
import type { SegmentWriters } from '../../src/objects/compaction.ts'
import { contentOf } from '../../src/objects/content.ts'
import type { ChosenPart } from '../../src/objects/multipart.ts'
import { createObjects, type Objects } from '../../src/objects/objects.ts'
import { openContent } from '../../src/objects/read.ts'
import { bytesFor, diskBytes, drain, emptyAround, fill, gather, never, once, type Space, useSpace } from './space.ts'

const KiB = 1024

const segmentsOf = (space: Space): Promise<string[]> => readdir(join(space.folder, 'blobs', 'segments'))

describe('compaction', () => {
  it.each([false, true])(
    'gives most of the disk back when most objects are deleted, and keeps the others (encrypted: %s)',
    async (isEncrypted) => {
      const space = await useSpace()
      const bucket = await space.bucket('load')
      await fill(space, bucket, { count: 600, bytes: 16 * KiB, isEncrypted })
      await drain(space.compaction)
      const fullBytes = await diskBytes(join(space.folder, 'blobs'))
      for (let n = 0; n < 600; n++) if (n % 10 !== 0) await space.objects.delete({ bucket, key: `k${n}`, ownerId: 'owner' })
      await drain(space.reclaim, space.compaction)
      const leftBytes = await diskBytes(join(space.folder, 'blobs'))
      expect(fullBytes).toBeGreaterThan(600 * 16 * KiB)
      expect(leftBytes).toBeLessThan(60 * 16 * KiB + 1.5 * 1024 * KiB)
      for (let n = 0; n < 600; n += 10) expect((await space.get(bucket, `k${n}`)).equals(bytesFor(`k${n}`, 16 * KiB))).toBe(true)
    },
  )

  it('lets readers go on: each gets the right bytes while everything around is overwritten and moved', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('readers')
    await fill(space, bucket, { count: 200, bytes: 20 * KiB })
    space.run(space.reclaim)
    let isLoading = true
    let reads = 0
    const reader = async (): Promise<void> => {
      for (let n = 0; isLoading; n = (n + 7) % 200) {
        // Every tenth is never overwritten, so that its bytes are known; compaction moves it with its segment.
        const key = `k${n - (n % 10)}`
        if (!(await space.get(bucket, key)).equals(bytesFor(key, 20 * KiB))) throw new Error(`wrong bytes of ${key}`)
        reads += 1
      }
    }
    const readers = Promise.all(Array.from({ length: 8 }, reader))
    for (let round = 0; round < 12; round++) {
      const keys = Array.from({ length: 200 }, (_, n) => n).filter((n) => n % 10 !== 0)
      await Promise.all(keys.map((n) => space.put(bucket, `k${n}`, bytesFor(`${round} of ${n}`, 20 * KiB))))
      await drain(space.compaction)
    }
    isLoading = false
    await readers
    expect(reads).toBeGreaterThan(100)
    // Segments go when nobody reads them and reclaim has looked, which it does four times a second.
    await drain(space.reclaim, space.compaction)
    const status = space.compaction.status()
    expect(status['movedBytes']).toBeGreaterThan(100 * KiB)
    expect(status['removedSegments']).toBeGreaterThan(3)
  })

  it('follows a version whose row was read before its bytes were moved', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('stale')
    await fill(space, bucket, { count: 100, bytes: 16 * KiB })
    const stale = await space.objects.find({ bucket, key: 'k0' })
    for (let n = 1; n < 100; n++) await space.objects.delete({ bucket, key: `k${n}`, ownerId: 'owner' })
    await drain(space.reclaim, space.compaction)
    expect((await space.objects.find({ bucket, key: 'k0' })).blob).not.toBe(stale.blob)
    expect((await gather(await space.objects.open(stale, { signal: never }))).equals(bytesFor('k0', 16 * KiB))).toBe(true)
  })

  it('moves a small part of an upload and of a version, and a reader of it goes on', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('parts')
    const { content, version } = await uploadWithSmallPart(space, bucket, () => emptyAround(space, bucket))
    const before = (await space.objects.partLayout(version))?.[1]?.blob
    const slow = await space.objects.open(version, { signal: never })
    await emptyAround(space, bucket)
    expect((await space.objects.partLayout(version))?.[1]?.blob).not.toBe(before)
    expect((await gather(slow)).equals(content)).toBe(true)
  })

  it.each([
    { what: 'all of it', range: undefined },
    { what: 'that part alone', range: { start: 5 * 1024 * KiB, endInclusive: 5 * 1024 * KiB + 9 } },
  ])('reads a layout anew when a part was moved behind its back: $what', async ({ range }) => {
    const space = await useSpace()
    const bucket = await space.bucket('layouts')
    const { content, version } = await uploadWithSmallPart(space, bucket, async () => undefined)
    let reads = 0
    const metadata: Metadata = {
      boot: space.metadata.boot,
      commit: (command) => space.metadata.commit(command),
      status: () => space.metadata.status(),
      waitBeyond: (seq, signal) => space.metadata.waitBeyond(seq, signal),
      close: () => space.metadata.close(),
      remembered: (query) => space.metadata.remembered(query),
      async read(query) {
        const answer = await space.metadata.read(query)
        reads += 1
        if (reads === 1) await emptyAround(space, bucket)
        return answer
      },
    }
    const opened = await openContent({ ...space.parts, metadata }, version, { signal: never, range })
    const wanted = range === undefined ? content : content.subarray(range.start, range.endInclusive + 1)
    expect((await gather(opened)).equals(wanted)).toBe(true)
    expect(reads).toBeGreaterThan(2)
  })

  it('holds a segment until the last reader of what was in it is done', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('held')
    await fill(space, bucket, { count: 70, bytes: 16 * KiB })
    const { blob = '' } = await space.objects.find({ bucket, key: 'k0' })
    const release = space.parts.readers.pin([blob])
    for (let n = 0; n < 70; n++) await space.objects.delete({ bucket, key: `k${n}`, ownerId: 'owner' })
    await drain(space.reclaim, space.compaction)
    expect(await segmentsOf(space)).toContain(blob.slice(1, 18))
    release()
    await drain(space.reclaim, space.compaction)
    expect(await segmentsOf(space)).not.toContain(blob.slice(1, 18))
  })

  it('refuses a commit of what was written into a segment that was emptied meanwhile', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('late')
    const written = await space.blobs.write(bytesFor('late', 100), { encrypt: false })
    await fill(space, bucket, { count: 70, bytes: 16 * KiB })
    for (let n = 0; n < 70; n++) await space.objects.delete({ bucket, key: `k${n}`, ownerId: 'owner' })
    await drain(space.reclaim, space.compaction)
    expect(await segmentsOf(space)).not.toContain(written.ref.slice(1, 18))
    const standing = await space.put(bucket, 'model', bytesFor('model', 10))
    const version = { ...standing, key: 'late', blob: written.ref, id: space.parts.ids.issue() }
    await expect(space.metadata.commit({ tx: 'putVersion', version })).rejects.toMatchObject({ code: 'ServiceUnavailable' })
  })

  it('asks another writer to begin a new segment before it empties the one in hand, and leaves alone what that one writes', async () => {
    const writers: SegmentWriters = { isOver: (boot) => over.has(boot), seal: async (segment) => await other?.seal(segment) }
    const over = new Set<number>()
    let other: BlobStore | undefined
    const space = await useSpace({ compaction: { writers } })
    const boot = space.metadata.boot + 1
    other = await openBlobStore({ directory: join(space.folder, 'blobs'), boot, isFirst: false })
    onTestFinished(() => other?.close())
    const objects = createObjects({ ...space.parts, blobs: other })
    const bucket = await space.bucket('other')
    const theirs = { ...space, objects, put: putWith(objects) }
    await fill(theirs, bucket, { count: 100, bytes: 16 * KiB })
    const { blob: first = '' } = await space.objects.find({ bucket, key: 'k0' })
    await drain(space.compaction)
    expect(await segmentsOf(space)).toEqual([first.slice(1, 18)])
    for (let n = 10; n < 100; n++) await space.objects.delete({ bucket, key: `k${n}`, ownerId: 'owner' })
    await drain(space.reclaim, space.compaction)
    expect(await segmentsOf(space)).not.toContain(first.slice(1, 18))
    await theirs.put(bucket, 'later', bytesFor('later', 1000))
    const { blob: later = '' } = await space.objects.find({ bucket, key: 'later' })
    expect(later.slice(1, 9)).toBe(first.slice(1, 9))
    for (let n = 0; n < 10; n++) expect((await space.get(bucket, `k${n}`)).equals(bytesFor(`k${n}`, 16 * KiB))).toBe(true)
    // Small as it is, it is left alone until its writer has ended.
    await space.objects.delete({ bucket, key: 'later', ownerId: 'owner' })
    await drain(space.reclaim, space.compaction)
    expect(await segmentsOf(space)).toContain(later.slice(1, 18))
    over.add(boot)
    await drain(space.compaction)
    expect(await segmentsOf(space)).not.toContain(later.slice(1, 18))
  })

  it('keeps what is not mostly dead where it is', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('alive')
    await fill(space, bucket, { count: 200, bytes: 16 * KiB })
    for (let n = 0; n < 200; n += 4) await space.objects.delete({ bucket, key: `k${n}`, ownerId: 'owner' })
    const before = await segmentsOf(space)
    await drain(space.reclaim, space.compaction)
    expect(await segmentsOf(space)).toEqual(before)
    expect(space.compaction.status()['movedBytes']).toBe(0)
  })
})

function putWith(objects: Objects): Space['put'] {
  const attributes = { ownerId: 'owner', storageClass: 'STANDARD', system: { contentType: 'x' }, user: [], tags: [], acl: [] } as const
  return async (bucket, key, bytes) =>
    (await objects.put({ bucket, key, attributes, claims: {}, signal: never }, contentOf(bytes.length, once(bytes)))).version
}

/** A version of a large part and a small one. */
async function uploadWithSmallPart(
  space: Space,
  bucket: Bucket,
  beforeItIsCompleted: () => Promise<void>,
): Promise<{ readonly content: Buffer; readonly version: ObjectVersion }> {
  const attributes = { ownerId: 'owner', storageClass: 'STANDARD', system: { contentType: 'x' }, user: [], tags: [], acl: [] } as const
  const checksum = { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', isGiven: false } as const
  const address = { bucket, key: 'upload' }
  const { uploadId } = await space.objects.createUpload({ ...address, attributes, checksum })
  const contents = [bytesFor('large', 5 * 1024 * KiB), bytesFor('small', 30 * KiB)]
  const chosen: ChosenPart[] = []
  for (const [index, bytes] of contents.entries()) {
    const source = contentOf(bytes.length, once(bytes))
    const { part } = await space.objects.putPart({ ...address, uploadId, number: index + 1, claims: {}, signal: never }, source)
    chosen.push({ PartNumber: part.number, ETag: part.etag, checksums: [] })
  }
  await beforeItIsCompleted()
  await space.objects.completeUpload({ ...address, uploadId, chosen })
  return { content: Buffer.concat(contents), version: await space.objects.find(address) }
}
