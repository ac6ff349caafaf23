/**
 * Stops a region amid slow uploads: those that come to their end within the time to drain are answered, the others cut; the region ends in time, at
 * once when it is told twice, and the next start shows whole objects only.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, createBucket, expectStatus } from '../../test/limits/client.ts'
import { type Random, randomFrom } from '../../test/limits/random.ts'
import { type Region, startRegion } from '../../test/limits/region.ts'
import { plainBucket } from './actor.ts'
import { beginSlowPut, type RunningPut } from './drain/slow-put.ts'
import { quickStarts } from './environment.ts'
import { came } from './eventually.ts'
import { folderViolations } from './kill/folder.ts'
import { type Content, Ledger } from './ledger.ts'
import type { Rig, RigOptions, RigReport } from './rig.ts'
import { verify } from './verify.ts'

const hastyStop = fileURLToPath(new URL('./planted/hasty-stop.ts', import.meta.url))
const uploads = 16
const uploadMinBytes = 256 * 1024
const uploadMaxBytes = 3 * 1024 * 1024
/** What the end of a process may take beyond the time to drain, on a machine that others use too. */
const endingMaxMs = 8_000
/** Of the time to drain; what is cut before that was cut early. */
const drainShare = 0.9
/** What the issue asks of the settings as they come. */
const exitMaxMs = 30_000

/** In turn; `short` runs each once. */
const rounds = [
  { stops: 1, workers: 3, drainTimeoutMs: 3_000 },
  { stops: 2, workers: 3, drainTimeoutMs: 20_000 },
  { stops: 1, workers: 1, drainTimeoutMs: 1_500 },
] as const
type Round = (typeof rounds)[number]

export const drain: Rig = {
  name: 'drain',
  purpose: 'stops a region amid slow uploads, once and twice',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'farshore-drain-'))
    try {
      return await run(folder, options)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

interface Trial {
  readonly folder: string
  readonly rigFolder: string
  readonly random: Random
  readonly round: Round
  readonly entry?: string
}

interface TrialReport {
  readonly violations: readonly string[]
  readonly said: string
}

async function run(folder: string, { seed, minutes, say }: RigOptions): Promise<RigReport> {
  const random = randomFrom(seed)
  // Threads would not carry the lie.
  const lie = await stopAmidUploads({ folder: join(folder, 'lie'), rigFolder: folder, random, round: rounds[2], entry: hastyStop })
  const caught = lie.violations.filter((violation) => violation.includes('was not answered'))
  say(`a hasty stop: ${caught.length} violations, the first: ${caught[0]}`)

  const untilMs = minutes === undefined ? 0 : performance.now() + minutes * 60_000
  const violations: string[] = []
  let tried = 0
  let passed = 0
  while (tried < rounds.length || performance.now() < untilMs) {
    const round = rounds[tried % rounds.length] ?? rounds[0]
    const trial = join(folder, `trial-${tried}`)
    const { violations: found, said } = await stopAmidUploads({ folder: trial, rigFolder: folder, random, round })
    rmSync(trial, { recursive: true, force: true })
    tried += 1
    if (found.length === 0) passed += 1
    violations.push(...found.map((violation) => `stop ${tried} (seed ${seed}): ${violation}`))
    say(`stop ${tried}: ${said}`)
  }
  return { tried, passed, control: { planted: 'a stop that cuts what is in flight', isCaught: caught.length > 0 }, violations }
}

interface Upload {
  readonly key: string
  readonly content: Content
  readonly running: RunningPut
}

async function stopAmidUploads({ folder, rigFolder, random, round, entry }: Trial): Promise<TrialReport> {
  const { stops, workers, drainTimeoutMs } = round
  mkdirSync(folder, { recursive: true })
  const start = { folder, settings: { workers, limits: { drainTimeoutMs } }, environment: quickStarts(rigFolder) }
  const region = await startRegion({ ...start, ...(entry === undefined ? {} : { entry }) })
  const ledger = new Ledger(random)
  const begun: Upload[] = []
  try {
    const client = new Client(region.port)
    await createBucket(client, plainBucket)
    for (let n = 0; n < uploads; n++) {
      const key = `upload-${n}`
      if (n % 2 === 0) await putOld(client, ledger, key)
      begun.push(beginUpload(region, { ledger, random, key, drainTimeoutMs }))
    }
    await Promise.all(begun.map(({ running }) => running.begun))
    const stopMs = performance.now()
    const exit = region.stop()
    const isClosed = await came(() => isRefused(region.port), endingMaxMs)
    // NOTE: not before the first was heard: the system keeps one signal of a kind.
    if (stops === 2) process.kill(region.pid, 'SIGTERM')
    await exit
    const exitMs = performance.now() - stopMs
    await client.close()
    const drainedMs = stops === 1 ? stopMs + drainTimeoutMs * drainShare : 0
    const { violations, answered } = await settleUploads(begun, { ledger, drainedMs })
    if (!isClosed) violations.push('it took new connections after it was told to stop')
    const limitMs = Math.min(exitMaxMs, endingMaxMs + (stops === 1 ? drainTimeoutMs : 0))
    if (exitMs > limitMs) violations.push(`it took ${Math.round(exitMs)} ms to end, and had ${limitMs}`)
    if (region.log() !== '') violations.push(`it complained: ${region.log().slice(-2000)}`)
    violations.push(...(await violationsAfterStart(await startRegion(start), ledger)))
    const said = `${answered} of ${uploads} uploads answered, ended after ${Math.round(exitMs)} ms (${stops} signals, ${drainTimeoutMs} ms to drain)`
    return { violations, said: `${said}; ${violations.length} violations` }
  } finally {
    await region.kill()
  }
}

async function putOld(client: Client, ledger: Ledger, key: string): Promise<void> {
  const state = ledger.newContent(uploadMinBytes)
  expectStatus(await client.send({ method: 'PUT', bucket: plainBucket, key, body: ledger.bytesOf(state) }), 200)
  ledger.cell({ bucket: plainBucket, key }).events.push({ state, sentAt: 0, acknowledged: { at: -1, requestId: '' } })
}

/** Half of them would end while the region drains, the others after. */
function beginUpload(
  { port }: Region,
  { ledger, random, key, drainTimeoutMs }: { ledger: Ledger; random: Random; key: string; drainTimeoutMs: number },
): Upload {
  const content = ledger.newContent(uploadMinBytes + random.below(uploadMaxBytes - uploadMinBytes))
  const lastsMs = random.oneIn(2) ? random.below(drainTimeoutMs / 2) : drainTimeoutMs * (1 + random.below(100) / 50)
  return { key, content, running: beginSlowPut({ port, bucket: plainBucket, key, body: ledger.bytesOf(content), lastsMs }) }
}

function isRefused(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  const answer = new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
  })
  return answer.finally(() => socket.destroy())
}

/** Writes down what each may be now: answered, it is new; not sent whole, it is old. */
async function settleUploads(
  begun: readonly Upload[],
  { ledger, drainedMs }: { readonly ledger: Ledger; readonly drainedMs: number },
): Promise<{ readonly violations: string[]; readonly answered: number }> {
  const violations: string[] = []
  let answered = 0
  for (const { key, content, running } of begun) {
    const { status, sentMs, endedMs } = await running.ended
    const { events } = ledger.cell({ bucket: plainBucket, key })
    if (status === 200) answered += 1
    if (status !== 200 && status !== 0 && status !== 503) violations.push(`${key} was answered ${status}`)
    if (status !== 200 && endedMs < drainedMs) violations.push(`${key} had time, and was not answered`)
    if (status === 200) events.push({ state: content, sentAt: 0, acknowledged: { at: 0, requestId: '' } })
    else if (sentMs !== undefined) events.push({ state: content, sentAt: 0, acknowledged: undefined })
  }
  return { violations, answered }
}

async function violationsAfterStart(region: Region, ledger: Ledger): Promise<readonly string[]> {
  const client = new Client(region.port)
  try {
    return [...(await verify({ client, ledger })), ...(await folderViolations(region.dataFolder))]
  } finally {
    await client.close()
    await region.kill()
  }
}
