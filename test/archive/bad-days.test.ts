import { describe, expect, it, vi } from 'vitest'
import { missingTiers } from '../../src/archive/missing-tiers.ts'
import { partsOf } from '../../src/metadata/tables/uploads.ts'
import { TierUnavailable } from '../../src/tiers/errors.ts'
import { bytesFor, drain, gather, never } from '../objects/space.ts'
import type { MemoryTier } from '../support/tiers.ts'
import { type ArchiveSpace, dayMs, HandClock, useArchive } from './archive-space.ts'

const large = 300_000

async function one(space: ArchiveSpace, options: { readonly isEncrypted?: boolean } = {}) {
  const bucket = await space.bucket('bucket')
  const content = bytesFor('key', large)
  return { bucket, content, version: await space.putAs(bucket, 'key', content, { storageClass: 'GLACIER', ...options }) }
}

describe('a tier on a bad day', () => {
  it.each(['away', 'full', 'refusing', 'lying'] as const)(
    'that is %s leaves the version where it is, and the move says why',
    async (mood) => {
      const clock = new HandClock()
      const space = await useArchive({ clock })
      const { version, content } = await one(space)
      space.cold.mood = mood
      await space.settle()
      const [move] = await space.moves()
      expect(move).toMatchObject({ kind: 'store', attempts: 1 })
      expect(move?.reason).toMatch(mood === 'lying' ? /not the same/ : /Tier cold/)
      expect((await space.standing(version)).blob).toBe(version.blob)
      expect((await space.standing(version)).isDamaged).toBeUndefined()
      expect((await gather(space.blobs.read(version.blob ?? '', { lengthBytes: large }))).equals(content)).toBe(true)
      space.cold.mood = 'well'
      clock.offsetMs += 10_000
      await eventually(async () => {
        await space.settle()
        expect(await space.moves()).toEqual([])
      })
      // Whatever was left of the first attempt is gone too.
      await eventually(async () => {
        await space.settle()
        expect([space.cold.held.size, await space.notedWrites()]).toEqual([1, 0])
      })
    },
  )

  it('is left alone while it is away: one move at a time tries it, and others go on', async () => {
    const clock = new HandClock()
    const space = await useArchive({ clock })
    const bucket = await space.bucket('bucket')
    space.cold.mood = 'away'
    let tries = 0
    space.cold.before = () => {
      tries += 1
    }
    for (let n = 0; n < 20; n++) await space.putAs(bucket, `cold-${n}`, bytesFor('x', 100), { storageClass: 'GLACIER' })
    for (let n = 0; n < 5; n++) await space.putAs(bucket, `deep-${n}`, bytesFor('x', 100), { storageClass: 'DEEP_ARCHIVE' })
    await space.settle()
    expect(space.deep.held.size).toBe(5)
    // As many as may be under way at one time had begun before the first failed.
    expect(tries).toBeLessThanOrEqual(4)
    space.cold.mood = 'well'
    clock.offsetMs += 10_000
    await eventually(async () => {
      await space.settle()
      expect(space.cold.held.size).toBe(20)
    })
  })

  it('that is away answers 503 for what it holds, and keeps its garbage until it is back', async () => {
    const space = await useArchive()
    const bucket = await space.bucket('bucket')
    const version = await space.putAs(bucket, 'key', bytesFor('key', large), { storageClass: 'GLACIER_IR' })
    await space.settle()
    space.cold.mood = 'away'
    await expect(space.get(bucket, 'key').then(gather)).rejects.toMatchObject({ code: 'ServiceUnavailable' })
    expect((await space.standing(version)).isDamaged).toBeUndefined()
    await space.objects.delete({ bucket, key: 'key', ownerId: 'owner' })
    // The own disk's space does not wait for it.
    const small = await space.putAs(bucket, 'other', bytesFor('key', large), { storageClass: 'STANDARD' })
    await space.objects.delete({ bucket, key: 'other', ownerId: 'owner' })
    await drain(space.reclaim)
    await expect(gather(space.blobs.read(small.blob ?? '', { lengthBytes: large }))).rejects.toThrow()
    await space.tierReclaim.work(never)
    expect(space.cold.held.size).toBe(1)
    space.cold.mood = 'well'
    await eventually(async () => {
      await space.settle()
      expect(space.cold.held.size).toBe(0)
    })
  })

  it('that holds other bytes than were written gives none, and the version is marked', async () => {
    const space = await useArchive()
    const bucket = await space.bucket('bucket')
    const version = await space.putAs(bucket, 'key', bytesFor('key', large), { storageClass: 'GLACIER_IR' })
    await space.settle()
    for (const held of space.cold.held.values()) held.bytes = Buffer.alloc(7)
    await expect(space.get(bucket, 'key').then(gather)).rejects.toMatchObject({ name: 'ContentDamaged' })
    expect((await space.standing(version)).isDamaged).toBe(true)
  })

  it.each(['lost', 'changed'])('that has %s an object restores nothing, says so, and restores it when it is there again', async (what) => {
    const clock = new HandClock()
    const space = await useArchive({ clock })
    const { bucket, version, content } = await one(space, { isEncrypted: true })
    await space.settle()
    const [[ref, held]] = [...space.cold.held.entries()] as [[string, { bytes: Buffer; dataKey: Buffer | undefined }]]
    const good = Buffer.from(held.bytes)
    if (what === 'lost') space.cold.held.delete(ref)
    else held.bytes.fill(1)
    await space.objects.restore(version, { days: 1000, tier: 'Standard', delayMs: 0, dayMs })
    await space.settle()
    expect(await space.standing(version)).toMatchObject({ isDamaged: true, record: { restore: { state: 'ongoing' } } })
    expect(await space.moves()).toMatchObject([{ kind: 'restore', attempts: 1, reason: expect.stringMatching(/MD5|not hold/) }])
    await expect(space.get(bucket, 'key')).rejects.toThrow(/damaged/)
    held.bytes = good
    space.cold.held.set(ref, held)
    clock.offsetMs += 400_000
    await space.settle()
    expect((await space.get(bucket, 'key')).equals(content)).toBe(true)
    expect((await space.standing(version)).isDamaged).toBeUndefined()
  })
})

describe('a tier that is no longer configured', () => {
  it('is named as long as it holds something, a part too', async () => {
    const space = await useArchive()
    const { version, bucket } = await one(space)
    const small = await space.putAs(bucket, 'other', bytesFor('other', 1000), { storageClass: 'DEEP_ARCHIVE' })
    await space.settle()
    expect((await space.standing(version)).blob).toMatch(/^tcold/)
    expect((await space.standing(small)).blob).toMatch(/^tdeep/)
    const missing = (...all: readonly MemoryTier[]) => missingTiers({ ...space.parts, tiers: { ...space.parts.tiers, all } })
    expect(await missing(space.cold, space.deep)).toEqual([])
    expect(await missing(space.deep)).toEqual(['cold'])
    expect(await missing()).toEqual(['cold', 'deep'])
    await space.objects.delete({ bucket, key: 'key', ownerId: 'owner' })
    expect(await missing()).toEqual(['deep'])
  })
})

describe('a write that was given up', () => {
  it('is remembered from when nobody goes on with it, however long it took: the tier may carry it out late', async () => {
    const clock = new HandClock()
    const space = await useArchive({ clock, settleMs: 30_000 })
    await one(space)
    space.cold.before = (what) => {
      if (what !== 'write') return
      clock.offsetMs += 60_000
      throw new TierUnavailable('Tier cold went away')
    }
    await space.settle()
    expect(await space.notedWrites()).toBe(1)
  })
})

describe('a version that is rotten here', () => {
  it('is not moved, and is marked as damaged', async () => {
    const space = await useArchive()
    const { version } = await one(space)
    await space.blobs.remove([version.blob ?? ''])
    await space.settle()
    expect((await space.standing(version)).isDamaged).toBe(true)
    expect(await space.moves()).toMatchObject([{ kind: 'store', attempts: 1 }])
    await space.settle()
    expect(space.cold.held.size).toBe(0)
  })
})

describe('a restored copy that rots', () => {
  it('is given to nobody, and another can be asked for', async () => {
    const space = await useArchive()
    const { bucket, version, content } = await one(space)
    await space.settle()
    const restore = async () => {
      await space.objects.restore(await space.standing(version), { days: 1000, tier: 'Standard', delayMs: 0, dayMs })
      await space.settle()
    }
    await restore()
    const { restore: copy } = (await space.standing(version)).record
    if (copy?.state !== 'restored') throw new Error('it was not restored')
    const [part] = await space.metadata.read(() => partsOf(copy.blobSet, { afterNumber: 0, limit: 1 }))
    await space.blobs.remove([part?.blob ?? ''])
    await expect(space.get(bucket, 'key').then(gather)).rejects.toMatchObject({ code: 'InvalidObjectState' })
    await restore()
    expect((await space.get(bucket, 'key')).equals(content)).toBe(true)
  })
})

describe('a version that changes while it is moved', () => {
  it('that is deleted leaves nothing in the tier', async () => {
    const space = await useArchive()
    const { bucket } = await one(space)
    space.cold.before = async (what) => {
      space.cold.before = undefined
      if (what === 'write') await space.objects.delete({ bucket, key: 'key', ownerId: 'owner' })
    }
    await space.settle()
    expect([space.cold.held.size, await space.notedWrites(), (await space.moves()).length]).toEqual([0, 0, 0])
  })

  it('that gets another class meanwhile goes there', async () => {
    const space = await useArchive()
    const { version } = await one(space)
    space.cold.before = async () => {
      space.cold.before = undefined
      await space.transition(version, 'DEEP_ARCHIVE')
    }
    await space.settle()
    await eventually(async () => {
      await space.settle()
      expect([space.cold.held.size, space.deep.held.size]).toEqual([0, 1])
    })
    expect((await space.standing(version)).storageClass).toBe('DEEP_ARCHIVE')
  })
})

/** Tiers that failed are left alone for moments. */
function eventually(look: () => Promise<void>): Promise<void> {
  return vi.waitFor(look, { timeout: 10_000, interval: 100 })
}
