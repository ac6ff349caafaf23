/** Whether the disk has room for more than what frees it. */
import type { Clock } from '../../lib/clock.ts'

/** Often enough that what is written between two looks is far below any reserve; a look costs a few microseconds. */
const checkEveryMs = 20

export interface SpaceOptions {
  readonly clock: Clock
  readonly reserveBytes: number
  freeBytes(): number
}

export class Space {
  readonly #options: SpaceOptions
  #isFull = false
  #checkedMs = Number.NEGATIVE_INFINITY

  constructor(options: SpaceOptions) {
    this.#options = options
  }

  /** Looks at the disk when the last look is old. A disk that cannot be asked stays as it was: the write itself will tell. */
  isFull(): boolean {
    const nowMs = this.#options.clock.nowMs()
    // A clock that was set back must not put the next look off.
    if (nowMs - this.#checkedMs < checkEveryMs && nowMs >= this.#checkedMs) return this.#isFull
    this.#checkedMs = nowMs
    try {
      this.#isFull = this.#options.freeBytes() <= this.#options.reserveBytes
    } catch {
      return this.#isFull
    }
    return this.#isFull
  }

  /** A write found no room, whatever the last look said. */
  ranOut(): void {
    this.#isFull = true
    this.#checkedMs = this.#options.clock.nowMs()
  }
}
