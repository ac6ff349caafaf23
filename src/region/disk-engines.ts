/** The engines that look after a region's disk: what gives space back, and what reads all that is kept. */
import type { Logger } from 'pino'
import type { Config } from '../config/schema.ts'
import type { Clock } from '../lib/clock.ts'
import type { Engine } from '../lib/engine.ts'
import { createPace } from '../lib/pace.ts'
import { markBrokenBlob } from '../objects/broken.ts'
import { createCompaction } from '../objects/compaction.ts'
import type { ObjectParts } from '../objects/parts.ts'
import { createReclaim, type Reclaim } from '../objects/reclaim.ts'
import { SegmentWatch } from '../objects/segment-watch.ts'
import { createScrub } from '../scrub/scrub.ts'
import { segmentWriters } from './segment-writers.ts'
import type { Threads } from './threads.ts'

const dayMs = 24 * 3600 * 1000

export interface DiskEngines {
  readonly engines: readonly Engine[]
  /** One of them, to be told of threads that die. */
  readonly reclaim: Reclaim
}

export function diskEngines(
  config: Config,
  of: { readonly parts: ObjectParts; readonly clock: Clock; readonly log: Logger; readonly threads: () => Threads | undefined },
): DiskEngines {
  const { parts, clock, log, threads } = of
  const { metadata } = parts
  const watch = new SegmentWatch()
  const isBootDead = (boot: number): boolean => threads()?.isBootDead(boot) ?? false
  const onBroken = async (blob: string, reason: string): Promise<void> => await markBrokenBlob(metadata, { blob, reason })
  const reclaim = createReclaim({ ...parts, clock, isBootDead, onFreed: (refs) => watch.freed(refs) })
  const compaction = createCompaction({
    ...parts,
    watch,
    pace: createPace(config.compaction.bytesPerSecond),
    clock,
    log,
    onBroken,
    writers: segmentWriters(parts, threads),
  })
  const scrub = createScrub({
    ...parts,
    pace: createPace(config.scrub.bytesPerSecond),
    periodMs: config.scrub.periodDays * dayMs,
    clock,
    log,
  })
  return { engines: [reclaim, compaction, scrub], reclaim }
}
