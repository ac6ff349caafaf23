import { expect, it } from 'vitest'
import { openRegion } from './region.ts'

it('many deletions by a clock that was put back name the newest of each key, and leave no marker', async () => {
  const region = await openRegion()
  const bucket = await region.bucket('bucket')
  await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
  const stale = Array.from({ length: 20 }, () => region.ids.issue())
  const newest = new Map<string, string>()
  for (let i = 0; i < 20; i++) newest.set(`key-${i}`, (await region.put(bucket, `key-${i}`)).version.id)
  const deletions = stale.map((id, i) => ({ kind: 'object' as const, bucketId: bucket.id, key: `key-${i}`, id, ownerId: 'owner' }))
  await expect(region.metadata.commit({ tx: 'deleteMany', deletions })).rejects.toMatchObject({ name: 'VersionIdBehind', newest })
  expect(await region.rows('SELECT id FROM versions WHERE is_marker = 1')).toEqual([])
})
