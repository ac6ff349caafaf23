import { describe, expect, it } from 'vitest'
import { decodeOrderedId, HybridClock, isNewer } from '../../src/lib/hybrid-clock.ts'

const minuteMs = 60_000

function clockAt(nowMs: number) {
  const time = { nowMs }
  return { time, ids: new HybridClock({ clock: { nowMs: () => time.nowMs }, region: 'us-east-1' }) }
}

describe('an ordered id', () => {
  it('is above every one before it, also when the clock was put back or stands still', () => {
    const { time, ids } = clockAt(1_000_000)
    let previous = ids.issue()
    for (const nowMs of [1_000_000, 1_000_001, 500_000, 500_000, 2_000_000]) {
      time.nowMs = nowMs
      const id = ids.issue()
      expect(isNewer(id, previous)).toBe(true)
      previous = id
    }
  })

  it('is of the time of day again once a clock that was an hour ahead is right', () => {
    const { time, ids } = clockAt(61 * minuteMs)
    const ahead = ids.issue()
    time.nowMs = minuteMs
    expect(decodeOrderedId(ids.issue()).timeMs).toBe(minuteMs)
    expect(isNewer(ids.issueAbove(ahead), ahead)).toBe(true)
    expect(isNewer(ids.issue(), ahead)).toBe(false)
  })

  it('above one of ten minutes ahead takes the clock along', () => {
    const { ids } = clockAt(minuteMs)
    const ahead = clockAt(11 * minuteMs).ids.issue()
    expect(isNewer(ids.issueAbove(ahead), ahead)).toBe(true)
    expect(isNewer(ids.issue(), ahead)).toBe(true)
  })

  it('above one of an hour ahead leaves the clock where it is', () => {
    const { ids } = clockAt(minuteMs)
    const ahead = clockAt(61 * minuteMs).ids.issue()
    const above = ids.issueAbove(ahead)
    expect(isNewer(above, ahead)).toBe(true)
    expect(isNewer(ids.issueAbove(above), above)).toBe(true)
    expect(decodeOrderedId(ids.issue()).timeMs).toBe(minuteMs)
  })
})
