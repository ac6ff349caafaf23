/** What a rig is: a way to break a running region on purpose, and to say what then holds. */

export interface RigOptions {
  /** How long to go on; undefined is the short form, as `npm test` runs it. */
  readonly minutes: number | undefined
  /** Repeats a run. */
  readonly seed: number
  say(line: string): void
}

export interface RigReport {
  readonly tried: number
  readonly passed: number
  /** What the negative control planted, and whether the rig caught it. */
  readonly control: { readonly planted: string; readonly isCaught: boolean }
  /** In words, each with what repeats it. */
  readonly violations: readonly string[]
  /** Why it could not run here (no root, no compiler); then nothing was tried. */
  readonly skipped?: string
}

export interface Rig {
  readonly name: string
  /** One line, for the list. */
  readonly purpose: string
  run(options: RigOptions): Promise<RigReport>
}

/** @param skipped  why it cannot run here */
export function nothingTried(skipped: string): RigReport {
  return { tried: 0, passed: 0, control: { planted: 'nothing', isCaught: false }, violations: [], skipped }
}
