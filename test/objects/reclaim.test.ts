import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Bucket } from '../../src/model/bucket.ts'
import { contentOf } from '../../src/objects/content.ts'
import type { ChosenPart } from '../../src/objects/multipart.ts'
import { bytesFor, diskBytes, drain, fill, never, once, type Space, useSpace } from './space.ts'

const attributes = { ownerId: 'owner', storageClass: 'STANDARD', system: { contentType: 'x' }, user: [], tags: [], acl: [] } as const
const checksum = { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', isGiven: false } as const
const dayMs = 24 * 3600 * 1000

async function begin(space: Space, bucket: Bucket, sizes: readonly number[]): Promise<{ uploadId: string; chosen: readonly ChosenPart[] }> {
  const { uploadId } = await space.objects.createUpload({ bucket, key: 'key', attributes, checksum })
  const chosen: ChosenPart[] = []
  for (const [index, size] of sizes.entries()) {
    const source = contentOf(size, once(bytesFor(`part ${index}`, size)))
    const number = index + 1
    const { part } = await space.objects.putPart({ bucket, key: 'key', uploadId, number, claims: {}, signal: never }, source)
    chosen.push({ PartNumber: number, ETag: part.etag, checksums: [] })
  }
  return { uploadId, chosen }
}

describe('space comes back', () => {
  it('from parts of an upload that is aborted, large ones and small ones', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('aborted')
    const { uploadId } = await begin(space, bucket, [3_000_000, ...Array.from({ length: 15 }, () => 100_000)])
    expect(await diskBytes(join(space.folder, 'blobs'))).toBeGreaterThan(4_500_000)
    await space.objects.abortUpload({ bucket, key: 'key', uploadId })
    await drain(space.reclaim, space.compaction)
    // What is left is what is still written to.
    expect(await diskBytes(join(space.folder, 'blobs'))).toBeLessThan(1_100_000)
  })

  it('from what a completed upload answered, a week later; until then it is answered again, and the object stays', async () => {
    const clock = { ms: Date.now() }
    const space = await useSpace({ clock: { nowMs: () => clock.ms } })
    const bucket = await space.bucket('completed')
    const { uploadId, chosen } = await begin(space, bucket, [2000])
    const first = await space.objects.completeUpload({ bucket, key: 'key', uploadId, chosen })
    clock.ms += 6 * dayMs
    await drain(space.reclaim)
    expect(await space.objects.completeUpload({ bucket, key: 'key', uploadId, chosen })).toEqual(first)
    clock.ms += 2 * dayMs
    await drain(space.reclaim)
    const again = space.objects.completeUpload({ bucket, key: 'key', uploadId, chosen })
    await expect(again).rejects.toMatchObject({ code: 'NoSuchUpload' })
    expect((await space.get(bucket, 'key')).equals(bytesFor('part 0', 2000))).toBe(true)
  })

  it('from many at once, however long somebody reads one of them', async () => {
    const space = await useSpace()
    const bucket = await space.bucket('many')
    await fill(space, bucket, { count: 1100, bytes: 100 })
    const { blob = '' } = await space.objects.find({ bucket, key: 'k3' })
    space.parts.readers.pin([blob])
    for (let n = 0; n < 1100; n++) await space.objects.delete({ bucket, key: `k${n}`, ownerId: 'owner' })
    const { freed: before } = space.reclaim.status() as { freed: number }
    await drain(space.reclaim)
    expect(space.reclaim.status()).toMatchObject({ freed: before + 1099, pinned: 1 })
  })

  it('from an open upload never: it is old, and still its owner’s to complete', async () => {
    const clock = { ms: Date.now() }
    const space = await useSpace({ clock: { nowMs: () => clock.ms } })
    const bucket = await space.bucket('open')
    const { uploadId, chosen } = await begin(space, bucket, [2000])
    clock.ms += 100 * dayMs
    await drain(space.reclaim)
    await space.objects.completeUpload({ bucket, key: 'key', uploadId, chosen })
    expect((await space.get(bucket, 'key')).length).toBe(2000)
  })
})
