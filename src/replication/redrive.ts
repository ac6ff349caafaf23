/** Lets failed tasks be tried at once when a role, a bucket or a configuration changes: what refused them may be gone. */

import type { Control } from '../control/control.ts'
import type { Engine } from '../lib/engine.ts'
import type { Metadata } from '../metadata/engine.ts'

/** Of one commit: the event loop is not held. */
const redriveMax = 500

export class Redrive implements Engine {
  readonly name = 'replication redrive'
  readonly #metadata: Metadata
  readonly #unsubscribe: () => void
  /** At the start nobody knows what changed while the region was down. */
  #isDue = true
  #changes = 0
  #redriven = 0
  #wake: (() => void) | undefined

  constructor({ metadata, control }: { readonly metadata: Metadata; readonly control: Pick<Control, 'onChange'> }) {
    this.#metadata = metadata
    this.#unsubscribe = control.onChange(() => {
      this.#changes += 1
      this.nudge()
    })
  }

  /** Something may have changed that nobody could tell: a region is back. */
  nudge(): void {
    this.#isDue = true
    this.#wake?.()
  }

  /** How many changes there were so far: a delivery that was under way during one is not judged by what was before. */
  get changes(): number {
    return this.#changes
  }

  status(): Readonly<Record<string, unknown>> {
    return { redriven: this.#redriven }
  }

  async work(): Promise<'busy' | 'idle'> {
    if (!this.#isDue) return 'idle'
    // A change that comes during the commit makes it due again.
    this.#isDue = false
    try {
      const { redriven } = await this.#metadata.commit({ tx: 'redriveFailed', limit: redriveMax })
      this.#redriven += redriven
      if (redriven === redriveMax) this.#isDue = true
    } catch (error) {
      this.#isDue = true
      throw error
    }
    return this.#isDue ? 'busy' : 'idle'
  }

  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason)
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      this.#wake = () => {
        this.#wake = undefined
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      if (this.#isDue) this.#wake()
    })
  }

  close(): void {
    this.#unsubscribe()
  }
}
