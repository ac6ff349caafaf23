/**
 * Lets files rot under a region: bits flip, pages turn to zeros, noise or each other, files are cut short, exchanged, gone. No client may get a
 * whole answer with wrong bytes, and no damage may end the region.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomFrom } from '../../test/limits/random.ts'
import type { Rig, RigOptions, RigReport } from './rig.ts'
import { rotBlobs } from './rot/blobs.ts'
import { rotDatabase } from './rot/database.ts'
import type { RotTally } from './rot/tally.ts'

const blindChecksums = new URL('./planted/blind-checksums.ts', import.meta.url).href
const short = { blobs: 40, database: 6 }
const controlTrials = 30
/** Of the time of the long form; the database has the rest. */
const blobsShare = 0.4

export const rot: Rig = {
  name: 'rot',
  purpose: 'flips, zeroes, swaps, cuts and removes what is stored, and reads it',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'farshore-rot-'))
    try {
      return await run(folder, options)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function run(folder: string, { seed, minutes, say }: RigOptions): Promise<RigReport> {
  const part = (name: string, untilMs: number, trials: number) => ({
    folder: join(folder, name),
    rigFolder: folder,
    random: randomFrom(seed),
    untilMs,
    trialsMax: minutes === undefined ? trials : Number.POSITIVE_INFINITY,
  })
  const lie = await rotBlobs({ ...part('lie', Number.POSITIVE_INFINITY, controlTrials), trialsMax: controlTrials, preload: blindChecksums })
  const caught = lie.violations.filter((violation) => violation.includes('was answered wrong'))
  say(`blind checksums: ${caught.length} violations, the first: ${caught[0]}`)

  const startMs = performance.now()
  const untilMs = (share: number): number => (minutes === undefined ? Number.POSITIVE_INFINITY : startMs + share * minutes * 60_000)
  const blobs = await rotBlobs(part('blobs', untilMs(blobsShare), short.blobs))
  say(`blobs: ${summary(blobs)}`)
  const database = await rotDatabase(part('database', untilMs(1), short.database))
  say(`database: ${summary(database)}`)
  return {
    tried: blobs.tried + database.tried,
    passed: blobs.passed + database.passed,
    control: { planted: 'checksums that are all the same', isCaught: caught.length > 0 },
    violations: [...blobs.violations, ...database.violations].map((violation) => `${violation} (seed ${seed})`),
  }
}

function summary({ tried, passed, found }: RotTally): string {
  return `${tried} damages, ${passed} passed; found by ${[...found].map(([finder, count]) => `${finder} ${count}`).join(', ')}`
}
