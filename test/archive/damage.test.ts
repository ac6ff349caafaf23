/** Damage on one side of an archived version, and good bytes on the other. */
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createPace } from '../../src/lib/pace.ts'
import { partsOf } from '../../src/metadata/tables/uploads.ts'
import { createScrub } from '../../src/scrub/scrub.ts'
import { bytesFor, gather, never } from '../objects/space.ts'
import { type ArchiveSpace, dayMs, HandClock, useArchive } from './archive-space.ts'

const large = 300_000
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }

async function restored(space: ArchiveSpace) {
  const bucket = await space.bucket('bucket')
  const content = bytesFor('key', large)
  const version = await space.putAs(bucket, 'key', content, { storageClass: 'GLACIER' })
  await space.settle()
  await space.objects.restore(version, { days: 1000, tier: 'Standard', delayMs: 0, dayMs })
  await space.settle()
  return { bucket, content, version }
}

describe('a restored copy', () => {
  it('is read although the bytes in the tier turned out to be lost', async () => {
    const space = await useArchive()
    const { bucket, content, version } = await restored(space)
    space.cold.held.clear()
    await space.transition(version, 'DEEP_ARCHIVE')
    await space.settle()
    expect((await space.standing(version)).isDamaged).toBe(true)
    expect((await space.get(bucket, 'key')).equals(content)).toBe(true)
  })

  it.each([large, 1000])('that rots (%i bytes) goes, and can be made again', async (size) => {
    const clock = new HandClock()
    const space = await useArchive({ clock })
    const bucket = await space.bucket('bucket')
    const content = bytesFor('key', size)
    const version = await space.putAs(bucket, 'key', content, { storageClass: 'GLACIER' })
    await space.settle()
    await space.objects.restore(version, { days: 1000, tier: 'Standard', delayMs: 0, dayMs })
    await space.settle()
    const { restore } = (await space.standing(version)).record
    if (restore?.state !== 'restored') throw new Error('it is not restored')
    const { blobSet } = restore
    const [copy] = await space.metadata.read(() => partsOf(blobSet, { afterNumber: 0, limit: 10 }))
    const folder = join(space.folder, 'blobs')
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      const { size } = await stat(path)
      if (entry.isFile() && size >= 1000) await writeFile(path, Buffer.alloc(size, 7))
    }
    expect(copy).toBeDefined()
    await expect(space.get(bucket, 'key').then(gather)).rejects.toMatchObject({ code: 'InvalidObjectState' })
    expect((await space.standing(version)).record.restore).toBeUndefined()
    await space.settle()
    await space.objects.restore(version, { days: 1000, tier: 'Standard', delayMs: 0, dayMs })
    await space.settle()
    expect((await space.get(bucket, 'key')).equals(content)).toBe(true)
  })
})

describe('a version that is read straight from its tier, and was lost there for a while', () => {
  it('loses its mark when the tier has it again, and not before', async () => {
    const clock = new HandClock()
    const space = await useArchive({ clock })
    const bucket = await space.bucket('bucket')
    const content = bytesFor('key', large)
    const version = await space.putAs(bucket, 'key', content, { storageClass: 'GLACIER_IR' })
    await space.settle()
    const [[ref, held]] = [...space.cold.held.entries()] as [[string, { bytes: Buffer; dataKey: Buffer | undefined }]]
    space.cold.held.clear()
    await expect(space.get(bucket, 'key').then(gather)).rejects.toMatchObject({ name: 'ContentDamaged' })
    const scrub = createScrub({ ...space.parts, clock, periodMs: 1e12, pace: createPace(1e12), log })
    await scrub.work(never)
    expect((await space.standing(version)).isDamaged).toBe(true)
    space.cold.mood = 'away'
    clock.offsetMs += 2 * 3600_000
    await scrub.work(never)
    expect((await space.standing(version)).isDamaged).toBe(true)
    space.cold.mood = 'well'
    space.cold.held.set(ref, held)
    clock.offsetMs += 2 * 3600_000
    await scrub.work(never)
    expect((await space.standing(version)).isDamaged).toBeUndefined()
    expect((await space.get(bucket, 'key')).equals(content)).toBe(true)
  })
})
