/** An engine that does what it always does, and only waits less in between. */
import { type Engine, sleep } from '../../../src/lib/engine.ts'

const pollMs = 5

export function quick(engine: Engine): Engine {
  return {
    name: engine.name,
    status: () => engine.status(),
    work: (signal) => engine.work(signal),
    wait: (signal) => sleep(pollMs, signal),
  }
}
