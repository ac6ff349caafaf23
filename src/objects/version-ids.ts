/** Version ids are proposed by the writer, because the seal of a data key is bound to them, and judged by the transaction. */
import { ClockTooFarAhead, type HybridClock } from '../lib/hybrid-clock.ts'
import { S3Error } from '../model/errors.ts'
import { VersionIdBehind } from '../model/version.ts'

/** One refusal means that some clock was behind; after this many in a row something else is wrong. */
const attemptsMax = 8

/**
 * Runs a write with a new id. When the transaction finds a newer version of the key, the clock learns of it and the write runs again.
 * @throws S3Error ServiceUnavailable when the key's newest version lies far in our future
 */
export async function withNewId<T>(ids: HybridClock, write: (id: string) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(ids.issue())
    } catch (error) {
      if (!(error instanceof VersionIdBehind) || attempt === attemptsMax) throw error
      learn(ids, error.newestId)
    }
  }
}

function learn(ids: HybridClock, newestId: string): void {
  try {
    ids.observe(newestId)
  } catch (error) {
    if (!(error instanceof ClockTooFarAhead)) throw error
    throw new S3Error('ServiceUnavailable', {
      message: `The newest version of this key is from the future: this server's clock is behind. ${error.message}`,
      cause: error,
    })
  }
}
