/** Ids of markers are proposed by whoever asks for the transaction that makes them, before it is known for which keys. */
import type { HybridClock } from '../lib/hybrid-clock.ts'
import { actsMax, type MarkerIds } from '../metadata/tables/lifecycle-acts.ts'
import { VersionIdBehind } from '../model/version.ts'

/** One refusal means that some clock was behind; after this many in a row something else is wrong. */
const attemptsMax = 8

/** Runs a transaction with ids for all markers that it may make; keys that are ahead of the clock get theirs above what was found. */
export async function withMarkerIds<T>(clock: HybridClock, run: (ids: MarkerIds) => Promise<T>): Promise<T> {
  const idsOf = new Map<string, string>()
  for (let attempt = 1; ; attempt++) {
    try {
      return await run({ ids: Array.from({ length: actsMax }, () => clock.issue()), idsOf: [...idsOf] })
    } catch (error) {
      if (!(error instanceof VersionIdBehind) || attempt === attemptsMax) throw error
      for (const [key, id] of error.newest) idsOf.set(key, clock.issueAbove(id))
    }
  }
}
