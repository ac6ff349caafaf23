/** The time of locks as the committing thread has it: advanced at each batch and once a minute, its mark kept coarsely in the engine's own rows. */
import type Database from 'better-sqlite3'
import type { Clock } from '../../lib/clock.ts'
import { advanceLockTime, type LockTime, lookMaxMs } from '../../model/lock-clock.ts'
import type { Log } from './io.ts'

/** After a crash the time of locks is behind by no more than this, and what the machine was off for. */
const markEveryMs = 10 * 60 * 1000
/** How often the clock is looked at when nothing is committed. */
export const lockClockLookMs = 60 * 1000

export class LockClock {
  readonly #clock: Clock
  readonly #log: Log
  readonly #write: Database.Statement<[string, number]>
  #time: LockTime
  #seenMs: number
  #markedMs: number
  #isTold = false

  /** Reads the mark; a region that has none begins with the time of day, and notes it at once. */
  constructor({ database, clock, log }: { readonly database: Database.Database; readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock
    this.#log = log
    this.#write = database.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)')
    const read = database.prepare<[string], { value: number }>('SELECT value FROM meta WHERE name = ?')
    const marked = read.get('lock_ms')?.value
    const aheadMs = read.get('lock_ahead_ms')?.value ?? 0
    this.#seenMs = this.#elapsedMs()
    this.#markedMs = marked ?? clock.nowMs()
    // What passed while nobody looked is not known: the wall clock has to prove itself.
    this.#time = marked === undefined ? { lockMs: this.#markedMs } : { lockMs: marked, aheadMs }
    if (marked === undefined) this.#mark()
  }

  nowMs(): number {
    const seenMs = this.#elapsedMs()
    const wallMs = this.#clock.nowMs()
    this.#time = advanceLockTime(this.#time, { wallMs, elapsedMs: seenMs - this.#seenMs })
    this.#seenMs = seenMs
    this.#tell(wallMs - this.#time.lockMs)
    return this.#time.lockMs
  }

  /** Part of a batch's transaction. @param isLast  of this process */
  markIfDue(isLast: boolean): void {
    if (isLast || this.nowMs() - this.#markedMs >= markEveryMs) this.#mark()
  }

  /** Whoever waits for a lock to end, and it does not, finds here why. */
  #tell(offMs: number): void {
    if (Math.abs(offMs) <= lookMaxMs) {
      this.#isTold = false
    } else if (!this.#isTold) {
      this.#isTold = true
      this.#log.warn(
        { offMs: Math.round(offMs) },
        'the time of day is not where real time should be; locks end by real time until it has lasted',
      )
    }
  }

  #mark(): void {
    const { lockMs, aheadMs } = this.#time
    this.#write.run('lock_ms', Math.trunc(lockMs))
    this.#write.run('lock_ahead_ms', Math.trunc(aheadMs ?? 0))
    this.#markedMs = lockMs
  }

  #elapsedMs(): number {
    return this.#clock.elapsedMs?.() ?? performance.now()
  }
}
