/** What the engines of this folder are made of. */
import type { Clock } from '../lib/clock.ts'
import type { EngineLog } from '../lib/engine.ts'
import type { Pace } from '../lib/pace.ts'
import type { ObjectParts } from '../objects/parts.ts'
import type { Breakers } from './breakers.ts'

export interface ArchiveParts extends Omit<ObjectParts, 'encryptByDefault'> {
  readonly clock: Clock
  /** For bytes copied, and for those read back. */
  readonly pace: Pace
  /** Of lifecycle: a copy goes at a midnight. */
  readonly dayMs: number
  /** Moves under way at one time. */
  readonly concurrency: number
  readonly log: EngineLog & { error(fields: object, message: string): void }
}

/** What the two engines share: all of it in memory, and no harm when it is lost. */
export interface Shared {
  readonly breakers: Breakers
  /** Refs of tiers that are being written: the sweep leaves them alone. */
  readonly underWay: Set<string>
}

export type Work = ArchiveParts & Shared
