/** What came of damages, counted. */
import type { Random } from '../../../test/limits/random.ts'

export interface RotOptions {
  readonly folder: string
  /** The rig's, for what its regions share. */
  readonly rigFolder: string
  readonly random: Random
  readonly untilMs: number
  readonly trialsMax: number
  /** A module that the region loads before its own. */
  readonly preload?: string
}

export interface RotTally {
  tried: number
  passed: number
  readonly violations: string[]
  /** How many damages each finder found first; `nobody` stands for those that changed no answer, unless untrue ones are named. */
  readonly found: Map<string, number>
}

export function newTally(): RotTally {
  return { tried: 0, passed: 0, violations: [], found: new Map() }
}

export function note(tally: RotTally, of: { readonly violations: readonly string[]; readonly finder: string | undefined }): void {
  const { violations, finder = 'nobody' } = of
  tally.tried += 1
  if (violations.length === 0) tally.passed += 1
  tally.violations.push(...violations)
  tally.found.set(finder, (tally.found.get(finder) ?? 0) + 1)
}
