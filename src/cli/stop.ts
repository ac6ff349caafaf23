/**
 * The wish to stop, as it reaches a process: signals, or the end of the process that supervises it.
 */

export interface StopWish {
  /** Aborted by the first wish. */
  readonly signal: AbortSignal
  /** Stops listening for signals. */
  release(): void
}

export interface StopOptions {
  /** What a second wish does; it is for an operator who does not want to wait. */
  readonly again: () => void
  /** Whether the process that started this one holds a channel to it, and decides when it ends. */
  readonly isSupervised?: boolean
}

export function listenForStop({ again, isSupervised = false }: StopOptions): StopWish {
  const controller = new AbortController()
  const wish = (): void => {
    if (controller.signal.aborted) again()
    else controller.abort()
  }
  // Under a supervisor Ctrl-C reaches the whole group; the supervisor hears it too and says what is to be done.
  const ignore = (): void => undefined
  const interrupt = isSupervised ? ignore : wish
  const orphaned = (): void => controller.abort()
  process.on('SIGTERM', wish)
  process.on('SIGINT', interrupt)
  if (isSupervised) {
    process.once('disconnect', orphaned)
    if (!process.connected) orphaned()
  }
  return {
    signal: controller.signal,
    release() {
      process.off('SIGTERM', wish)
      process.off('SIGINT', interrupt)
      process.off('disconnect', orphaned)
    },
  }
}

/** Resolves at the first wish to stop. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }))
}
