/** Tiers that fail are left alone for a while, longer each time; then one attempt finds out. */

const firstRestMs = 500
const restMaxMs = 30_000

export type Use = 'write' | 'read' | 'remove'

interface Standing {
  readonly failures: number
  readonly untilMs: number
  /** Somebody was let through to find out. */
  readonly isProbed: boolean
}

export class Breakers {
  readonly #standings = new Map<string, Standing>()
  readonly #nowMs: () => number

  /** @param nowMs  of any clock that only goes forward */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /** How long this tier is to be left alone; 0: not at all. */
  restMs(tier: string, use: Use): number {
    const standing = this.#standings.get(nameOf(tier, use))
    return standing === undefined ? 0 : Math.max(0, standing.untilMs - this.#nowMs())
  }

  /** Whether to try now. Of a tier that failed, one at a time is let through: the others wait for what comes of it. */
  mayTry(tier: string, use: Use): boolean {
    const standing = this.#standings.get(nameOf(tier, use))
    if (standing === undefined) return true
    if (this.restMs(tier, use) > 0) return false
    this.#standings.set(nameOf(tier, use), { ...standing, untilMs: this.#nowMs() + restOf(standing.failures), isProbed: true })
    return true
  }

  failed(tier: string, use: Use): void {
    const standing = this.#standings.get(nameOf(tier, use))
    // Several that were under way at one time have met one failure.
    if (standing !== undefined && !standing.isProbed && this.restMs(tier, use) > 0) return
    const failures = (standing?.failures ?? 0) + 1
    this.#standings.set(nameOf(tier, use), { failures, untilMs: this.#nowMs() + restOf(failures), isProbed: false })
  }

  worked(tier: string, use: Use): void {
    this.#standings.delete(nameOf(tier, use))
  }
}

function restOf(failures: number): number {
  return Math.min(restMaxMs, firstRestMs * 2 ** Math.min(failures, 16))
}

function nameOf(tier: string, use: Use): string {
  return `${use} ${tier}`
}
