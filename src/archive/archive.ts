/** The engines of this folder, composed. */
import type { Engine } from '../lib/engine.ts'
import { Breakers } from './breakers.ts'
import { createMover } from './mover.ts'
import type { ArchiveParts } from './parts.ts'
import { createTierReclaim } from './tier-reclaim.ts'

export function createArchive(parts: ArchiveParts & { readonly settleMs?: number }): { readonly engines: readonly Engine[] } {
  const work = { ...parts, breakers: new Breakers(), underWay: new Set<string>() }
  const reclaim = createTierReclaim(work)
  const mover = createMover({ ...work, onLeft: () => reclaim.sweepAgain() })
  return { engines: [mover, reclaim] }
}
