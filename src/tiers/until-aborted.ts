/** Waiting for what knows of no signal: whoever gives up goes at once, and it ends by itself. */

export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** A source that may hang. */
export async function* chunksUntilAborted(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const chunks = source[Symbol.asyncIterator]()
  let isEnded = false
  try {
    for (;;) {
      const next = await untilAborted(chunks.next(), signal)
      isEnded = next.done === true
      if (next.done === true) return
      yield next.value
    }
  } finally {
    const ending = isEnded ? undefined : chunks.return?.().catch(() => undefined)
    // NOTE: after an abort it may hang, and would keep us here.
    if (!signal.aborted) await ending
  }
}
