import { expect, it } from 'vitest'
import type { Clock } from '../../../src/lib/clock.ts'
import type { Metadata } from '../../../src/metadata/engine.ts'
import { lockClockLookMs } from '../../../src/metadata/sqlite/lock-clock.ts'
import type { Steps, TransactionContext } from '../../../src/metadata/steps.ts'
import { openStore, temporaryFolder } from './store.ts'

const day = 24 * 60 * 60 * 1000

class TestClock implements Clock {
  wallMs = Date.UTC(2026, 0, 1)
  realMs = 5
  nowMs = () => this.wallMs
  elapsedMs = () => this.realMs
}

const transactions = {
  // biome-ignore lint/correctness/useYield: it asks for nothing but the time
  *lockMs(_: object, context: TransactionContext): Steps<number> {
    return context.lockMs
  },
}

const lockMs = (metadata: Metadata) => (metadata.commit as (command: object) => Promise<number>)({ tx: 'lockMs' }) // the test's own

it('keeps the time of locks over a restart with a clock that jumped either way', async () => {
  const directory = await temporaryFolder()
  const clock = new TestClock()
  const startMs = clock.wallMs
  const first = await openStore({ directory, transactions, clock })
  expect(await lockMs(first)).toBe(startMs)
  clock.wallMs += 7000
  clock.realMs += 7000
  expect(await lockMs(first)).toBe(startMs + 7000)
  await first.close()

  clock.wallMs -= 365 * day
  clock.realMs = 0
  const back = await openStore({ directory, transactions, clock })
  expect(await lockMs(back)).toBe(startMs + 7000)
  await back.close()

  clock.wallMs = startMs + 3650 * day
  const ahead = await openStore({ directory, transactions, clock })
  expect(await lockMs(ahead)).toBe(startMs + 7000)
  clock.wallMs += 1000
  clock.realMs += 1000
  expect(await lockMs(ahead)).toBe(startMs + 8000)
})

it('remembers over restarts for how long a clock has been ahead, and believes it after a day', async () => {
  const directory = await temporaryFolder()
  const clock = new TestClock()
  await (await openStore({ directory, transactions, clock })).close()
  clock.wallMs += 30 * day
  let minutes = 0
  for (let restart = 0; restart < 25; restart++) {
    clock.realMs = 0
    const metadata = await openStore({ directory, transactions, clock })
    for (let look = 0; look < 60; look++) {
      clock.wallMs += lockClockLookMs
      clock.realMs += lockClockLookMs
      minutes += 1
      if ((await lockMs(metadata)) === clock.wallMs) {
        expect(minutes).toBe(24 * 60)
        return
      }
    }
    await metadata.close()
  }
  expect.unreachable('it was never believed')
})
