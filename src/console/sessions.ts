/** Who is signed in: in the memory of this process alone, so that a restart ends all of it and no disk ever holds a person's key. */
import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Credentials } from './sign.ts'

/** As STS tells it. */
export interface ConsoleCaller {
  readonly accountId: string
  readonly arn: string
  readonly userId: string
  /** The root of the first account, who may ask the admin API. */
  readonly isOperator: boolean
}

export interface Session {
  /** What the cookie holds. */
  readonly id: string
  readonly csrfToken: string
  readonly credentials: Credentials
  readonly caller: ConsoleCaller
}

const sessionsMax = 1000
const idleMaxMs = 3600 * 1000
const ageMaxMs = 12 * idleMaxMs
const tokenBytes = 32

interface Kept {
  readonly session: Session
  readonly bornMs: number
  usedMs: number
}

export class Sessions {
  readonly #clock: Clock
  /** By the digest of the id, so that the time of a look-up says nothing of any id. In order of last use. */
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#kept.size
  }

  /** Where there is no room the one that was not used for longest ends. */
  begin(of: Pick<Session, 'credentials' | 'caller'>): Session {
    const session = { id: randomToken(), csrfToken: randomToken(), ...of }
    const nowMs = this.#clock.nowMs()
    this.#dropEnded(nowMs)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < sessionsMax) break
      this.#kept.delete(oldest)
    }
    this.#kept.set(digestOf(session.id), { session, bornMs: nowMs, usedMs: nowMs })
    return session
  }

  /** Counts as a use. */
  find(id: string | undefined): Session | undefined {
    if (id === undefined) return undefined
    const name = digestOf(id)
    const kept = this.#kept.get(name)
    if (kept === undefined) return undefined
    this.#kept.delete(name)
    const nowMs = this.#clock.nowMs()
    if (isEnded(kept, nowMs)) return undefined
    kept.usedMs = nowMs
    this.#kept.set(name, kept)
    return kept.session
  }

  end(id: string | undefined): void {
    if (id !== undefined) this.#kept.delete(digestOf(id))
  }

  endAll(): void {
    this.#kept.clear()
  }

  /** NOTE: in order of last use; those that are too old stand anywhere, and are found when they are looked for. */
  #dropEnded(nowMs: number): void {
    for (const [name, kept] of this.#kept) {
      if (isEnded(kept, nowMs)) this.#kept.delete(name)
    }
  }
}

export function randomToken(): string {
  return randomBytes(tokenBytes).toString('base64url')
}

export function digestOf(token: string): string {
  return hash('sha256', token, 'base64url')
}

function isEnded({ bornMs, usedMs }: Kept, nowMs: number): boolean {
  return nowMs - usedMs > idleMaxMs || nowMs - bornMs > ageMaxMs
}
