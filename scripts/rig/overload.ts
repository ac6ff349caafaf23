/**
 * Asks a region for more than it can do, beside clients that are slow on purpose: what it does stays near what it can do, the rest is told to come
 * again, memory stays flat, and all is well soon after.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client, createBucket, expectStatus } from '../../test/limits/client.ts'
import { memoryOf, startRegion } from '../../test/limits/region.ts'
import { quickStarts } from './environment.ts'
import { came } from './eventually.ts'
import { type LoadReport, load } from './overload/quick-clients.ts'
import { SlowClients } from './overload/slow-clients.ts'
import type { Rig, RigOptions, RigReport } from './rig.ts'
import { warmUp } from './warm-up.ts'

const greedyTurns = fileURLToPath(new URL('./planted/greedy-turns.ts', import.meta.url))
const bucket = 'overload'
const largeKey = 'large'
const largeBytes = 8 * 1024 * 1024
/** Who sends half a head is not thrown out before the end. */
const slowMs = 120_000
/** How many times as many clients as there are places. */
const overload = 4
const wellAgainMaxMs = 5_000
const timesMax = 3
const wellAnswerMaxMs = 1_000
/** What a slow client may add to the memory. A copy of what it has sent, or of what it does not take, would be more. */
const slowMaxKib = 40
/** And all together: the large buffers of two threads, 32 MiB, and heaps that grow before they are collected. */
const commonMaxMib = 80
/** What may come to it while slow clients stay and nobody else asks for anything. */
const stayingMaxMib = 20
/** What they have asked for is done by then, and what was thrown away with it. */
const calmMs = 2_000

/** The short form shares its machine with other tests, and its peak is not the same a second later. */
const short = { slow: 300, maxRequests: 16, lastsMs: 3_000, staysMs: 1_000, goodputMin: 0.6, settlesMaxMs: 15_000 }
const long = { slow: 4_000, maxRequests: 250, lastsMs: 15_000, staysMs: 15_000, goodputMin: 0.9, settlesMaxMs: 30_000 }
const control = { slow: 150, maxRequests: 16, lastsMs: 1_500, staysMs: 0, goodputMin: 0.6, settlesMaxMs: 1_000 }

export const overloadRig: Rig = {
  name: 'overload',
  purpose: 'asks a region for more than it can do, beside thousands of slow clients',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'farshore-overload-'))
    try {
      return await run(folder, options)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function run(folder: string, { seed, minutes, say }: RigOptions): Promise<RigReport> {
  await warmUp({ folder: join(folder, 'warm-up'), rigFolder: folder })
  // One thread, for others would not carry the lie.
  const lie = await flood({ folder: join(folder, 'lie'), rigFolder: folder, form: control, workers: 1, entry: greedyTurns })
  const caught = lie.violations.find((violation) => violation.includes('of its peak'))
  say(`slow clients that keep their places: ${caught}`)
  const untilMs = minutes === undefined ? 0 : performance.now() + minutes * 60_000
  const violations: string[] = []
  let tried = 0
  let passed = 0
  do {
    const flooded = await floodAgain({
      folder: join(folder, `flood-${tried}`),
      rigFolder: folder,
      form: minutes === undefined ? short : long,
      say,
    })
    const { violations: found, said } = flooded
    tried += 1
    if (found.length === 0) passed += 1
    violations.push(...found.map((violation) => `flood ${tried} (seed ${seed}): ${violation}`))
    say(`flood ${tried}: ${said}`)
  } while (performance.now() < untilMs)
  return { tried, passed, control: { planted: 'slow clients that keep their places', isCaught: caught !== undefined }, violations }
}

/** What two seconds of a shared machine differ in is no fault of the region: a goodput that is too low must be so three times. */
async function floodAgain({ say, ...flooded }: Omit<Flood, 'workers'> & Pick<RigOptions, 'say'>): Promise<FloodReport> {
  for (let time = 1; ; time++) {
    const report = await flood({ ...flooded, workers: 2 })
    rmSync(flooded.folder, { recursive: true, force: true })
    if (time === timesMax || !report.violations.some((violation) => violation.includes('of its peak'))) return report
    say(`once more, for ${report.violations.join(', ')}: ${report.said}`)
  }
}

interface FloodReport {
  readonly violations: readonly string[]
  readonly said: string
}

interface Flood {
  readonly folder: string
  readonly rigFolder: string
  readonly form: typeof short
  readonly workers: number
  readonly entry?: string
}

async function flood({ folder, rigFolder, form, workers, entry }: Flood): Promise<FloodReport> {
  const { slow, maxRequests, lastsMs, staysMs, settlesMaxMs } = form
  const limits = { maxRequests, maxConnections: 2 * slow + 2 * overload * maxRequests, headersTimeoutMs: slowMs }
  const program = entry === undefined ? {} : { entry }
  const region = await startRegion({ folder, settings: { workers, limits }, environment: quickStarts(rigFolder), ...program })
  const slowClients = new SlowClients()
  try {
    await prepare(region.port)
    const peak = await load({ port: region.port, bucket, clients: maxRequests, lastsMs })
    // What quick clients cost is known before slow ones come: heaps grow with the load, whoever brings it.
    const quick = await load({ port: region.port, bucket, clients: overload * maxRequests, lastsMs })
    const before = memoryOf(region.pid)
    await slowClients.open({ port: region.port, bucket, largeKey, count: slow })
    // They come all at once, and what they ask for first is work; what they cost afterwards is the question.
    await came(() => answersSoon(region.port), settlesMaxMs)
    await sleep(calmMs)
    const opened = memoryOf(region.pid)
    await sleep(staysMs)
    const stayed = memoryOf(region.pid)
    const stormed = await load({ port: region.port, bucket, clients: overload * maxRequests, lastsMs })
    const { connected } = slowClients
    const after = memoryOf(region.pid)
    slowClients.close()
    const closedMs = performance.now()
    const isWell = await came(() => answersSoon(region.port), wellAgainMaxMs)
    const wellMs = performance.now() - closedMs
    const memory = { grownMib: after.peakMib - before.peakMib, stayingMib: stayed.rssMib - opened.rssMib }
    const violations = judge({ form, loads: { peak, quick, stormed }, ...memory, isWell })
    if (region.log() !== '') violations.push(`it complained: ${region.log().slice(-2000)}`)
    return {
      violations,
      said:
        `peak ${peak.perSecond.toFixed(0)}/s, ${quick.perSecond.toFixed(0)}/s with ${overload} times as many clients; with ${connected} of ${slow} slow ones beside them ` +
        `${stormed.perSecond.toFixed(0)}/s, ${stormed.refused} refused, the slowest answer ${Math.round(stormed.slowestMs)} ms, ` +
        `memory ${[before.rssMib, opened.rssMib, stayed.rssMib, after.peakMib].map(Math.round).join(' → ')} MiB, well after ${Math.round(wellMs)} ms; ${violations.length} violations`,
    }
  } finally {
    slowClients.close()
    await region.kill()
  }
}

async function prepare(port: number): Promise<void> {
  const client = new Client(port)
  await createBucket(client, bucket)
  expectStatus(await client.send({ method: 'PUT', bucket, key: largeKey, body: Buffer.alloc(largeBytes) }), 200)
  await client.close()
}

interface Facts {
  readonly form: typeof short
  readonly loads: Readonly<Record<'peak' | 'quick' | 'stormed', LoadReport>>
  /** From the highest before the slow clients came to the highest with them. */
  readonly grownMib: number
  /** While the slow clients did nothing but stay. */
  readonly stayingMib: number
  readonly isWell: boolean
}

function judge({ form, loads, grownMib, stayingMib, isWell }: Facts): string[] {
  const { peak, quick, stormed } = loads
  const grownMaxMib = commonMaxMib + (form.slow * slowMaxKib) / 1024
  const share = stormed.perSecond / peak.perSecond
  return [
    ...peak.failures.map((failure) => `before the flood, ${failure}`),
    ...quick.failures.map((failure) => `with quick clients alone, ${failure}`),
    ...stormed.failures.map((failure) => `in the flood, ${failure}`),
    ...(share < form.goodputMin ? [`it did ${(100 * share).toFixed(0)} % of its peak, and should do ${100 * form.goodputMin} %`] : []),
    ...(grownMib > grownMaxMib ? [`its memory grew by ${Math.round(grownMib)} MiB, and may by ${Math.round(grownMaxMib)}`] : []),
    ...(stayingMib > stayingMaxMib ? [`its memory grew by ${Math.round(stayingMib)} MiB while slow clients stayed`] : []),
    ...(isWell ? [] : [`it was not well ${wellAgainMaxMs} ms after`]),
  ]
}

/** A write, a read of it and the health check. */
async function answersSoon(port: number): Promise<boolean> {
  const client = new Client(port)
  const startMs = performance.now()
  try {
    const put = await client.send({ method: 'PUT', bucket, key: 'well', body: Buffer.from('well') })
    const got = await client.send({ method: 'GET', bucket, key: 'well' })
    const { status } = await fetch(`http://127.0.0.1:${port}/_health/ready`)
    return put.status === 200 && got.body.equals(Buffer.from('well')) && status === 200 && performance.now() - startMs < wellAnswerMaxMs
  } catch {
    return false
  } finally {
    await client.close()
  }
}
