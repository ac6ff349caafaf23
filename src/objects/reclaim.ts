/** The engine that gives space back: freed blobs are unlinked when their freeing is durable and nobody reads them, and a start's orphans are swept. */
import type { BlobStore } from '../blobs/store.ts'
import type { Clock } from '../lib/clock.ts'
import { type Engine, sleep } from '../lib/engine.ts'
import type { Metadata } from '../metadata/engine.ts'
import { type FreedBlob, freedBlobs } from '../metadata/tables/garbage.ts'
import { isSegmentHeld } from '../metadata/tables/segments.ts'
import { referencedBlobs } from '../metadata/tables/version-rows.ts'
import type { ReaderPins } from './reader-pins.ts'

const batchMax = 512
/** Blobs that a reader holds are looked at again after this. */
const pinnedRetryMs = 1000
/** How long a repeated CompleteMultipartUpload gets the first one's answer: far longer than any client tries. */
const outcomesKeptMs = 7 * 24 * 3600 * 1000
const outcomesForgottenMax = 100
const forgetOutcomesEveryMs = 3600 * 1000

export interface ReclaimParts {
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly readers: ReaderPins
  readonly clock: Clock
  /** Told of blobs that are gone: compaction counts them. */
  readonly onFreed?: (refs: readonly string[]) => void
}

export function createReclaim(parts: ReclaimParts): Engine {
  const { metadata } = parts
  let seenSeq = 0
  let freed = 0
  let pinned = 0
  let swept: 'sweeping' | 'done' = 'sweeping'
  let outcomesForgottenMs = Number.NEGATIVE_INFINITY

  return {
    name: 'reclaim',
    status: () => ({ freed, pinned, orphans: swept }),
    async work(signal) {
      seenSeq = metadata.status().durableSeq
      const outcome = await removeFreed(parts)
      freed += outcome.removed
      pinned = outcome.pinned
      if (outcome.removed > 0) return 'busy'
      if (parts.clock.nowMs() - outcomesForgottenMs >= forgetOutcomesEveryMs) {
        if (await forgetOutcomes(parts)) return 'busy'
        outcomesForgottenMs = parts.clock.nowMs()
      }
      if (swept === 'done') return 'idle'
      const report = await sweepStep(parts, signal)
      if (report.isDone) swept = 'done'
      return report.isDone ? 'idle' : 'busy'
    },
    async wait(signal) {
      if (pinned > 0) await sleep(pinnedRetryMs, signal)
      else seenSeq = await metadata.waitBeyond(seenSeq, signal)
    },
  }
}

/** NOTE: the query answers only with rows that are durable, so nothing is unlinked whose freeing a power cut could take back. */
async function removeFreed({
  metadata,
  blobs,
  readers,
  onFreed,
}: ReclaimParts): Promise<{ readonly removed: number; readonly pinned: number }> {
  const held: FreedBlob[] = []
  let afterId = 0
  for (;;) {
    const from = afterId
    const batch = await metadata.read(() => freedBlobs({ afterId: from, limit: batchMax }))
    const free = batch.filter(({ blob }) => !readers.isPinned(blob))
    held.push(...batch.filter((one) => !free.includes(one)))
    if (free.length > 0) {
      await blobs.remove(free.map(({ blob }) => blob))
      await metadata.commit({ tx: 'forgetBlobs', ids: free.map(({ id }) => id) })
      onFreed?.(free.map(({ blob }) => blob))
      return { removed: free.length, pinned: held.length }
    }
    const last = batch.at(-1)
    if (last === undefined || batch.length < batchMax) return { removed: 0, pinned: held.length }
    afterId = last.id
  }
}

/** @returns whether there may be more */
async function forgetOutcomes({ metadata, clock }: ReclaimParts): Promise<boolean> {
  const completedBeforeMs = clock.nowMs() - outcomesKeptMs
  const { forgotten } = await metadata.commit({ tx: 'forgetCompletedUploads', completedBeforeMs, limit: outcomesForgottenMax })
  return forgotten === outcomesForgottenMax
}

function sweepStep({ metadata, blobs }: ReclaimParts, signal: AbortSignal): Promise<{ readonly isDone: boolean }> {
  return blobs.sweep(
    {
      isReferenced: (refs) => metadata.read(() => referencedBlobs(refs)),
      isSegmentReferenced: (prefix) => metadata.read(() => isSegmentHeld(prefix)),
    },
    { signal },
  )
}
