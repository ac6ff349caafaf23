/**
 * The time by which locks end. A wall clock may jump: back, and nothing must be shortened by it; ahead for a moment, and nothing must be let go.
 * So this time never goes back, follows the time that has really passed, and believes a wall clock that is further ahead only when that has lasted.
 */

/** As far as it is kept over a restart. */
export interface LockTime {
  /** Never falls. */
  readonly lockMs: number
  /** For how long of real time the wall clock has been ahead of `lockMs`; undefined: it was not, when it was last seen. */
  readonly aheadMs?: number
}

/** A wall clock that has been ahead for this long is right, however far ahead it is: the machine was off, or its clock was set. */
export const aheadBelievedMs = 24 * 60 * 60 * 1000
/** One look at the clock stands for no more time than this. */
export const lookMaxMs = 10 * 60 * 1000

/**
 * @param seen.wallMs  the wall clock now
 * @param seen.elapsedMs  real time since the last look, by a clock that nobody sets; 0 after a start
 */
export function advanceLockTime(last: LockTime, { wallMs, elapsedMs }: { readonly wallMs: number; readonly elapsedMs: number }): LockTime {
  const passedMs = Math.max(elapsedMs, 0)
  const lockMs = Math.max(last.lockMs, Math.min(last.lockMs + passedMs, wallMs))
  const gapMs = wallMs - lockMs
  if (gapMs <= 0) return { lockMs }
  // What was not ahead at the last look has not been for longer than since this one.
  const aheadMs = last.aheadMs === undefined ? 0 : last.aheadMs + Math.min(passedMs, lookMaxMs)
  // A clock that is ahead by a minute has to be so for a minute.
  return aheadMs >= Math.min(gapMs, aheadBelievedMs) ? { lockMs: wallMs } : { lockMs, aheadMs }
}
