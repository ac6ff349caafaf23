import { describe, expect, it } from 'vitest'
import type { StorageClass } from '../../src/model/storage-class.ts'
import { tierOfRef } from '../../src/model/tier-refs.ts'
import { bytesFor, gather, never } from '../objects/space.ts'
import { type ArchiveSpace, dayMs, HandClock, useArchive } from './archive-space.ts'

const large = 300_000

async function restored(space: ArchiveSpace, version: Parameters<ArchiveSpace['standing']>[0], days = 1): Promise<Buffer> {
  await space.objects.restore(await space.standing(version), { days, tier: 'Standard', delayMs: 0, dayMs })
  await space.settle()
  return await gather(await space.objects.open(await space.standing(version), { signal: never }))
}

describe('a version of an archived class', () => {
  it.each([
    ['small', 1000, false],
    ['empty', 0, false],
    ['large', large, false],
    ['small and encrypted', 1000, true],
    ['large and encrypted', large, true],
  ])('goes to its tier, %s, and comes back the same', async (_what, bytes, isEncrypted) => {
    const space = await useArchive()
    const bucket = await space.bucket('bucket')
    const content = bytesFor('key', bytes)
    const version = await space.putAs(bucket, 'key', content, { storageClass: 'GLACIER', isEncrypted })
    await expect(space.get(bucket, 'key')).rejects.toMatchObject({ code: 'InvalidObjectState', details: { StorageClass: 'GLACIER' } })
    await space.settle()
    expect(tierOfRef((await space.standing(version)).blob ?? '')).toBe('cold')
    expect(space.cold.held.size).toBe(1)
    expect(await space.moves()).toEqual([])
    await expect(space.get(bucket, 'key')).rejects.toMatchObject({ code: 'InvalidObjectState' })
    expect((await restored(space, version)).equals(content)).toBe(true)
  })

  it('frees the bytes on the own disk once they were read back, and those in the tier with the version', async () => {
    const space = await useArchive()
    const bucket = await space.bucket('bucket')
    const version = await space.putAs(bucket, 'key', bytesFor('key', large), { storageClass: 'GLACIER' })
    const own = version.blob ?? ''
    await space.settle()
    await expect(gather(space.blobs.read(own, { lengthBytes: large }))).rejects.toThrow()
    await space.objects.delete({ bucket, key: 'key', ownerId: 'owner' })
    await space.settle()
    expect(space.cold.held.size).toBe(0)
    expect(await space.notedWrites()).toBe(0)
  })

  it('loses its copy, and its moves, with the version', async () => {
    const space = await useArchive()
    const bucket = await space.bucket('bucket')
    const version = await space.putAs(bucket, 'key', bytesFor('key', large), { storageClass: 'GLACIER' })
    await space.settle()
    await restored(space, version, 100)
    const copy = await space.standing(version)
    expect(copy.record.restore?.state).toBe('restored')
    await space.objects.delete({ bucket, key: 'key', ownerId: 'owner' })
    await space.settle()
    expect(await space.moves()).toEqual([])
    expect(space.cold.held.size).toBe(0)
  })

  it('is archived again when the days of its copy are over, and its copy goes', async () => {
    const clock = new HandClock()
    const space = await useArchive({ clock })
    const bucket = await space.bucket('bucket')
    const version = await space.putAs(bucket, 'key', bytesFor('key', large), { storageClass: 'GLACIER' })
    await space.settle()
    await restored(space, version, 2)
    expect(await space.moves()).toMatchObject([{ kind: 'expire' }])
    clock.offsetMs += 4 * dayMs
    await expect(space.get(bucket, 'key')).rejects.toMatchObject({ code: 'InvalidObjectState' })
    await space.settle()
    expect(await space.moves()).toEqual([])
    expect((await space.standing(version)).record.restore).toBeUndefined()
    expect(await restored(space, version)).toHaveLength(large)
  })

  it('stays restored for longer when it is asked for again, and is not restored twice at once', async () => {
    const clock = new HandClock()
    const space = await useArchive({ clock })
    const bucket = await space.bucket('bucket')
    const version = await space.putAs(bucket, 'key', bytesFor('key', 1000), { storageClass: 'GLACIER' })
    await space.settle()
    const ask = async (days: number) => space.objects.restore(await space.standing(version), { days, tier: 'Bulk', delayMs: 0, dayMs })
    expect(await ask(1)).toBe('requested')
    await expect(ask(1)).rejects.toMatchObject({ code: 'RestoreAlreadyInProgress' })
    await space.settle()
    expect(await ask(50)).toBe('prolonged')
    clock.offsetMs += 10 * dayMs
    await space.settle()
    expect(await space.get(bucket, 'key')).toHaveLength(1000)
    clock.offsetMs += 50 * dayMs
    expect(await ask(1)).toBe('requested')
    await space.settle()
    expect(await space.get(bucket, 'key')).toHaveLength(1000)
  })

  it('waits with its restore as long as it was told to', async () => {
    const clock = new HandClock()
    const space = await useArchive({ clock })
    const bucket = await space.bucket('bucket')
    const version = await space.putAs(bucket, 'key', bytesFor('key', 1000), { storageClass: 'GLACIER' })
    await space.settle()
    await space.objects.restore(version, { days: 100, tier: 'Bulk', delayMs: 30_000, dayMs })
    await space.settle()
    expect((await space.standing(version)).record.restore).toMatchObject({ state: 'ongoing', tier: 'Bulk' })
    clock.offsetMs += 31_000
    await space.settle()
    expect(await space.get(bucket, 'key')).toHaveLength(1000)
  })
})

describe('a version whose class changes', () => {
  async function change(space: ArchiveSpace, version: Parameters<ArchiveSpace['standing']>[0], storageClass: StorageClass) {
    await space.transition(version, storageClass)
    await space.settle()
  }

  it('goes from tier to tier, and back to the own disk', async () => {
    const space = await useArchive()
    const bucket = await space.bucket('bucket')
    const content = bytesFor('key', large)
    const version = await space.putAs(bucket, 'key', content, { storageClass: 'GLACIER_IR', isEncrypted: true })
    await space.settle()
    expect((await space.get(bucket, 'key')).equals(content)).toBe(true)
    await change(space, version, 'DEEP_ARCHIVE')
    expect([space.cold.held.size, space.deep.held.size]).toEqual([0, 1])
    expect((await space.standing(version)).storageClass).toBe('DEEP_ARCHIVE')
    await change(space, version, 'STANDARD')
    expect([space.cold.held.size, space.deep.held.size]).toEqual([0, 0])
    expect((await space.get(bucket, 'key')).equals(content)).toBe(true)
    expect(await space.moves()).toEqual([])
  })

  it('moves no byte when the place is the same', async () => {
    const space = await useArchive()
    const bucket = await space.bucket('bucket')
    const version = await space.putAs(bucket, 'key', bytesFor('key', 10), { storageClass: 'STANDARD' })
    await change(space, version, 'STANDARD_IA')
    expect(await space.standing(version)).toMatchObject({ storageClass: 'STANDARD_IA', blob: version.blob })
  })

  it('reads ranges from a tier that stays readable', async () => {
    const space = await useArchive()
    const bucket = await space.bucket('bucket')
    const content = bytesFor('key', large)
    const version = await space.putAs(bucket, 'key', content, { storageClass: 'GLACIER_IR' })
    await space.settle()
    const range = { start: 100_000, endInclusive: 250_000 }
    const read = await gather(await space.objects.open(await space.standing(version), { range, signal: never }))
    expect(read.equals(content.subarray(100_000, 250_001))).toBe(true)
  })

  it('is read to the end although its bytes go to a tier meanwhile', async () => {
    const space = await useArchive()
    const bucket = await space.bucket('bucket')
    const content = bytesFor('key', 4_000_000)
    const version = await space.putAs(bucket, 'key', content, { storageClass: 'STANDARD' })
    const opened = await space.objects.open(version, { signal: never })
    await change(space, version, 'GLACIER')
    expect((await gather(opened)).equals(content)).toBe(true)
    await space.settle()
    await expect(space.objects.open(version, { signal: never })).rejects.toMatchObject({ code: 'InvalidObjectState' })
  })
})
