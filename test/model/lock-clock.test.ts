import { describe, expect, it } from 'vitest'
import { advanceLockTime, aheadBelievedMs, type LockTime, lookMaxMs } from '../../src/model/lock-clock.ts'

const minute = 60_000
const day = 24 * 60 * minute
const start = Date.UTC(2026, 0, 1)

/** Looks once a minute at a wall clock that is `aheadMs` ahead of the truth. */
function lookOn(from: LockTime, { minutes, aheadMs, sinceMs = 0 }: { minutes: number; aheadMs: number; sinceMs?: number }): LockTime {
  let time = from
  for (let passed = 1; passed <= minutes; passed++) {
    time = advanceLockTime(time, { wallMs: start + sinceMs + passed * minute + aheadMs, elapsedMs: minute })
  }
  return time
}

describe('the time of locks', () => {
  it('goes with a clock that is right', () => {
    expect(lookOn({ lockMs: start }, { minutes: 60, aheadMs: 0 })).toEqual({ lockMs: start + 60 * minute })
  })

  it('stays where it was when the wall clock is set back', () => {
    expect(lookOn({ lockMs: start }, { minutes: 60, aheadMs: -10 * day })).toEqual({ lockMs: start })
  })

  it('goes no further than real time when the wall clock jumps ahead, and forgets the jump when it is over', () => {
    const during = lookOn({ lockMs: start }, { minutes: 60, aheadMs: 3650 * day })
    expect(during.lockMs).toBe(start + 60 * minute)
    const after = lookOn(during, { minutes: 1, aheadMs: 0, sinceMs: 60 * minute })
    expect(after).toEqual({ lockMs: start + 61 * minute })
    expect(lookOn(after, { minutes: 60, aheadMs: 3650 * day, sinceMs: 61 * minute }).aheadMs).toBeLessThan(aheadBelievedMs)
  })

  it('does not take the time before a jump for time that it has lasted', () => {
    const jumped = advanceLockTime({ lockMs: start }, { wallMs: start + 1000 * day, elapsedMs: 2 * day })
    expect(jumped).toEqual({ lockMs: start + 2 * day, aheadMs: 0 })
    expect(advanceLockTime(jumped, { wallMs: start + 1003 * day, elapsedMs: 3 * day }).aheadMs).toBe(lookMaxMs)
  })

  it('believes a clock that stays ahead: after as long as it is ahead, and after a day at most', () => {
    const minutes = (aheadMs: number): number => {
      let time: LockTime = { lockMs: start }
      for (let passed = 1; ; passed++) {
        time = advanceLockTime(time, { wallMs: start + passed * minute + aheadMs, elapsedMs: minute })
        if (time.aheadMs === undefined) return passed
      }
    }
    expect(minutes(10 * minute)).toBe(11)
    expect(minutes(30 * day)).toBe(24 * 60 + 1)
  })

  it('after a start knows nothing of the time between, and lets the clock prove itself', () => {
    const started = advanceLockTime({ lockMs: start, aheadMs: 0 }, { wallMs: start + 5 * minute, elapsedMs: 0 })
    expect(started.lockMs).toBe(start)
    expect(lookOn(started, { minutes: 5, aheadMs: 5 * minute }).lockMs).toBe(start + 10 * minute)
  })

  it('never falls, whatever the clocks say', () => {
    let time: LockTime = { lockMs: start }
    for (let i = 0; i < 1000; i++) {
      const next = advanceLockTime(time, { wallMs: start + ((i * 7919) % 400) * day, elapsedMs: ((i * 31) % 100) - 20 })
      expect(next.lockMs).toBeGreaterThanOrEqual(time.lockMs)
      time = next
    }
  })
})
