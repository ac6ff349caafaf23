/**
 * Decides when the `-wal` is copied into the database file. First beside the writers, which leaves a remainder that they wrote meanwhile;
 * then that remainder while no batch runs (the event loop goes on, commands wait), so that the next write starts the `-wal` from its beginning.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Checkpoints } from './checkpoint-thread.ts'
import type { Log } from './io.ts'

/** Enough that a checkpoint is rare, little enough to copy at a start and to keep the `-wal` index small. */
const budgetBytes = 16 * 1024 * 1024
/** Above this writers wait for the checkpoint at once, and the file is given back to the disk. */
const overBudgetBytes = 48 * 1024 * 1024
/** A remainder of this size is copied in a few milliseconds. */
const remainderBytes = 2 * 1024 * 1024
/** Rounds beside the writers before they have to wait for whatever is left. */
const roundsMax = 3
const retryAfterMs = 1_000

export interface CheckpointerOptions {
  readonly checkpoints: Checkpoints
  readonly clock: Clock
  readonly log: Log
  /** Bytes of the `-wal` for each frame. */
  readonly frameBytes: number
  /** Keeps batches from starting until the returned function is called. */
  holdBatches(): () => void
  onFailed(error: unknown): void
}

export class Checkpointer {
  readonly #options: CheckpointerOptions
  #running: Promise<void> | undefined
  #notBeforeMs = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(options: CheckpointerOptions) {
    this.#options = options
  }

  /** To be told after each batch how many frames the `-wal` has. */
  offer(frames: number): void {
    if (frames * this.#options.frameBytes < budgetBytes || this.#running !== undefined || this.#isClosed) return
    const leftMs = this.#notBeforeMs - this.#options.clock.nowMs()
    // More than was put off is a clock that has been put back since.
    if (leftMs > 0 && leftMs <= retryAfterMs) return
    this.#running = this.#run(frames)
      .catch((error: unknown) => {
        this.#putOff()
        this.#options.onFailed(error)
      })
      .finally(() => {
        this.#running = undefined
      })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
    await this.#options.checkpoints.close()
  }

  async #run(framesAtStart: number): Promise<void> {
    const { checkpoints, frameBytes, log, clock } = this.#options
    const startedMs = clock.nowMs()
    let frames = framesAtStart
    let remainder = frames
    for (let round = 0; round < roundsMax && remainder * frameBytes > remainderBytes && frames * frameBytes < overBudgetBytes; round++) {
      const result = await checkpoints.run('PASSIVE')
      frames = result.frames
      remainder = result.frames - result.copied
    }
    const release = this.#options.holdBatches()
    const heldAtMs = clock.nowMs()
    let isWhole = false
    try {
      const result = await checkpoints.run(frames * frameBytes > overBudgetBytes ? 'TRUNCATE' : 'PASSIVE')
      isWhole = !result.isBusy && result.copied === result.frames
    } finally {
      release()
    }
    const nowMs = clock.nowMs()
    log.info({ frames, isWhole, ms: nowMs - startedMs, heldMs: nowMs - heldAtMs }, 'metadata checkpoint ended')
    // Somebody reads from the -wal or holds a lock: a backup, an operator's shell. It is not for us to hurry them.
    if (!isWhole) this.#putOff()
  }

  #putOff(): void {
    this.#notBeforeMs = this.#options.clock.nowMs() + retryAfterMs
  }
}
