/** The engine that gives space back: freed blobs are unlinked when their freeing is durable and nobody reads them, and a start's orphans are swept. */
import type { BlobStore } from '../blobs/store.ts'
import { type Engine, sleep } from '../lib/engine.ts'
import type { Metadata } from '../metadata/engine.ts'
import { type FreedBlob, freedBlobs } from '../metadata/tables/garbage.ts'
import { isBlobRangeReferenced, referencedBlobs } from '../metadata/tables/version-rows.ts'
import { prefixEnd } from '../model/names.ts'
import type { ReaderPins } from './reader-pins.ts'

const batchMax = 512
/** Blobs that a reader holds are looked at again after this. */
const pinnedRetryMs = 1000

export interface ReclaimParts {
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly readers: ReaderPins
}

export function createReclaim(parts: ReclaimParts): Engine {
  const { metadata } = parts
  let seenSeq = 0
  let freed = 0
  let pinned = 0
  let swept: 'sweeping' | 'done' = 'sweeping'

  return {
    name: 'reclaim',
    status: () => ({ freed, pinned, orphans: swept }),
    async work(signal) {
      seenSeq = metadata.status().durableSeq
      const outcome = await removeFreed(parts)
      freed += outcome.removed
      pinned = outcome.pinned
      if (outcome.removed > 0) return 'busy'
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
async function removeFreed({ metadata, blobs, readers }: ReclaimParts): Promise<{ readonly removed: number; readonly pinned: number }> {
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
      return { removed: free.length, pinned: held.length }
    }
    const last = batch.at(-1)
    if (last === undefined || batch.length < batchMax) return { removed: 0, pinned: held.length }
    afterId = last.id
  }
}

function sweepStep({ metadata, blobs }: ReclaimParts, signal: AbortSignal): Promise<{ readonly isDone: boolean }> {
  return blobs.sweep(
    {
      isReferenced: (refs) => metadata.read(() => referencedBlobs(refs)),
      isSegmentReferenced: (prefix) => metadata.read(() => isBlobRangeReferenced(prefix, prefixEnd(prefix) ?? prefix)),
    },
    { signal },
  )
}
