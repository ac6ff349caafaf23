/** Kills a region under load, again and again, and compares what it holds with what it has acknowledged. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, createBucket } from '../limits/client.ts'
import { randomFrom } from '../limits/random.ts'
import { launchRegion, type Region, startRegion } from '../limits/region.ts'
import { Journal } from './journal.ts'
import { verify } from './verify.ts'
import { plainBucket, versionedBucket, Writer, type WriterOptions } from './writer.ts'

export interface KillsOptions {
  readonly folder: string
  readonly seed: number
  readonly kills: number
  readonly load: WriterOptions['load']
  /** The program to kill. Default: the product. */
  readonly entry?: string
  readonly say: (line: string) => void
}

export interface KillsReport {
  readonly kills: number
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

export async function killAgainAndAgain(options: KillsOptions): Promise<KillsReport> {
  const { seed, kills, load, say } = options
  const random = randomFrom(seed)
  const journal = new Journal(random)
  const clients = Array.from(
    { length: writers },
    (_, n) => new Writer({ name: `writer-${n}`, journal, random: randomFrom(seed + n + 1), load }),
  )
  const lastMoments: number[] = []
  let region = await startRegion(options)
  let client = new Client(region.port)
  try {
    await createBucket(client, plainBucket)
    await createBucket(client, versionedBucket, { isVersioned: true })
    for (let kill = 1; kill <= kills; kill++) {
      const loadMs = loadMinMs + random.below(loadMaxMs - loadMinMs)
      const { killedMs, acknowledged } = await loadAndKill({ region, client, clients, journal, loadMs })
      const lastMoment = journal.acknowledgedSince(killedMs - lastMomentMs)
      lastMoments.push(lastMoment)
      await client.close()
      if (kill % startsKilledEvery === 0) await killAStart(options, random.below(300))
      const downMs = performance.now()
      region = await startRegion(options)
      client = new Client(region.port)
      const upMs = performance.now()
      await verify(client, journal, { everything: kill === kills })
      const verifyMs = performance.now() - upMs
      say(
        `kill ${kill}: after ${loadMs} ms, ${acknowledged} acknowledged, ${lastMoment} of them in the last ${lastMomentMs} ms; ` +
          `back in ${Math.round(upMs - downMs)} ms, verified in ${Math.round(verifyMs)} ms, violations so far: ${journal.violations.length}`,
      )
    }
  } finally {
    await client.close()
    await region.kill()
  }
  return { kills, acknowledged: journal.acknowledgedMs.length, lastMoments, violations: journal.violations }
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
async function killAStart(options: KillsOptions, afterMs: number): Promise<void> {
  const { child } = launchRegion(options)
  await sleep(afterMs)
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
