/** `kill -9` at any moment loses nothing that was acknowledged. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chooseSeed } from '../limits/random.ts'
import { killAgainAndAgain } from './kills.ts'
import { mixedLoad } from './writer.ts'

const earlyAnswers = fileURLToPath(new URL('./early-answers.ts', import.meta.url))
const seed = chooseSeed()
const say = (line: string): void => void process.stdout.write(`${line}\n`)

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'farshore-kill-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a region that is killed under load', () => {
  it('holds every acknowledged write and delete after 30 kills, and the others wholly or not at all', { timeout: 180_000 }, async () => {
    say(`seed ${seed}: FARSHORE_TEST_SEED=${seed} repeats what was written, not when it was killed`)
    const report = await killAgainAndAgain({ folder, seed, kills: 30, load: mixedLoad, say })
    const lastMoments = report.lastMoments.reduce((sum, count) => sum + count, 0)
    say(`${report.kills} kills, ${report.acknowledged} acknowledged, ${lastMoments} in the last 100 ms of a kill`)
    expect(report.violations).toEqual([])
    // Kills that met no load would prove nothing.
    expect(report.lastMoments.filter((count) => count > 0).length).toBeGreaterThan(report.kills / 2)
  })

  it('is found out by the same verifier when it answers before its commits', { timeout: 60_000 }, async () => {
    const load = { putSmall: 3, putLarge: 1 }
    const report = await killAgainAndAgain({ folder, seed, kills: 2, load, entry: earlyAnswers, say })
    say(`the lying region: ${report.violations.length} violations, the first: ${report.violations[0]}`)
    expect(report.violations.filter((violation) => violation.includes('lost:'))).not.toEqual([])
  })
})
