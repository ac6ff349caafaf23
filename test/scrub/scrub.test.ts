import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { NoDescriptors } from '../../src/blobs/errors.ts'
import { placeOf } from '../../src/blobs/ref.ts'
import type { BlobStore } from '../../src/blobs/store.ts'
import type { Engine } from '../../src/lib/engine.ts'
import { damages } from '../../src/metadata/tables/damage.ts'
import type { Bucket } from '../../src/model/bucket.ts'
import { contentOf } from '../../src/objects/content.ts'
import { ContentDamaged } from '../../src/objects/read.ts'
import { createScrub, type ScrubParts } from '../../src/scrub/scrub.ts'
import { bytesFor, drain, fill, never, once, type Space, useSpace } from '../objects/space.ts'

const hourMs = 3600 * 1000
const dayMs = 24 * hourMs

interface Scrubbing {
  readonly engine: Engine
  readonly spent: () => number
  readonly clock: { ms: number }
}

function scrubbing(space: Space, given: Partial<ScrubParts> = {}): Scrubbing {
  const clock = { ms: 1_800_000_000_000 }
  let spent = 0
  const log = { warn() {}, error() {}, info() {} }
  const pace = {
    async spend(bytes: number) {
      spent += bytes
    },
  }
  const engine = createScrub({ ...space.parts, pace, periodMs: 30 * dayMs, clock: { nowMs: () => clock.ms }, log, ...given })
  return { engine, spent: () => spent, clock }
}

/** Changes one bit of a blob's bytes; again: changes it back. */
function flip(space: Space, ref: string): void {
  const place = placeOf(ref)
  const folder = join(space.folder, 'blobs')
  const path =
    place?.kind === 'record' ? join(folder, 'segments', ref.slice(1, 18)) : join(folder, 'files', ref.slice(10, 12), ref.slice(1))
  const at = place?.kind === 'record' ? place.offset + 50 : 50
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

const known = (space: Space) => space.metadata.read(() => damages({ after: { bucketId: '', key: '', id: '', part: 0 }, limit: 100 }))

async function putParts(space: Space, bucket: Bucket, key: string): Promise<readonly string[]> {
  const attributes = { ownerId: 'owner', storageClass: 'STANDARD', system: { contentType: 'x' }, user: [], tags: [], acl: [] } as const
  const checksum = { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', isGiven: false } as const
  const { uploadId } = await space.objects.createUpload({ bucket, key, attributes, checksum })
  const chosen = []
  const refs: string[] = []
  for (const [index, bytes] of [bytesFor('first', 5 * 1024 * 1024), bytesFor('last', 20_000)].entries()) {
    const source = contentOf(bytes.length, once(bytes))
    const { part } = await space.objects.putPart({ bucket, key, uploadId, number: index + 1, claims: {}, signal: never }, source)
    chosen.push({ PartNumber: part.number, ETag: part.etag, checksums: [] })
    refs.push(part.blob)
  }
  await space.objects.completeUpload({ bucket, key, uploadId, chosen })
  return refs
}

describe('the scrubber', () => {
  it('marks versions whose record, file or part is not what was written, which nobody is given then, and no other', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('rot')
    const { blob: record = '' } = await space.put(bucket, 'record', bytesFor('record', 3000))
    const { blob: file = '' } = await space.put(bucket, 'file', bytesFor('file', 300_000), { isEncrypted: true })
    const [, part = ''] = await putParts(space, bucket, 'parts')
    await space.put(bucket, 'sound', bytesFor('sound', 3000))
    for (const ref of [record, file, part]) flip(space, ref)
    const { engine } = scrubbing(space)
    await drain(engine)
    expect((await known(space)).map(({ key, part: number }) => [key, number])).toEqual([
      ['file', undefined],
      ['parts', 2],
      ['record', undefined],
    ])
    for (const key of ['record', 'file', 'parts']) {
      const version = await space.objects.find({ bucket, key })
      // Also a range that could be read: what is left of a broken whole is nobody's to judge.
      await expect(space.objects.open(version, { signal: never, range: { start: 0, endInclusive: 0 } })).rejects.toThrow(ContentDamaged)
    }
    expect((await space.get(bucket, 'sound')).equals(bytesFor('sound', 3000))).toBe(true)
    expect(engine.status()).toMatchObject({ state: 'resting', damaged: 3, versions: 4 })
  })

  it('marks nothing when no file can be opened, for that says nothing about the bytes', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('descriptors')
    await space.put(bucket, 'key', bytesFor('key', 3000))
    const blobs: BlobStore = { ...space.parts.blobs, readWhole: () => Promise.reject(new NoDescriptors('EMFILE')) }
    await expect(drain(scrubbing(space, { blobs }).engine)).rejects.toThrow(NoDescriptors)
    expect(await known(space)).toEqual([])
  })

  it('takes the mark away when the bytes read well again', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('healed')
    const { blob = '' } = await space.put(bucket, 'key', bytesFor('key', 3000))
    flip(space, blob)
    const { engine, clock } = scrubbing(space)
    await drain(engine)
    flip(space, blob)
    await expect(space.get(bucket, 'key')).rejects.toThrow(ContentDamaged)
    clock.ms += 2 * hourMs
    await drain(engine)
    expect((await space.get(bucket, 'key')).equals(bytesFor('key', 3000))).toBe(true)
    expect(await known(space)).toEqual([])
  })

  it('forgets the damage of a version that is deleted', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('deleted')
    const { blob = '' } = await space.put(bucket, 'key', bytesFor('key', 3000))
    flip(space, blob)
    await drain(scrubbing(space).engine)
    expect(await known(space)).toHaveLength(1)
    await space.put(bucket, 'key', bytesFor('anew', 3000))
    expect(await known(space)).toEqual([])
    expect((await space.get(bucket, 'key')).equals(bytesFor('anew', 3000))).toBe(true)
  })

  it('marks nothing that was overwritten while it was read', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('overwritten')
    const { blob = '' } = await space.put(bucket, 'key', bytesFor('key', 3000))
    flip(space, blob)
    const blobs: Pick<BlobStore, 'read' | 'readWhole'> = {
      read: (ref, options) => space.blobs.read(ref, options),
      async readWhole(ref, options) {
        if (ref === blob) await space.put(bucket, 'key', bytesFor('anew', 3000))
        return await space.blobs.readWhole(ref, options)
      },
    }
    const { engine } = scrubbing(space, { blobs })
    await drain(engine)
    expect(await known(space)).toEqual([])
    expect(engine.status()['damaged']).toBe(0)
  })

  it('goes on where it stood before a restart, rests until the period is over, and begins anew', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('rounds')
    await fill(space, bucket, { count: 100, bytes: 100 })
    await scrubbing(space).engine.work(never)
    const { engine, clock } = scrubbing(space)
    await drain(engine)
    expect(engine.status()).toMatchObject({ versions: 100 - 64, state: 'resting' })
    clock.ms += 29 * dayMs
    await drain(engine)
    expect(engine.status()['versions']).toBe(100 - 64)
    clock.ms += dayMs
    await drain(engine)
    expect(engine.status()['versions']).toBe(100 - 64 + 100)
  })

  it('keeps to its budget: every byte is charged, and small versions as what they cost', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('budget')
    await space.put(bucket, 'large', bytesFor('large', 1_000_000))
    await space.put(bucket, 'small', bytesFor('small', 1))
    const { engine, spent } = scrubbing(space)
    await drain(engine)
    expect(spent()).toBe(1_000_000 + 16 * 1024)
  })
})

it('compaction leaves a broken record where it is, and tells of it', async () => {
  const told: string[] = []
  const onBroken = async (blob: string): Promise<void> => void told.push(blob)
  const space = await useSpace({ compaction: { onBroken } })
  const bucket = await space.bucket('broken')
  const { blob = '' } = await space.put(bucket, 'broken', bytesFor('broken', 3000))
  flip(space, blob)
  await fill(space, bucket, { count: 70, bytes: 16 * 1024 })
  for (let n = 1; n < 70; n++) await space.objects.delete({ bucket, key: `k${n}`, ownerId: 'owner' })
  await drain(space.reclaim, space.compaction)
  expect(told).toEqual([blob])
  expect((await space.objects.find({ bucket, key: 'broken' })).blob).toBe(blob)
  expect((await space.get(bucket, 'k0')).equals(bytesFor('k0', 16 * 1024))).toBe(true)
  const segments = (): string[] => readdirSync(join(space.folder, 'blobs', 'segments'))
  expect(segments()).toContain(blob.slice(1, 18))
  await space.objects.delete({ bucket, key: 'broken', ownerId: 'owner' })
  await drain(space.reclaim, space.compaction)
  expect(segments()).not.toContain(blob.slice(1, 18))
})
