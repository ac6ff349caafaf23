/** What a region does with its disk beside requests: gives space back, and reads what is kept. In the thread that commits. */
import type { Logger } from 'pino'
import type { Config } from '../config/schema.ts'
import type { Clock } from '../lib/clock.ts'
import type { Engine } from '../lib/engine.ts'
import { createPace } from '../lib/pace.ts'
import { markBrokenBlob } from '../objects/broken.ts'
import { createCompaction, type SegmentWriters } from '../objects/compaction.ts'
import type { ObjectParts } from '../objects/parts.ts'
import { createReclaim } from '../objects/reclaim.ts'
import { SegmentWatch } from '../objects/segment-watch.ts'
import { createScrub } from '../scrub/scrub.ts'
import type { Threads } from './threads.ts'

const dayMs = 24 * 3600 * 1000

export interface DiskEngines {
  readonly engines: readonly Engine[]
  /** A thread that wrote blobs is gone: what it left is swept. */
  sweepAgain(): void
}

export function createDiskEngines(
  config: Pick<Config, 'compaction' | 'scrub'>,
  of: {
    readonly parts: ObjectParts
    /** Those that write blobs beside this one; undefined where there are none. */
    readonly threads: () => Pick<Threads, 'isBootDead' | 'seal'> | undefined
    readonly clock: Clock
    readonly log: Logger
  },
): DiskEngines {
  const { parts, threads, clock, log } = of
  const { metadata, blobs } = parts
  const watch = new SegmentWatch()
  const isBootDead = (boot: number): boolean => threads()?.isBootDead(boot) ?? false
  const writers: SegmentWriters = {
    // Threads have higher numbers than the one that starts them; every lower one is of an earlier start.
    isOver: (boot) => boot < metadata.boot || (boot > metadata.boot && isBootDead(boot)),
    seal: async (segment) => await (segment.boot === metadata.boot ? blobs.seal(segment) : threads()?.seal(segment)),
  }
  const reclaim = createReclaim({ ...parts, isBootDead, clock, onFreed: (refs) => watch.freed(refs) })
  const pace = createPace(config.compaction.bytesPerSecond)
  const onBroken = (blob: string, reason: string): Promise<void> => markBrokenBlob(metadata, { blob, reason })
  const compaction = createCompaction({ ...parts, watch, writers, pace, clock, log, onBroken })
  const scrub = createScrub({
    ...parts,
    pace: createPace(config.scrub.bytesPerSecond),
    periodMs: config.scrub.periodDays * dayMs,
    clock,
    log,
  })
  return { engines: [reclaim, compaction, scrub], sweepAgain: () => reclaim.sweepAgain() }
}
