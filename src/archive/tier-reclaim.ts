/** The engine that gives the space of tiers back: what rows no longer refer to, and what writes that came to nothing have left. */
import { type Engine, sleep } from '../lib/engine.ts'
import { type FreedBlob, freedInTier } from '../metadata/tables/garbage.ts'
import { type TierWrite, tierWrites } from '../metadata/tables/tier-writes.ts'
import { referencedBlobs } from '../metadata/tables/version-rows.ts'
import { isTierAway } from '../objects/unavailable.ts'
import { TierRefused } from '../tiers/errors.ts'
import type { TierStore } from '../tiers/store.ts'
import type { Work } from './parts.ts'

const batchMax = 256
const removalsMax = 8
const gatherMs = 250
/** Readers that hold a blob, tiers that are away and writes that came to nothing are looked at again after this. */
const lookAgainMs = 1000
const sweepEveryMs = 60_000
const settleDefaultMs = 10 * 60 * 1000

export interface TierReclaimParts extends Work {
  /** How long after it was seen that nobody goes on with it a write that was given up may still be carried out by the tier. Default: 10 minutes. */
  readonly settleMs?: number
}

export interface TierReclaim extends Engine {
  /** A write came to nothing: what it left is looked for. */
  sweepAgain(): void
}

export function createTierReclaim(parts: TierReclaimParts): TierReclaim {
  const { metadata, breakers, underWay, readers, tiers, settleMs = settleDefaultMs } = parts
  let freed = 0
  let swept = 0
  let waiting = 0
  let seenSeq = 0
  let sweptMs = Number.NEGATIVE_INFINITY
  /** Since when nobody writes them, by a clock that only goes forward. Another start waits anew. */
  const leftMs = new Map<string, number>()

  return {
    name: 'tier-reclaim',
    status: () => ({ freed, swept, waiting }),
    async work(signal) {
      seenSeq = metadata.status().durableSeq
      waiting = 0
      let isBusy = false
      for (const tier of tiers.all) isBusy = (await removeFreed(tier, signal)) || isBusy
      if (performance.now() - sweptMs >= sweepEveryMs) {
        sweptMs = performance.now()
        await sweep(signal)
      }
      return isBusy ? 'busy' : 'idle'
    },
    async wait(signal) {
      const ended = new AbortController()
      const until = AbortSignal.any([signal, ended.signal])
      const again = sleep(waiting > 0 ? lookAgainMs : sweepEveryMs, until)
      const grown = sleep(waiting > 0 ? lookAgainMs : gatherMs, until).then(() => metadata.waitBeyond(seenSeq, until))
      try {
        await Promise.race([again, grown])
      } finally {
        ended.abort()
        again.catch(() => undefined)
        grown.catch(() => undefined)
      }
    },
    sweepAgain() {
      sweptMs = Number.NEGATIVE_INFINITY
    },
  }

  /** NOTE: the query answers only with rows that are durable, so nothing is removed whose freeing a power cut could take back. */
  async function removeFreed(tier: TierStore, signal: AbortSignal): Promise<boolean> {
    if (breakers.restMs(tier.name, 'remove') > 0) {
      waiting += 1
      return false
    }
    for (let after = ''; ; ) {
      const from = after
      const page = await metadata.read(() => freedInTier({ tier: tier.name, after: from, limit: batchMax }))
      const free = page.filter(({ blob }) => !readers.isPinned(blob))
      waiting += page.length - free.length
      if (free.length > 0) return await removeAll(tier, free, signal)
      const last = page.at(-1)
      if (last === undefined || page.length < batchMax) return false
      after = last.blob
    }
  }

  async function removeAll(tier: TierStore, free: readonly FreedBlob[], signal: AbortSignal): Promise<boolean> {
    const removed: FreedBlob[] = []
    await inParallel(free, async (one) => {
      if (await removeOne(tier, one.blob, signal)) removed.push(one)
    })
    if (removed.length > 0) await metadata.commit({ tx: 'forgetBlobs', ids: removed.map(({ id }) => id) })
    freed += removed.length
    waiting += free.length - removed.length
    return removed.length > 0
  }

  /** @returns whether it is gone @throws the signal's reason, and what is no fault of the tier */
  async function removeOne(tier: TierStore, ref: string, signal: AbortSignal): Promise<boolean> {
    if (!breakers.mayTry(tier.name, 'remove')) return false
    try {
      await tier.remove(ref, signal)
      breakers.worked(tier.name, 'remove')
      return true
    } catch (error) {
      if (signal.aborted || !isTierAway(error)) throw error
      breakers.failed(tier.name, 'remove')
      return false
    }
  }

  /** Writes of dead starts, and of this one that came to nothing. */
  async function sweep(signal: AbortSignal): Promise<void> {
    for (let after = ''; ; ) {
      const from = after
      const page = await metadata.read(() => tierWrites({ after: from, limit: batchMax }))
      await sweepPage(page, signal)
      const last = page.at(-1)
      if (last === undefined || page.length < batchMax) return
      after = last.ref
    }
  }

  async function sweepPage(page: readonly TierWrite[], signal: AbortSignal): Promise<void> {
    const left = page.filter(({ ref }) => !underWay.has(ref))
    if (left.length === 0) return
    // Asked after it was seen that nobody writes them: whoever ended his write has given it to a row by now, or to the garbage.
    const known = await metadata.read(() => referencedBlobs(left.map(({ ref }) => ref)))
    const forgotten: string[] = []
    await inParallel(left, async ({ ref }) => {
      const tier = tierOf(ref)
      if (known.has(ref)) {
        leftMs.delete(ref)
        forgotten.push(ref)
      } else if (tier === undefined || !(await removeOne(tier, ref, signal))) sweptMs = performance.now() - sweepEveryMs + lookAgainMs
      else {
        swept += 1
        const sinceMs = leftMs.get(ref) ?? performance.now()
        leftMs.set(ref, sinceMs)
        if (performance.now() - sinceMs < settleMs) return
        leftMs.delete(ref)
        forgotten.push(ref)
      }
    })
    if (forgotten.length > 0) await metadata.commit({ tx: 'forgetTierWrites', refs: forgotten })
  }

  function tierOf(ref: string): TierStore | undefined {
    try {
      return tiers.tierOf(ref)
    } catch (error) {
      if (error instanceof TierRefused) return undefined
      throw error
    }
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const one = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item)
  }
  await Promise.all(Array.from({ length: removalsMax }, one))
}
