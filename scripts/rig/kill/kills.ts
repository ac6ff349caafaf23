/** Kills a region under load, again and again, and compares what it holds with what it has acknowledged. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, createBucket, expectStatus } from '../../../test/limits/client.ts'
import { randomFrom } from '../../../test/limits/random.ts'
import { launchRegion, type Region, type RegionOptions, startRegion } from '../../../test/limits/region.ts'
import { quickStarts } from '../environment.ts'
import { folderViolations } from './folder.ts'
import { Journal } from './journal.ts'
import { verify } from './verify.ts'
import { plainBucket, suspendedBucket, versionedBucket, Writer, type WriterOptions } from './writer.ts'

export interface KillsOptions {
  readonly folder: string
  readonly seed: number
  readonly killsMax: number
  /** By `performance.now()`: no kill begins after it. */
  readonly untilMs: number
  readonly load: WriterOptions['load']
  /** The program to kill. Default: the product. */
  readonly entry?: string
  readonly say: (line: string) => void
}

export interface KillsReport {
  readonly kills: number
  /** Kills after which everything was as it was promised. */
  readonly passed: number
  readonly acknowledged: number
  /** Acknowledgements in the last 100 ms before each kill. */
  readonly lastMoments: readonly number[]
  readonly violations: readonly string[]
}

const writers = 16
const loadMinMs = 60
const loadMaxMs = 450
const lastMomentMs = 100
/** After each of so many kills the next start is killed too. */
const startsKilledEvery = 10
/** After each of so many kills every reference, checksum and counter is verified, and every file counted. */
const checkedEvery = 5
/** Before each of so many kills versioning is enabled for once, so that the null version gets others beside it, below and above. */
const enabledEvery = 4
/** A region is started with these in turn: what one number of threads leaves, another must find and sweep. */
const workers = [1, 3] as const

export async function killAgainAndAgain(options: KillsOptions): Promise<KillsReport> {
  const { seed, load } = options
  const random = randomFrom(seed)
  const journal = new Journal(random)
  const clients = Array.from(
    { length: writers },
    (_, n) => new Writer({ name: `writer-${n}`, journal, random: randomFrom(seed + n + 1), load }),
  )
  const lastMoments: number[] = []
  let kills = 0
  let passed = 0
  let region = await startRegion(startOf(options, kills))
  let client = new Client(region.port)
  try {
    await createBucket(client, plainBucket)
    await createBucket(client, versionedBucket, { isVersioned: true })
    await createBucket(client, suspendedBucket, { isVersioned: true })
    while (kills < options.killsMax && performance.now() < options.untilMs) {
      kills += 1
      const before = journal.violations.length
      await suspendOrEnable(client, journal, { isSuspended: kills % enabledEvery !== 1 })
      const loadMs = loadMinMs + random.below(loadMaxMs - loadMinMs)
      const { killedMs, acknowledged } = await loadAndKill({ region, client, clients, journal, loadMs })
      const lastMoment = journal.acknowledgedSince(killedMs - lastMomentMs)
      lastMoments.push(lastMoment)
      await client.close()
      if (kills % startsKilledEvery === 0) await killAStart(startOf(options, kills), random.below(300))
      const downMs = performance.now()
      region = await startRegion(startOf(options, kills))
      client = new Client(region.port)
      const upMs = performance.now()
      const isLast = kills === options.killsMax || performance.now() >= options.untilMs
      // An answer that nobody foresaw is a finding too.
      await verify(client, journal, { everything: isLast }).catch((error: unknown) =>
        journal.violations.push(`not verified: ${String(error)}`),
      )
      if (isLast || kills % checkedEvery === 0) journal.violations.push(...(await folderViolations(region.dataFolder)))
      if (region.log() !== '') journal.violations.push(`it complained: ${region.log().slice(-2000)}`)
      if (journal.violations.length === before) passed += 1
      options.say(
        `kill ${kills}: after ${loadMs} ms, ${acknowledged} acknowledged, ${lastMoment} of them in the last ${lastMomentMs} ms; ` +
          `back in ${ms(upMs - downMs)}, verified in ${ms(performance.now() - upMs)}, violations so far: ${journal.violations.length}`,
      )
    }
  } finally {
    await client.close()
    await region.kill()
  }
  return { kills, passed, acknowledged: journal.acknowledgedMs.length, lastMoments, violations: journal.violations }
}

function startOf({ folder, entry }: KillsOptions, starts: number): RegionOptions {
  const settings = { workers: workers[starts % workers.length] }
  return { folder, settings, environment: quickStarts(folder), ...(entry === undefined ? {} : { entry }) }
}

/** What is so stays so through kills, until it is changed. */
async function suspendOrEnable(client: Client, journal: Journal, { isSuspended }: { readonly isSuspended: boolean }): Promise<void> {
  if (journal.isSuspended === isSuspended) return
  const status = isSuspended ? 'Suspended' : 'Enabled'
  const body = Buffer.from(`<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`)
  expectStatus(await client.send({ method: 'PUT', bucket: suspendedBucket, query: [['versioning', '']], body }), 200)
  journal.isSuspended = isSuspended
}

interface Load {
  readonly region: Region
  readonly client: Client
  readonly clients: readonly Writer[]
  readonly journal: Journal
  readonly loadMs: number
}

async function loadAndKill({ region, client, clients, journal, loadMs }: Load): Promise<{ killedMs: number; acknowledged: number }> {
  const before = journal.acknowledgedMs.length
  const stop = new AbortController()
  const running = Promise.all(clients.map((writer) => writer.run(client, stop.signal)))
  await sleep(loadMs)
  const killedMs = performance.now()
  const killed = region.kill()
  // What was answered before the signal and is read after it counts as acknowledged: the writers end by what their connections say.
  await killed
  stop.abort()
  await running
  return { killedMs, acknowledged: journal.acknowledgedMs.length - before }
}

/** Half a start must be no worse than none. */
async function killAStart(options: RegionOptions, afterMs: number): Promise<void> {
  const { child } = launchRegion(options)
  await sleep(afterMs)
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

function ms(duration: number): string {
  return `${Math.round(duration)} ms`
}
