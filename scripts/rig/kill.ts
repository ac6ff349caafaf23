/**
 * Kills a region under load, with SIGKILL, at random moments: what was acknowledged must be there, byte for byte and with its attributes, what was
 * deleted must be gone, what has no answer is wholly old or wholly new, and nothing lies about that belongs to nobody.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesBelow } from '../../test/limits/region.ts'
import { folderViolations } from './kill/folder.ts'
import { killAgainAndAgain } from './kill/kills.ts'
import { mixedLoad } from './kill/writer.ts'
import type { Rig, RigOptions, RigReport } from './rig.ts'

const earlyAnswers = fileURLToPath(new URL('./planted/early-answers.ts', import.meta.url))
const shortKills = 8
const lieKills = 2

export const kill: Rig = {
  name: 'kill',
  purpose: 'kills a region under load, again and again, and compares it with what it acknowledged',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'farshore-kill-'))
    try {
      return await run(folder, options)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function run(folder: string, { seed, minutes, say }: RigOptions): Promise<RigReport> {
  const isCaught = await lieIsCaught(join(folder, 'lie'), { seed, say })
  const { kills, passed, acknowledged, lastMoments, violations } = await killAgainAndAgain({
    folder: join(folder, 'kills'),
    seed,
    killsMax: minutes === undefined ? shortKills : Number.POSITIVE_INFINITY,
    untilMs: minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + minutes * 60_000,
    load: mixedLoad,
    say,
  })
  const isFoundOut = await orphanIsFound(join(folder, 'kills', 'data'))
  const lastMoment = lastMoments.reduce((sum, count) => sum + count, 0)
  say(`${kills} kills, ${acknowledged} acknowledged, ${lastMoment} in the last 100 ms before a kill`)
  // Kills that met no load would prove nothing.
  const met = lastMoments.filter((count) => count > 0).length
  return {
    tried: kills,
    passed,
    control: { planted: 'a PUT answered before its commit; a file that belongs to nothing', isCaught: isCaught && isFoundOut },
    violations: [
      ...violations.map((violation) => `${violation} (seed ${seed})`),
      ...(met > kills / 2 ? [] : [`only ${met} of ${kills} kills met a region that had just answered`]),
    ],
  }
}

async function lieIsCaught(folder: string, { seed, say }: Pick<RigOptions, 'seed' | 'say'>): Promise<boolean> {
  const load = { putSmall: 3, putLarge: 1 }
  const untilMs = Number.POSITIVE_INFINITY
  const { violations } = await killAgainAndAgain({ folder, seed, killsMax: lieKills, untilMs, load, entry: earlyAnswers, say: () => {} })
  const lost = violations.filter((violation) => violation.includes('lost:'))
  say(`early answers: ${lost.length} lost, the first: ${lost[0]}`)
  return lost.length > 0
}

/** NOTE: last of all; no region runs on the folder, and none will. */
async function orphanIsFound(dataFolder: string): Promise<boolean> {
  const blobs = join(dataFolder, 'blobs')
  const known = filesBelow(blobs).find((file) => file.startsWith('files/'))
  if (known === undefined) return false
  // The same name but for its last digit: a file that looks like any other.
  const other = join(blobs, known.slice(0, -1) + (known.endsWith('0') ? '1' : '0'))
  mkdirSync(dirname(other), { recursive: true })
  writeFileSync(other, 'nobody knows me')
  const found = await folderViolations(dataFolder, { sweepMaxMs: 0 })
  return found.some((violation) => violation.includes('belong to nothing'))
}
