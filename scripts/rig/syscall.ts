/**
 * Every call that changes or syncs the data folder fails once, or is the last before the process dies. Then: nothing was acknowledged after a
 * failed sync, and a start without faults is clean and finds everything acknowledged, byte for byte.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Random, randomFrom } from '../../test/limits/random.ts'
import { nothingTried, type Rig, type RigOptions, type RigReport } from './rig.ts'
import { buildShim } from './shim/build.ts'
import type { CallKind, Fault, How } from './shim/control.ts'
import { compaction } from './syscall/compaction.ts'
import { Lane, type Trial } from './syscall/lane.ts'
import { type Scenario, scenarios } from './syscall/scenarios.ts'

const lanesAtOnce = 2
/** Calls of one kind among which the short form chooses, in every scenario that makes them. */
const shortAt: Partial<Readonly<Record<CallKind, number>>> = { S: 2, W: 10 }

const deafSyncs = fileURLToPath(new URL('./planted/deaf-syncs.ts', import.meta.url))
const earlyAnswers = fileURLToPath(new URL('./planted/early-answers.ts', import.meta.url))
const hastyCompaction = fileURLToPath(new URL('./planted/hasty-compaction.ts', import.meta.url))

/** What can become of a call, by its kind. */
const fates: Readonly<Record<CallKind, readonly How[]>> = {
  W: ['EIO', 'ENOSPC', 'short', 'kill', 'torn', 'full'],
  S: ['EIO', 'ENOSPC', 'kill', 'torn'],
  C: ['EIO', 'ENOSPC', 'kill', 'torn', 'full'],
  M: ['EIO', 'ENOSPC', 'kill', 'torn'],
  L: ['EIO', 'ENOSPC', 'kill', 'torn'],
  R: ['EIO', 'ENOSPC', 'kill', 'torn'],
  U: ['EIO', 'kill', 'torn'],
  D: ['EIO', 'kill'],
  T: ['EIO', 'kill', 'torn'],
}

interface Planned {
  readonly scenario: Scenario
  readonly fault: Fault
}

export const syscall: Rig = {
  name: 'syscall',
  purpose: 'fails or kills at every write, sync, create, rename, unlink and truncate below the data folder',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'farshore-syscall-'))
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

async function run(context: Context): Promise<RigReport> {
  const { seed, say, minutes } = context
  const isCaught = await controlIsCaught(context)
  const { planned, violations } = minutes === undefined ? { planned: sample(seed), violations: [] } : await plan(context)
  const untilMs = minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + minutes * 60_000
  const queue = planned.values()
  let tried = 0
  let passed = 0
  let unmet = 0
  const met = new Set<string>()
  await inLanes(context, 'trials', async (lane, number) => {
    for (const { scenario, fault } of queue) {
      const trial = await lane.trial(scenario, fault)
      tried += 1
      if (trial.hit === undefined) unmet += 1
      else met.add(callOf({ scenario, fault }))
      if (trial.violations.length === 0) passed += 1
      const name = `${scenario.name}, ${fault.how} at call ${fault.at}${fault.kind ?? ''}`
      violations.push(...trial.violations.map((violation) => `${name} (lane ${number}, seed ${seed}): ${violation}`))
      if (minutes !== undefined && tried % 50 === 0) say(`${tried} of ${planned.length} tried, ${passed} passed`)
      if (performance.now() > untilMs) return
    }
  })
  const calls = new Set(planned.map(callOf))
  say(`${met.size} of ${calls.size} calls met at least one fault`)
  say(`${planned.length} faults planned, ${tried} tried, ${unmet} of them never met, because the calls came in another number`)
  if (unmet > tried / 2) violations.push(`${unmet} of ${tried} faults were never met (seed ${seed}): they proved nothing`)
  return {
    tried,
    passed,
    control: {
      planted:
        'a journal whose failed sync is taken for a success; a PUT answered before its commit; a segment that goes before its records are elsewhere',
      isCaught,
    },
    violations,
  }
}

function callOf({ scenario, fault }: Planned): string {
  return `${scenario.name} ${fault.at}${fault.kind ?? ''}`
}

/** Every scenario once without a fault, to see its calls; then every call with one of its fates, then with another, and so on. */
async function plan(context: Context): Promise<{ readonly planned: readonly Planned[]; readonly violations: string[] }> {
  const { seed, say } = context
  const random = randomFrom(seed)
  const planned: (readonly Planned[])[] = []
  const violations: string[] = []
  const queue = scenarios.values()
  await inLanes(context, 'counts', async (lane) => {
    for (const scenario of queue) {
      const { calls, violations: found } = await lane.trial(scenario)
      violations.push(...found.map((violation) => `${scenario.name} without a fault: ${violation}`))
      if (calls.length === 0) violations.push(`${scenario.name}: the shim saw no call`)
      const faults = calls.map((kind, i) => fates[kind].map((how): Planned => ({ scenario, fault: { at: i + 1, how } })))
      say(`${scenario.name}: ${calls.length} calls (${tally(calls)}), ${faults.flat().length} faults`)
      planned.push(...faults)
    }
  })
  return { planned: inRounds(random, planned), violations }
}

/** The first of all, in random order, then the second of all; what is the first of a few is chosen too. */
function inRounds<T>(random: Random, items: readonly (readonly T[])[]): readonly T[] {
  const mixed = items.map((few) => shuffled(random, few))
  const rounds = Math.max(0, ...mixed.map(({ length }) => length))
  return Array.from({ length: rounds }, (_, round) =>
    shuffled(
      random,
      mixed.flatMap((few) => few.slice(round, round + 1)),
    ),
  ).flat()
}

/** One fault of each scenario. Of the many writes fewer than their share: it is not they that are hard to get right. */
function sample(seed: number): readonly Planned[] {
  const random = randomFrom(seed)
  return scenarios.map((scenario): Planned => {
    const kind = random.pick(scenario.kinds)
    return {
      scenario,
      fault: { kind, how: random.pick(fates[kind]), at: 1 + random.below(scenario.shortAt?.[kind] ?? shortAt[kind] ?? 1) },
    }
  })
}

/** All lies must be found by the same trials. */
async function controlIsCaught(context: Context): Promise<boolean> {
  const [put] = scenarios
  if (put === undefined) throw new Error('there are no scenarios')
  const deaf = await lieFound(context, {
    entry: deafSyncs,
    scenario: put,
    fault: { at: 1, how: 'EIO', kind: 'S' },
    match: 'metadata.db-wal',
  })
  const early = await lieFound(context, {
    entry: earlyAnswers,
    scenario: put,
    fault: { at: 1, how: 'kill', kind: 'W' },
    match: 'metadata.db-wal',
  })
  const hasty = await lieFound(context, {
    entry: hastyCompaction,
    // The segment has just gone.
    scenario: { ...compaction, entry: hastyCompaction },
    fault: { at: 1, how: 'torn', kind: 'U' },
    match: '/segments/',
  })
  context.say(`deaf to a failed sync: ${deaf[0] ?? 'not caught'}`)
  context.say(`early answers: ${early[0] ?? 'not caught'}`)
  context.say(`hasty compaction: ${hasty[0] ?? 'not caught'}`)
  const isFound = [deaf.some(isAfterSync), early.some(isLost), hasty.some(isLost)]
  return isFound.every(Boolean)
}

const isAfterSync = (violation: string): boolean => violation.includes('after a failed sync')
const isLost = (violation: string): boolean => violation.includes('lost:') || violation.includes('not read:')

interface Lie extends Planned {
  readonly entry: string
  readonly match: string
}

async function lieFound({ folder, library, seed }: Context, { entry, scenario, fault, match }: Lie): Promise<Trial['violations']> {
  const lane = new Lane({ folder: join(folder, `lie-${fault.how}-${fault.kind}`), library, random: randomFrom(seed), entry })
  try {
    await lane.open()
    const { violations } = await lane.trial({ ...scenario, match }, fault)
    return violations
  } finally {
    await lane.close()
  }
}

async function inLanes(
  { folder, library, seed }: Context,
  name: string,
  work: (lane: Lane, number: number) => Promise<void>,
): Promise<void> {
  await Promise.all(
    Array.from({ length: lanesAtOnce }, async (_, number) => {
      const lane = new Lane({ folder: join(folder, `${name}-${number}`), library, random: randomFrom(seed + number) })
      try {
        await lane.open()
        await work(lane, number)
      } finally {
        await lane.close()
      }
    }),
  )
}

function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, place: random.below(2 ** 31) }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item)
}

function tally(calls: readonly CallKind[]): string {
  return [...new Set(calls)].map((kind) => `${kind} ${calls.filter((call) => call === kind).length}`).join(', ')
}
