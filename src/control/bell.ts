/** Wakes the one who waits, and is not missed by one who is about to. */
export class Bell {
  #isRung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  /** Resolves when it is rung, also when that was before; rejects when `signal` aborts. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        signal.removeEventListener('abort', onAbort)
        this.#wake = undefined
        settle()
      }
      const onAbort = (): void => end(() => reject(signal.reason))
      this.#wake = () =>
        end(() => {
          this.#isRung = false
          resolve()
        })
      if (signal.aborted) onAbort()
      else if (this.#isRung) this.#wake()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
