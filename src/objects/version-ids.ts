/** Version ids are proposed by the writer, because the seal of a data key is bound to them, and judged by the transaction. */
import type { HybridClock } from '../lib/hybrid-clock.ts'
import { VersionIdBehind } from '../model/version.ts'

/** One refusal means that some clock was behind; after this many in a row something else is wrong. */
const attemptsMax = 8

/**
 * Runs a write that asks for new ids, each for a key. When the transaction finds newer versions of some keys, the write runs again,
 * and those keys get ids above what was found.
 */
export async function withNewIds<T>(ids: HybridClock, write: (newId: (key: string) => string) => Promise<T>): Promise<T> {
  const newest = new Map<string, string>()
  const newId = (key: string): string => {
    const above = newest.get(key)
    if (above === undefined) return ids.issue()
    const id = ids.issueAbove(above)
    newest.set(key, id)
    return id
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(newId)
    } catch (error) {
      if (!(error instanceof VersionIdBehind) || attempt === attemptsMax) throw error
      for (const [key, id] of error.newest) newest.set(key, id)
    }
  }
}
