/** A process that overwrites, deletes and compacts as fast as it can, and says on stdout what was acknowledged. It is there to be killed. */
import { sleep } from '../../src/lib/engine.ts'
import { bytesFor, openSpace, standingBucket } from './space.ts'

const keys = 150
const valueBytes = 12 * 1024
const atOnce = 8
const idleMs = 5

const [folder = '', round = ''] = process.argv.slice(2)
/** One write of a key at a time, so that the last acknowledged one is what it holds. */
const busy = new Set<string>()
const space = await openSpace({ folder })
const bucket = await standingBucket(space.metadata, 'killed')
space.run(space.reclaim, {
  name: 'compaction',
  status: () => ({}),
  work: (signal) => space.compaction.work(signal),
  wait: (signal) => sleep(idleMs, signal),
})

for (let n = 0; ; n += atOnce) {
  await Promise.all(Array.from({ length: atOnce }, (_, i) => write(n + i)))
}

async function write(n: number): Promise<void> {
  // A few keys take most of the writes: what seldom changes stands among what is dead soon, and has to be moved to stay.
  const key = `k${n < keys && round === '0' ? n : Math.floor(keys * Math.random() ** 4)}`
  if (busy.has(key)) return
  busy.add(key)
  const value = `${round}-${n}`
  process.stdout.write(`begin ${key} ${value}\n`)
  await space.put(bucket, key, bytesFor(value, valueBytes), { isEncrypted: n % 2 === 0 })
  process.stdout.write(`done ${key} ${value} ${space.compaction.status()['movedBytes']}\n`)
  busy.delete(key)
}
