/** The time of day. Given to whoever needs it, so that a test can hold it still. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number
  /** Milliseconds since some moment: time that has really passed, whatever is done to the time of day. Absent: the process's own. */
  elapsedMs?(): number
}

export const systemClock: Clock = { nowMs: () => Date.now() }
