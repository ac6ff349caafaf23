import { expect, it } from 'vitest'
import { createPace } from '../../src/lib/pace.ts'

it('makes whoever spends more than the budget wait, and what was saved up is little', async () => {
  const pace = createPace(1_000_000)
  const beganMs = performance.now()
  for (let n = 0; n < 5; n++) await pace.spend(100_000)
  // 500 ms worth of bytes, of which at most 200 are free.
  expect(performance.now() - beganMs).toBeGreaterThan(290)
})

it('ends a wait when its signal aborts', async () => {
  const stop = new AbortController()
  const waiting = createPace(1).spend(1_000_000, stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})
