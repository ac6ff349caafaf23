import { expect, it } from 'vitest'
import { Breakers } from '../../src/archive/breakers.ts'

function withClock() {
  const clock = { nowMs: 0 }
  return { clock, breakers: new Breakers(() => clock.nowMs) }
}

it('lets everybody through to a tier that is well', () => {
  const { breakers } = withClock()
  expect([breakers.mayTry('cold', 'write'), breakers.mayTry('cold', 'write'), breakers.restMs('cold', 'write')]).toEqual([true, true, 0])
})

it('keeps everybody from a tier that failed, then lets one through, and all when that one was served', () => {
  const { clock, breakers } = withClock()
  breakers.failed('cold', 'write')
  expect(breakers.mayTry('cold', 'write')).toBe(false)
  expect(breakers.mayTry('cold', 'read')).toBe(true)
  clock.nowMs += breakers.restMs('cold', 'write')
  expect([breakers.mayTry('cold', 'write'), breakers.mayTry('cold', 'write')]).toEqual([true, false])
  breakers.worked('cold', 'write')
  expect([breakers.mayTry('cold', 'write'), breakers.mayTry('cold', 'write')]).toEqual([true, true])
})

it('waits longer each time, up to half a minute, and counts failures of one time once', () => {
  const { clock, breakers } = withClock()
  const rests: number[] = []
  for (let n = 0; n < 10; n++) {
    for (let together = 0; together < 8; together++) breakers.failed('cold', 'write')
    rests.push(breakers.restMs('cold', 'write'))
    clock.nowMs += breakers.restMs('cold', 'write')
    breakers.mayTry('cold', 'write')
  }
  expect(rests).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000])
})
