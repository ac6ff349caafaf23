/** Slows down whoever tries keys: sign-ins that fail are counted for each address, and in all. */
import { isIPv6 } from 'node:net'
import type { Clock } from '../lib/clock.ts'
import { Refusal } from './refusal.ts'

const windowMs = 60_000
const failuresMax = { ofAddress: 20, inAll: 200 } as const
/** Each is a question to the region. */
const underWayMax = 32

export class Attempts {
  readonly #clock: Clock
  #windowBeganMs = 0
  #inAll = 0
  #underWay = 0
  /** NOTE: no more of them than failures in all. */
  readonly #ofAddress = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs an attempt, which failed if it throws. @throws Refusal when there were too many */
  async try<T>(address: string, attempt: () => Promise<T>): Promise<T> {
    const nowMs = this.#clock.nowMs()
    // A clock that was put back begins another one too.
    if (Math.abs(nowMs - this.#windowBeganMs) >= windowMs) this.#begin(nowMs)
    const name = networkOf(address)
    const failures = this.#ofAddress.get(name) ?? 0
    if (failures >= failuresMax.ofAddress || this.#inAll >= failuresMax.inAll || this.#underWay >= underWayMax) {
      const waitMs = this.#windowBeganMs + windowMs - nowMs
      throw new Refusal(429, 'TooManyAttempts', 'There were too many attempts to sign in. Try again in a minute.', {
        'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))),
      })
    }
    this.#underWay += 1
    // Counted before it is known how it ends: many at once are not more than one after the other.
    this.#count(name, 1)
    try {
      const outcome = await attempt()
      this.#count(name, -1)
      return outcome
    } finally {
      this.#underWay -= 1
    }
  }

  #begin(nowMs: number): void {
    this.#windowBeganMs = nowMs
    this.#inAll = 0
    this.#ofAddress.clear()
  }

  #count(name: string, by: 1 | -1): void {
    this.#inAll = Math.max(0, this.#inAll + by)
    const failures = (this.#ofAddress.get(name) ?? 0) + by
    if (failures > 0) this.#ofAddress.set(name, failures)
    else this.#ofAddress.delete(name)
  }
}

/** Who has one IPv6 address has all of its network of 64 bits. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address
  const [head = '', tail = ''] = address.split('::')
  const heads = head.split(':')
  const filled = address.includes('::') ? [...heads, ...Array(Math.max(0, 8 - heads.length - tail.split(':').length)).fill('0')] : heads
  return filled.slice(0, 4).join(':')
}
