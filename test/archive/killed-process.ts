/** Stores, archives, restores, lets go and deletes; at the step that it is told it dies as by a power cut. It says on stdout what was acknowledged. */
import { writeSync } from 'node:fs'
import { contentOf } from '../../src/objects/content.ts'
import { bytesFor, never, once, standingBucket } from '../objects/space.ts'
import { dayMs } from './archive-space.ts'
import { names, openKilled, sizes } from './killed.ts'

const [folder = '', dieAt = ''] = process.argv.slice(2)
let steps = 0
const space = await openKilled(folder, (name) => {
  steps += 1
  if (steps !== Number(dieAt)) return
  writeSync(1, `died ${name}\n`)
  process.kill(process.pid, 'SIGKILL')
})
const bucket = await standingBucket(space.metadata, 'killed')
const plain = { ownerId: 'owner', system: { contentType: 'text/plain' }, user: [], tags: [], acl: [] }
for (const key of names) {
  const bytes = bytesFor(key, sizes[key])
  const attributes = { ...plain, storageClass: 'GLACIER' as const, encryption: key === 'sealed' ? ('AES256' as const) : undefined }
  await space.objects.put({ bucket, key, attributes, claims: {}, signal: never }, contentOf(bytes.length, once(bytes)))
  writeSync(1, `put ${key}\n`)
}
await space.settle()
for (const key of names)
  await space.objects.restore(await space.objects.find({ bucket, key }), { days: 1, tier: 'Standard', delayMs: 0, dayMs })
await space.settle()
space.clock.offsetMs += 10 * dayMs
await space.settle()
// Out of the tier again, and back in.
for (const storageClass of ['STANDARD', 'DEEP_ARCHIVE'] as const) {
  const { bucketId, key, id } = await space.objects.find({ bucket, key: 'sealed' })
  await space.metadata.commit({ tx: 'askMove', bucketId, key, id, storageClass } as never)
  await space.settle()
}
writeSync(1, 'deleting small\n')
await space.objects.delete({ bucket, key: 'small', ownerId: 'owner' })
await space.settle()
writeSync(1, `lived ${steps}\n`)
process.exit(0)
