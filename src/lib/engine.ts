/** Work that goes on beside requests: every engine has one shape, so that each can be listed, paused and ended alike. */

export interface Engine {
  /** One word, for logs and lists. */
  readonly name: string
  /** What it is at, as plain data for people. */
  status(): Readonly<Record<string, unknown>>
  /** Does one bounded piece of work. `idle`: there was none. */
  work(signal: AbortSignal): Promise<'busy' | 'idle'>
  /** Resolves when there may be work again; rejects when `signal` aborts. */
  wait(signal: AbortSignal): Promise<void>
}

export interface EngineLog {
  warn(fields: object, message: string): void
}

/** After a failure an engine rests, longer each time up to this. */
const restMaxMs = 30_000
const firstRestMs = 200

/** Runs an engine until `signal` aborts. A piece of work that throws is logged, and tried again after a rest. */
export async function runEngine(engine: Engine, options: { readonly signal: AbortSignal; readonly log: EngineLog }): Promise<void> {
  const { signal, log } = options
  let restMs = firstRestMs
  while (!signal.aborted) {
    try {
      if ((await engine.work(signal)) === 'idle') await engine.wait(signal)
      restMs = firstRestMs
    } catch (error) {
      if (signal.aborted) return
      log.warn({ engine: engine.name, err: error, restMs }, 'engine failed and rests')
      await sleep(restMs, signal).catch(() => undefined)
      restMs = Math.min(restMs * 2, restMaxMs)
    }
  }
}

/** Resolves after a time; rejects with the signal's reason when it aborts first. */
export function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, durationMs)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
