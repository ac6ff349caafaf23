/**
 * Lets the disk under a region be slow, hang, be full or take no writes, and lets the process run out of descriptors: writes wait or are refused, what
 * is there is read, the health check is answered all the time, and the region is well again by itself.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { randomFrom } from '../../test/limits/random.ts'
import { type DiskFault, diskTrial } from './disk/trial.ts'
import { nothingTried, type Rig, type RigOptions, type RigReport } from './rig.ts'
import { buildShim } from './shim/build.ts'

const blockingSyncs = fileURLToPath(new URL('./planted/blocking-syncs.ts', import.meta.url))
const journal = 'metadata.db-wal'
const shortMs = 1_000
const longMs = 10_000

const hungJournal: DiskFault = { name: 'syncs of the journal hang', how: 'hang', kind: 'S', match: journal, writes: 'wait', recovers: true }
const faults: readonly DiskFault[] = [
  hungJournal,
  { name: 'writes of blobs hang', how: 'hang', match: '/blobs/', writes: 'wait', recovers: true },
  { name: 'writes of blobs take a second', how: 'slow', match: '/blobs/', writes: 'are answered', recovers: true },
  { name: 'there is no space', how: 'full', match: '/blobs/', writes: 'are refused', recovers: true },
  { name: 'the folder takes no writes', how: 'readonly', writes: 'are refused', recovers: false },
  { name: 'there are no descriptors', how: 'descriptors', writes: 'may be refused', recovers: true },
]

export const disk: Rig = {
  name: 'disk',
  purpose: 'lets the disk be slow, hang, be full or read-only, and descriptors run out',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'farshore-disk-'))
    try {
      const built = await buildShim(folder)
      return 'skipped' in built ? nothingTried(built.skipped) : await run({ ...options, folder, library: built.library })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function run({
  folder,
  library,
  seed,
  minutes,
  say,
}: RigOptions & { readonly folder: string; readonly library: string }): Promise<RigReport> {
  const random = randomFrom(seed)
  const common = { rigFolder: folder, library, random, lastsMs: minutes === undefined ? shortMs : longMs }
  const lie = await diskTrial({ ...common, folder: join(folder, 'lie'), fault: hungJournal, lastsMs: shortMs, entry: blockingSyncs })
  const caught = lie.violations.find((violation) => violation.includes('its health'))
  say(`a journal that is synced while everybody waits: ${caught}`)
  const untilMs = minutes === undefined ? 0 : performance.now() + minutes * 60_000
  const violations: string[] = []
  let tried = 0
  let passed = 0
  do {
    for (const fault of faults) {
      const place = join(folder, `trial-${tried}`)
      const { violations: found, said } = await diskTrial({ ...common, folder: place, fault })
      rmSync(place, { recursive: true, force: true })
      tried += 1
      if (found.length === 0) passed += 1
      violations.push(...found.map((violation) => `${fault.name} (seed ${seed}): ${violation}`))
      say(said)
    }
  } while (performance.now() < untilMs)
  return {
    tried,
    passed,
    control: { planted: 'a journal that is synced while everybody waits', isCaught: caught !== undefined },
    violations,
  }
}
