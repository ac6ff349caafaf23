/** Keeps the log from growing for ever: rows that nobody needs any more are forgotten, oldest first, in bounded pieces. */
import { type Engine, sleep } from '../lib/engine.ts'
import type { Metadata } from '../metadata/engine.ts'
import type { ControlLog } from './control-log.ts'
import type { Standings } from './standings.ts'

/** Rows that every region keeps: also what makes a request that is repeated one request. */
const keptRows = 10_000
/** Rows that are kept for a region that is behind; one that lacks more takes a snapshot. */
const keptForSlowest = 100_000
const restMs = 60_000

export interface TrimLimits {
  readonly keptRows: number
  readonly keptForSlowest: number
  readonly restMs: number
}

export const trimLimits: TrimLimits = { keptRows, keptForSlowest, restMs }

export interface TrimParts {
  readonly metadata: Metadata
  readonly log: ControlLog
  readonly standings: Standings
  /** The other regions. */
  readonly followers: readonly string[]
  readonly limits: TrimLimits
}

export class ControlTrim implements Engine {
  readonly name = 'control-trim'
  readonly #parts: TrimParts

  constructor(parts: TrimParts) {
    this.#parts = parts
  }

  status(): Readonly<Record<string, unknown>> {
    return {}
  }

  async work(): Promise<'busy' | 'idle'> {
    const { metadata, log, standings, followers, limits } = this.#parts
    if (log.stopped !== undefined) return 'idle'
    const needed = followers.length === 0 ? log.position : standings.slowest(followers)
    const through = Math.min(log.position - limits.keptRows, Math.max(needed, log.position - limits.keptForSlowest))
    if (through <= 0) return 'idle'
    const { isMore } = await metadata.commit({ tx: 'trimControl', through })
    return isMore ? 'busy' : 'idle'
  }

  wait(signal: AbortSignal): Promise<void> {
    return sleep(this.#parts.limits.restMs, signal)
  }
}
