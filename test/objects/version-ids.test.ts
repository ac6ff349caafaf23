import { expect, it } from 'vitest'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import { deleteMany } from '../../src/objects/remove.ts'
import { withNewIds } from '../../src/objects/version-ids.ts'
import { openRegion } from '../metadata/behaviour/region.ts'

const hourMs = 60 * 60 * 1000

it('keys that were written while the clock was an hour ahead are written, and deleted, by one that is right', async () => {
  const region = await openRegion()
  const bucket = await region.bucket('bucket')
  await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
  const keys = Array.from({ length: 12 }, (_, i) => `key-${i}`)
  const ahead = new HybridClock({ clock: { nowMs: () => Date.now() + hourMs }, region: 'us-east-1' })
  for (const key of keys) await region.put(bucket, key, { id: ahead.issue() })
  await withNewIds(region.ids, (newId) => region.put(bucket, 'key-0', { id: newId('key-0') }))
  // Twice in one request, so that each marker is above the one before it.
  const objects = [...keys, 'key-0', 'untouched'].map((key) => ({ key }))
  const outcomes = await deleteMany(region, { bucket: { ...bucket, versioning: 'Enabled' }, ownerId: 'owner', objects })
  expect(outcomes).toHaveLength(14)
  expect(outcomes.every((outcome) => 'deleteMarker' in outcome)).toBe(true)
})
