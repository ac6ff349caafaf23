/**
 * Cuts the power, on paper: from all that a region under load wrote and synced, the data folder is built as a cut at some moment would leave it,
 * and a region started on that. What was acknowledged before the cut must be there, byte for byte; what was deleted must be gone.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '../../test/limits/client.ts'
import { type Random, randomFrom } from '../../test/limits/random.ts'
import { startRegion } from '../../test/limits/region.ts'
import { quickStarts } from './environment.ts'
import { Disk, type Survivors } from './power/disk.ts'
import { type LoadOptions, type Recorded, recordLoad } from './power/load.ts'
import { nothingTried, type Rig, type RigOptions, type RigReport } from './rig.ts'
import { buildShim } from './shim/build.ts'
import { recordsOf, type ShimRecord } from './shim/records.ts'
import { verify } from './verify.ts'

const MiB = 1024 * 1024
const journal = 'metadata.db-wal'
const deafSyncs = fileURLToPath(new URL('./planted/deaf-syncs.ts', import.meta.url))
const allSurvivors: readonly Survivors[] = ['nothing', 'names', 'some']
/** One load after the other, until the time is over. */
const long = {
  lifeBytes: 32 * MiB,
  lives: [
    { end: 'kill', isTiny: true },
    { end: 'stop', fails: journal },
    { end: 'kill', fails: '/blobs/' },
    { end: 'stop' },
    { end: 'kill', fails: journal },
    { end: 'kill' },
  ],
  cuts: 50,
} as const
const short = {
  lifeBytes: 20 * MiB,
  lives: [{ end: 'kill', isTiny: true }, { end: 'stop', fails: journal }, { end: 'kill' }],
  cuts: 7,
} as const
const control = { lifeBytes: 4 * MiB, cuts: 'at the last answer' } as const
/** The journal; the bytes of small objects; the names of large ones. */
const deafTo = [journal, '/blobs/segments/', '/blobs/files/'] as const

export const power: Rig = {
  name: 'power',
  purpose: 'starts regions on what power cuts at random moments would leave of the data folder',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'farshore-power-'))
    try {
      const built = await buildShim(folder)
      if ('skipped' in built) return nothingTried(built.skipped)
      return await run({ ...options, folder, library: built.library })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

interface Context extends RigOptions {
  readonly folder: string
  readonly library: string
}

interface Tally {
  tried: number
  passed: number
  readonly violations: string[]
}

async function run(context: Context): Promise<RigReport> {
  const { seed, minutes, say } = context
  const isCaught = await controlIsCaught(context)
  const tally: Tally = { tried: 0, passed: 0, violations: [] }
  const untilMs = minutes === undefined ? 0 : performance.now() + minutes * 60_000
  let round = 0
  do {
    const roundSeed = seed + round
    round += 1
    await cutAgainAndAgain(
      { ...context, seed: roundSeed },
      { ...(minutes === undefined ? short : long), isEvery: minutes !== undefined },
      tally,
    )
    say(`round ${round}: ${tally.tried} cuts tried, ${tally.passed} passed`)
  } while (performance.now() < untilMs)
  return {
    ...tally,
    control: {
      planted: `syncs that do nothing, one kind at a time: ${deafTo.join(', ')}; a failed sync of the journal taken for a success`,
      isCaught,
    },
  }
}

interface Round extends Omit<LoadOptions, 'folder' | 'library' | 'seed'> {
  readonly cuts: number | 'at the last answer'
  /** Whether each cut is tried with all that may survive, or with one in turn. */
  readonly isEvery?: boolean
}

async function cutAgainAndAgain(
  { folder, library, seed, say }: Context,
  { cuts, isEvery = false, ...load }: Round,
  tally: Tally,
): Promise<void> {
  const place = mkdtempSync(join(folder, 'round-'))
  const random = randomFrom(seed)
  const recorded = await recordLoad({ folder: place, library, seed, ...load })
  const records = [...recordsOf(readFileSync(recorded.log))]
  tally.violations.push(...placeAnswers(recorded, records))
  const disk = new Disk(recorded.root, random)
  const moments = momentsOf(random, { records, from: recorded.from, cuts })
  const copied = records.filter(({ kind, path }) => kind === 'W' && path.endsWith('metadata.db')).length
  const failed = records.filter(({ kind }) => kind === 'X').length
  say(
    `${records.length} records (${copied} pages of checkpoints, ${failed} failed syncs), ${recorded.ledger.cells.length} objects and versions; ` +
      `cuts after ${moments.join(', ')}`,
  )
  let next = 0
  for (const [index, record] of records.entries()) {
    disk.apply(record)
    if (index !== moments[next]) continue
    const survivors = isEvery ? allSurvivors : [allSurvivors[next % allSurvivors.length] ?? 'nothing']
    next += 1
    const position = records[index + 1]?.at ?? Number.POSITIVE_INFINITY
    for (const left of survivors) {
      const found = await startOnWhatIsLeft({
        folder: mkdtempSync(join(folder, 'cut-')),
        disk,
        survivors: left,
        recorded,
        position,
      })
      tally.tried += 1
      if (found.length === 0) tally.passed += 1
      tally.violations.push(
        ...found.map((violation) => `cut after record ${index} (${record.kind}), ${left} left, seed ${seed}: ${violation}`),
      )
    }
  }
  rmSync(place, { recursive: true, force: true })
}

/** An acknowledgement holds from where its answer left the region, which is before the client had it. @returns answers that left unseen */
function placeAnswers({ ledger }: Recorded, records: readonly ShimRecord[]): readonly string[] {
  const leftAt = new Map<string, number>()
  for (const { kind, at, data } of records) {
    const requestId = kind === 'A' ? /x-amz-request-id: (\S+)/.exec(data.toString('latin1'))?.[1] : undefined
    if (requestId !== undefined) leftAt.set(requestId, at)
  }
  const unseen: string[] = []
  for (const event of ledger.cells.flatMap(({ events }) => events)) {
    if (event.acknowledged === undefined) continue
    const at = leftAt.get(event.acknowledged.requestId)
    if (at === undefined) unseen.push(`the shim did not see the answer ${event.acknowledged.requestId}`)
    else event.acknowledged = { ...event.acknowledged, at }
  }
  return unseen
}

/** Half of them right behind an answer, when what it promised is youngest; a quarter amid a sync; the others anywhere. */
function momentsOf(
  random: Random,
  { records, from, cuts }: { readonly records: readonly ShimRecord[]; readonly from: number; readonly cuts: Round['cuts'] },
): readonly number[] {
  const all = [...records.keys()].filter((index) => (records[index]?.at ?? 0) >= from)
  const ofKind = (kind: ShimRecord['kind']): readonly number[] => all.filter((index) => records[index]?.kind === kind)
  const answers = ofKind('A')
  const syncs = ofKind('S')
  if (typeof cuts === 'string') return answers.slice(-1)
  const chosen = Array.from({ length: cuts }, (_, n) => {
    if (n % 2 === 0) return random.pick(answers)
    return n % 4 === 1 && syncs.length > 0 ? random.pick(syncs) : random.pick(all)
  })
  return [...new Set(chosen)].sort((one, other) => one - other)
}

interface Left {
  readonly folder: string
  readonly disk: Disk
  readonly survivors: Survivors
  readonly recorded: Recorded
  readonly position: number
}

async function startOnWhatIsLeft({ folder, disk, survivors, recorded, position }: Left): Promise<readonly string[]> {
  disk.rebuild(join(folder, 'data'), survivors)
  try {
    const region = await startRegion({ folder, environment: quickStarts(dirname(folder)) })
    const client = new Client(region.port)
    try {
      const violations = await verify({ client, ledger: recorded.ledger, position })
      return region.log() === '' ? violations : [...violations, `it complained: ${region.log().slice(-2000)}`]
    } finally {
      await client.close()
      await region.kill()
    }
  } catch (error) {
    return [`no start: ${String(error)}`]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Each lie must cost something that the cuts find. */
async function controlIsCaught(context: Context): Promise<boolean> {
  const caught: boolean[] = []
  const lies: readonly (Pick<Round, 'lives' | 'deaf' | 'entry'> & { readonly name: string })[] = [
    ...deafTo.map((deaf) => ({ name: `no sync of ${deaf}`, lives: [{ end: 'kill' }] as const, deaf })),
    { name: 'a failed sync of the journal taken for a success', lives: [{ end: 'kill', fails: journal }], entry: deafSyncs },
  ]
  for (const { name, ...lie } of lies) {
    const tally: Tally = { tried: 0, passed: 0, violations: [] }
    await cutAgainAndAgain({ ...context, say: () => undefined }, { ...control, ...lie }, tally)
    context.say(`${name}: ${tally.violations.length} violations, the first: ${tally.violations[0]?.split('\n')[0]}`)
    caught.push(tally.violations.some((violation) => /lost:|not read:|no start:/.test(violation)))
  }
  return caught.every(Boolean)
}
