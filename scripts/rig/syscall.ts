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
import { Lane, type Trial } from './syscall/lane.ts'
import { type Scenario, scenarios } from './syscall/scenarios.ts'

const lanesAtOnce = 2
/** Calls of one kind among which the short form chooses, in every scenario that makes them. */
const shortAt: Partial<Readonly<Record<CallKind, number>>> = { S: 2, W: 10 }

const deafSyncs = fileURLToPath(new URL('./planted/deaf-syncs.ts', import.meta.url))
const earlyAnswers = fileURLToPath(new URL('./planted/early-answers.ts', import.meta.url))

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
  await inLanes(context, 'trials', async (lane, number) => {
    for (const { scenario, fault } of queue) {
      const trial = await lane.trial(scenario, fault)
      tried += 1
      if (trial.hit === undefined) unmet += 1
      if (trial.violations.length === 0) passed += 1
      const name = `${scenario.name}, ${fault.how} at call ${fault.at}${fault.kind ?? ''}`
      violations.push(...trial.violations.map((violation) => `${name} (lane ${number}, seed ${seed}): ${violation}`))
      if (minutes !== undefined && tried % 50 === 0) say(`${tried} of ${planned.length} tried, ${passed} passed`)
      if (performance.now() > untilMs) return
    }
  })
  say(`${planned.length} faults planned, ${tried} tried, ${unmet} of them never met, because the calls came in another number`)
  if (unmet > tried / 2) violations.push(`${unmet} of ${tried} faults were never met (seed ${seed}): they proved nothing`)
  return {
    tried,
    passed,
    control: { planted: 'a journal whose failed sync is taken for a success; a PUT answered before its commit', isCaught },
    violations,
  }
}

/** Every scenario once without a fault, to see its calls; then every fate of every call, in random order. */
async function plan(context: Context): Promise<{ readonly planned: readonly Planned[]; readonly violations: string[] }> {
  const { seed, say } = context
  const planned: Planned[] = []
  const violations: string[] = []
  const queue = scenarios.values()
  await inLanes(context, 'counts', async (lane) => {
    for (const scenario of queue) {
      const { calls, violations: found } = await lane.trial(scenario)
      violations.push(...found.map((violation) => `${scenario.name} without a fault: ${violation}`))
      if (calls.length === 0) violations.push(`${scenario.name}: the shim saw no call`)
      const faults = calls.flatMap((kind, i) => fates[kind].map((how): Planned => ({ scenario, fault: { at: i + 1, how } })))
      say(`${scenario.name}: ${calls.length} calls (${tally(calls)}), ${faults.length} faults`)
      planned.push(...faults)
    }
  })
  return { planned: shuffled(randomFrom(seed), planned), violations }
}

/** One fault of each scenario. Of the many writes fewer than their share: it is not they that are hard to get right. */
function sample(seed: number): readonly Planned[] {
  const random = randomFrom(seed)
  return scenarios.map((scenario): Planned => {
    const kind = random.pick(scenario.kinds)
    return { scenario, fault: { kind, how: random.pick(fates[kind]), at: 1 + random.below(shortAt[kind] ?? 1) } }
  })
}

/** Both lies must be found by the same trials. */
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
  context.say(`deaf to a failed sync: ${deaf[0] ?? 'not caught'}`)
  context.say(`early answers: ${early[0] ?? 'not caught'}`)
  return deaf.some((violation) => violation.includes('after a failed sync')) && early.some((violation) => violation.includes('lost:'))
}

interface Lie extends Planned {
  readonly entry: string
  readonly match: string
}

async function lieFound({ folder, library, seed }: Context, { entry, scenario, fault, match }: Lie): Promise<Trial['violations']> {
  const lane = new Lane({ folder: join(folder, `lie-${fault.how}`), library, random: randomFrom(seed), entry })
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
