/** Versions of many parts. */
import { createHash } from 'node:crypto'
import { expect, it, vi } from 'vitest'
import { partsOf } from '../../src/metadata/tables/uploads.ts'
import { multipartEtag } from '../../src/model/etag.ts'
import { tierOfRef } from '../../src/model/tier-refs.ts'
import type { Part } from '../../src/model/version.ts'
import { sealDataKey } from '../../src/objects/seals.ts'
import { gather, never } from '../objects/space.ts'
import { type ArchiveSpace, dayMs, HandClock, useArchive } from './archive-space.ts'

const count = 150

/** A replica of so many small parts, encrypted: more than go in one commit. */
async function arrive(space: ArchiveSpace) {
  const made = await space.bucket('bucket')
  await space.metadata.commit({ tx: 'setVersioning', bucketId: made.id, versioning: 'Enabled' })
  const { keyring, ids } = space.parts
  const blobSet = ids.issue()
  const parts: Part[] = []
  const contents: Buffer[] = []
  for (let number = 1; number <= count; number++) {
    const content = Buffer.from(`part ${number} of the version`)
    const { ref, dataKey = Buffer.alloc(0) } = await space.blobs.write(content, { encrypt: true })
    const binding = { kind: 'part', bucketId: made.id, key: 'key', blobSet, number } as const
    const etag = createHash('md5').update(content).digest('hex')
    parts.push({ number, blob: ref, size: content.length, etag, lastModifiedMs: 1, encryption: sealDataKey(keyring, dataKey, binding) })
    contents.push(content)
  }
  const content = Buffer.concat(contents)
  const id = ids.issue()
  const untouched = { stamp: id, value: [] }
  const delivery = {
    ...{ sourceRegion: 'eu-west-1', sourceBucket: 'near', bucketId: made.id, key: 'key', id, isDeleteMarker: false },
    ...{
      size: content.length,
      lastModifiedMs: Date.now(),
      etag: multipartEtag(parts.map(({ etag }) => etag)),
      storageClass: 'GLACIER' as const,
    },
    record: {
      ...{ ownerId: 'owner', system: { contentType: 'a/b' }, user: [], tags: untouched, acl: untouched },
      encryption: { algorithm: 'AES256', sealedKey: '' } as const,
    },
    content: { kind: 'parts', blobSet, parts } as const,
    leaves: true,
  }
  await space.metadata.commit({ tx: 'receiveVersions', deliveries: [delivery] })
  const places = async () => {
    const rows = await space.metadata.read(() => partsOf(blobSet, { afterNumber: 0, limit: 1000 }))
    return rows.filter(({ blob }) => tierOfRef(blob) === 'cold').length
  }
  return { version: { bucketId: made.id, key: 'key', id }, content, places }
}

it('a tier that goes away in the middle keeps what was moved, and the rest follows; all of it is restored', async () => {
  const clock = new HandClock()
  const space = await useArchive({ clock })
  const { version, content, places } = await arrive(space)
  space.cold.before = (what) => {
    if (what === 'write' && space.cold.writes === 100) space.cold.mood = 'away'
  }
  await space.settle()
  expect(await places()).toBe(64)
  expect(await space.moves()).toMatchObject([{ kind: 'store', attempts: 1 }])
  space.cold.before = undefined
  space.cold.mood = 'well'
  clock.offsetMs += 10_000
  await vi.waitFor(
    async () => {
      await space.settle()
      expect([await places(), space.cold.held.size, await space.notedWrites()]).toEqual([count, count, 0])
    },
    { timeout: 10_000, interval: 100 },
  )
  await space.objects.restore(await space.standing(version), { days: 1000, tier: 'Standard', delayMs: 0, dayMs })
  await space.settle()
  expect((await gather(await space.objects.open(await space.standing(version), { signal: never }))).equals(content)).toBe(true)
})

it('a version that is partly here and partly in a tier reads as any other', async () => {
  const space = await useArchive()
  const { version, content, places } = await arrive(space)
  await space.transition(version, 'GLACIER_IR')
  space.cold.before = (what) => {
    if (what === 'write' && space.cold.writes === 70) space.cold.mood = 'full'
  }
  await space.settle()
  // Half of it went, and it has its old class until all of it did.
  expect([await places(), (await space.standing(version)).storageClass]).toEqual([64, 'GLACIER'])
  space.cold.before = undefined
  await space.transition(version, 'STANDARD')
  space.cold.mood = 'well'
  await space.settle()
  expect([await places(), (await space.standing(version)).storageClass]).toEqual([0, 'STANDARD'])
  expect((await gather(await space.objects.open(await space.standing(version), { signal: never }))).equals(content)).toBe(true)
})

it('a thousand small objects go to a tier in seconds', async () => {
  const space = await useArchive()
  const bucket = await space.bucket('bucket')
  const keys = Array.from({ length: 1000 }, (_, n) => `k${n}`)
  await Promise.all(keys.map((key) => space.putAs(bucket, key, Buffer.from(key), { storageClass: 'GLACIER' })))
  const startedMs = performance.now()
  await space.settle()
  expect(space.cold.held.size).toBe(1000)
  expect(performance.now() - startedMs).toBeLessThan(60_000)
})
