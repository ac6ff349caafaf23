/** A segment that is mostly dead is emptied and removed, while its objects are read. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { filesBelow } from '../../../test/limits/region.ts'
import type { Scenario } from './scenarios.ts'

const KiB = 1024
/** Records without zeros behind them, so that a segment has no more than them. */
const recordBytes = 110 * KiB
/** More than half of the segment. It is of an earlier start, so that nobody has to end it first. */
const dead = Array.from({ length: 8 }, (_, n) => `dead-${n}`)
/** Two batches: these fill the first, the few bytes are for the second. */
const live = Array.from({ length: 5 }, (_, n) => `live-${n}`)
const few = ['live-few', 'live-sealed']
const fewBytes = 3000
const segmentMinBytes = 1024 * KiB
/** After a failure the engine rests 200 ms before it tries again. */
const comesWithinMs = 2500
const readEveryMs = 10

export const compaction: Scenario = {
  name: 'compaction',
  entry: fileURLToPath(new URL('../planted/quick-compaction.ts', import.meta.url)),
  when: 'running',
  kinds: ['W', 'S', 'U'],
  // The first are those of the delete: what follows is more, and is what counts.
  shortAt: { W: 50, S: 8 },
  isBeside: true,
  prepare: async (actor) => {
    for (const key of [...live, ...dead]) await actor.put(key, recordBytes)
    for (const key of few) await actor.put(key, fewBytes, { isEncrypted: key === 'live-sealed' })
    return []
  },
  watch: (dataFolder) => {
    const segment = largestSegment(dataFolder)
    return () => !existsSync(segment)
  },
  run: async (actor, _, { isOver, read }) => {
    if ((await actor.removeMany(dead)) === 'silent') return
    const untilMs = performance.now() + comesWithinMs
    while (!isOver() && performance.now() < untilMs) {
      for (const key of [...few, ...live.slice(0, 1)]) if (!(await read(key))) return
      await sleep(readEveryMs)
    }
    for (const key of [...few, ...live]) if (!(await read(key))) return
  },
}

function largestSegment(dataFolder: string): string {
  const folder = join(dataFolder, 'blobs', 'segments')
  const [largest] = filesBelow(folder)
    .map((file) => ({ path: join(folder, file), bytes: statSync(join(folder, file)).size }))
    .sort((one, other) => other.bytes - one.bytes)
  if (largest === undefined || largest.bytes < segmentMinBytes) throw new Error('what was prepared is not in one segment')
  return largest.path
}
