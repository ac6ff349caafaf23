/** Sign-in links: each is good once, for a short time, and only in the process that made it. */
import type { Clock } from '../lib/clock.ts'
import { digestOf, randomToken } from './sessions.ts'

export interface SignInLink {
  /** Goes into the fragment of an address, which browsers send to nobody. */
  readonly token: string
  /** ISO 8601. */
  readonly expiresAt: string
}

const lifeMs = 10 * 60 * 1000
const linksMax = 100

export class SignInLinks {
  readonly #clock: Clock
  /** When each ends, by the digest of its token; the oldest first. */
  readonly #ends = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  make(): SignInLink {
    const token = randomToken()
    const endMs = this.#clock.nowMs() + lifeMs
    for (const oldest of this.#ends.keys()) {
      if (this.#ends.size < linksMax) break
      this.#ends.delete(oldest)
    }
    this.#ends.set(digestOf(token), endMs)
    return { token, expiresAt: new Date(endMs).toISOString() }
  }

  /** Whether it was good; it is not any more. */
  use(token: string): boolean {
    const name = digestOf(token)
    const endMs = this.#ends.get(name)
    this.#ends.delete(name)
    return endMs !== undefined && this.#clock.nowMs() < endMs
  }
}
