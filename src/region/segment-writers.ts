/** Who writes which segment: this thread its own, each serving thread its own, nobody those of others. */
import { segmentPrefix } from '../blobs/ref.ts'
import type { SegmentWriters } from '../objects/compaction.ts'
import type { ObjectParts } from '../objects/parts.ts'
import type { Threads } from './threads.ts'

/** @param threads  undefined while there are none */
export function segmentWriters({ blobs, metadata }: ObjectParts, threads: () => Threads | undefined): SegmentWriters {
  /** Of serving threads: segments that they said nothing more is written to. */
  const ended = new Set<string>()
  const isServed = (boot: number): boolean => threads()?.isBootDead(boot) === false
  return {
    isSealed: (segment) => (isServed(segment.boot) ? ended.has(segmentPrefix(segment)) : blobs.isSealed(segment)),
    async seal(segment) {
      if (!isServed(segment.boot)) return await blobs.seal(segment)
      await threads()?.seal(segment)
      ended.add(segmentPrefix(segment))
    },
    // Serving threads have higher numbers than the thread that started them.
    oldestBoot: () => metadata.boot,
  }
}
