/** A budget of bytes a second for work in the background. */
import { sleep } from './engine.ts'

export interface Pace {
  /** Resolves when so many more bytes are within the budget; rejects when `signal` aborts. */
  spend(bytes: number, signal?: AbortSignal): Promise<void>
}

/** What was not used is good for so long: a pause is not caught up with a flood. */
const savedMs = 200
/** A timer is not worth it for less. */
const leastRestMs = 2

export function createPace(bytesPerSecond: number): Pace {
  let paidUntilMs = 0
  return {
    async spend(bytes, signal) {
      const nowMs = performance.now()
      paidUntilMs = Math.max(paidUntilMs, nowMs - savedMs) + (bytes / bytesPerSecond) * 1000
      const restMs = paidUntilMs - nowMs
      if (restMs >= leastRestMs) await sleep(restMs, signal)
      else signal?.throwIfAborted()
    },
  }
}
