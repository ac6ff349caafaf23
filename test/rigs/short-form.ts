/** Runs a rig as `npm test` does: its short form, with a seed that is printed. */
import { expect, type TestContext } from 'vitest'
import type { Rig } from '../../scripts/rig/rig.ts'
import { chooseSeed } from '../limits/random.ts'

export const shortFormMaxMs = 180_000

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** A rig that cannot run here says so where nobody can overlook it, and counts as skipped, not as passed. */
export async function expectShortForm(rig: Rig, context: TestContext): Promise<void> {
  const seed = chooseSeed()
  say(`rig ${rig.name}, seed ${seed}: FARSHORE_TEST_SEED=${seed} repeats it`)
  const report = await rig.run({ minutes: undefined, seed, say })
  if (report.skipped !== undefined) {
    process.stderr.write(`!! The rig ${rig.name} did not run and is SKIPPED: ${report.skipped}.\n`)
    context.skip(report.skipped)
  }
  say(
    `tried ${report.tried}, passed ${report.passed}; control (${report.control.planted}): ${report.control.isCaught ? 'caught' : 'NOT CAUGHT'}`,
  )
  expect(report.violations).toEqual([])
  expect(report.tried).toBeGreaterThan(0)
  expect(report.passed).toBe(report.tried)
  expect(report.control.isCaught).toBe(true)
}
