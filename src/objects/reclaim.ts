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
/** Beside steady writes there is always something new: looks are this far apart, so that each finds much. */
const gatherMs = 250
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
  /** Whether the thread that wrote under this number, higher than this one's, has ended. Absent: there are no such threads. */
  readonly isBootDead?: (boot: number) => boolean
  readonly clock: Clock
  /** Told of blobs that are gone: compaction counts them. */
  readonly onFreed?: (refs: readonly string[]) => void
}

export interface Reclaim extends Engine {
  /** A thread that wrote blobs is gone: what it left is swept. */
  sweepAgain(): void
}

export function createReclaim(parts: ReclaimParts): Reclaim {
  const { metadata } = parts
  let seenSeq = 0
  let freed = 0
  let pinned = 0
  let swept: 'sweeping' | 'done' = 'sweeping'
  let isAgain = false
  let wake = (): void => undefined
  let outcomesForgottenMs = Number.NEGATIVE_INFINITY

  return {
    name: 'reclaim',
    status: () => ({ freed, pinned, orphans: swept }),
    async work(signal) {
      seenSeq = metadata.status().durableSeq
      const outcome = await removeFreed(parts)
      freed += outcome.removed
      pinned = outcome.pinned
      if (outcome.isMore) return 'busy'
      if (parts.clock.nowMs() - outcomesForgottenMs >= forgetOutcomesEveryMs) {
        if (await forgetOutcomes(parts)) return 'busy'
        outcomesForgottenMs = parts.clock.nowMs()
      }
      if (swept === 'done') return 'idle'
      const report = await sweepStep(parts, signal)
      // What died during this pass may have left something where the pass has been.
      if (report.isDone && !isAgain) swept = 'done'
      if (report.isDone) isAgain = false
      return swept === 'done' ? 'idle' : 'busy'
    },
    async wait(signal) {
      const done = new AbortController()
      const until = AbortSignal.any([signal, done.signal])
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const grown = pinned > 0 ? sleep(pinnedRetryMs, until) : sleep(gatherMs, until).then(() => metadata.waitBeyond(seenSeq, until))
      try {
        await Promise.race([woken, grown])
      } finally {
        done.abort()
        grown.catch(() => undefined)
      }
    },
    sweepAgain() {
      if (swept === 'sweeping') isAgain = true
      swept = 'sweeping'
      wake()
    },
  }
}

/** NOTE: the query answers only with rows that are durable, so nothing is unlinked whose freeing a power cut could take back. */
async function removeFreed({
  metadata,
  blobs,
  readers,
  onFreed,
}: ReclaimParts): Promise<{ readonly removed: number; readonly pinned: number; readonly isMore: boolean }> {
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
      return { removed: free.length, pinned: held.length, isMore: batch.length === batchMax }
    }
    const last = batch.at(-1)
    if (last === undefined || batch.length < batchMax) return { removed: 0, pinned: held.length, isMore: false }
    afterId = last.id
  }
}

/** @returns whether there may be more */
async function forgetOutcomes({ metadata, clock }: ReclaimParts): Promise<boolean> {
  const completedBeforeMs = clock.nowMs() - outcomesKeptMs
  const { forgotten } = await metadata.commit({ tx: 'forgetCompletedUploads', completedBeforeMs, limit: outcomesForgottenMax })
  return forgotten === outcomesForgottenMax
}

function sweepStep(
  { metadata, blobs, isBootDead = () => false }: ReclaimParts,
  signal: AbortSignal,
): Promise<{ readonly isDone: boolean }> {
  return blobs.sweep(
    {
      isReferenced: (refs) => metadata.read(() => referencedBlobs(refs)),
      isSegmentReferenced: (prefix) => metadata.read(() => isSegmentHeld(prefix)),
    },
    { signal, isBootDead: (boot) => boot < metadata.boot || isBootDead(boot) },
  )
}
