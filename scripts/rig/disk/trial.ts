/** One fault of the disk under a region that writes and reads: how it goes on meanwhile, and afterwards. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, createBucket } from '../../../test/limits/client.ts'
import type { Random } from '../../../test/limits/random.ts'
import { descriptorsOf, type Region, startRegion } from '../../../test/limits/region.ts'
import { Actor, type Outcome, plainBucket } from '../actor.ts'
import { quickStarts, underShim } from '../environment.ts'
import { came } from '../eventually.ts'
import { Ledger } from '../ledger.ts'
import { type CallKind, type How, ShimControl } from '../shim/control.ts'
import { verify } from '../verify.ts'
import { Pulse } from './pulse.ts'

export interface DiskFault {
  readonly name: string
  /** Descriptors: the process may open no more of them. */
  readonly how: Extract<How, 'slow' | 'hang' | 'full' | 'readonly'> | 'descriptors'
  /** Of the paths, as `Fault.match`. */
  readonly match?: string
  /** Of the calls. */
  readonly kind?: CallKind
  /** What becomes of writes meanwhile. */
  readonly writes: 'wait' | 'are refused' | 'may be refused' | 'are answered'
  /** Whether it is well again by itself when the fault is over. */
  readonly recovers: boolean
}

export interface TrialOptions {
  readonly folder: string
  readonly rigFolder: string
  readonly library: string
  readonly random: Random
  readonly fault: DiskFault
  readonly lastsMs: number
  readonly entry?: string
}

const objects = 6
const writers = 8
const smallBytes = 4 * 1024
const largeBytes = 400 * 1024
const calmMs = 500
const readMaxMs = 3_000
const recoversMaxMs = 20_000
/** What the issue asks for; beyond what the machine did to the same process without a fault. */
const stillMaxMs = 250
const descriptorsLeft = 2

interface Running {
  readonly region: Region
  readonly client: Client
  /** Its connections are open before the fault: who has no descriptors takes no new ones. */
  readonly reader: Client
  readonly control: ShimControl
  readonly ledger: Ledger
}

export async function diskTrial(options: TrialOptions): Promise<{ readonly violations: readonly string[]; readonly said: string }> {
  const { folder, rigFolder, library, random, fault, entry } = options
  mkdirSync(folder, { recursive: true })
  const control = new ShimControl(join(folder, 'control'))
  const shim = underShim({ library, root: join(folder, 'data'), log: '/dev/null', control: control.file })
  // One thread, so that nothing can stand still unseen.
  const start = { folder, settings: { workers: 1 }, environment: { ...shim, ...quickStarts(rigFolder) } }
  const region = await startRegion({ ...start, ...(entry === undefined ? {} : { entry }) })
  const client = new Client(region.port)
  const reader = new Client(region.port, { connections: objects })
  const ledger = new Ledger(random)
  const pulse = new Pulse(region.port)
  try {
    const running = { region, client, reader, control, ledger }
    await prepare(running)
    pulse.read()
    await sleep(calmMs)
    const calm = pulse.read()
    const violations = await underFault(running, options)
    const { slowestMs, count, statuses } = pulse.read()
    if (slowestMs > stillMaxMs + 2 * calm.slowestMs) violations.push(`its health was not told for ${Math.round(slowestMs)} ms`)
    if (statuses.some((status) => status !== 200)) violations.push(`its health was answered ${statuses.join(', ')}`)
    violations.push(...(await afterFault(running, fault)))
    await client.close()
    await region.kill()
    violations.push(...(await afterStart(await startRegion(start), ledger)))
    const health = `${count} health checks, the slowest ${Math.round(slowestMs)} ms (${Math.round(calm.slowestMs)} without a fault)`
    return { violations, said: `${fault.name}: writes ${fault.writes}; ${health}; ${violations.length} violations` }
  } finally {
    pulse.close()
    await reader.close()
    control.disarm()
    await client.close()
    await region.kill()
    control.close()
  }
}

async function prepare(running: Running): Promise<void> {
  const { client, ledger } = running
  await createBucket(client, plainBucket)
  const actor = actorOf({ client, ledger })
  for (let n = 0; n < objects; n++) await actor.put(`kept-${n}`, n % 2 === 0 ? smallBytes : largeBytes)
  await verify({ client, ledger })
  await readAll(running, undefined)
}

function actorOf({ client, ledger }: Pick<Running, 'client' | 'ledger'>): Actor {
  return new Actor({ client, ledger, position: () => 0 })
}

async function underFault(running: Running, { fault, lastsMs }: TrialOptions): Promise<string[]> {
  const { region, control } = running
  const violations: string[] = []
  const lift = fault.how === 'descriptors' ? limitDescriptors(region.pid) : arm(control, fault)
  const outcomes: Outcome[] = []
  const writing = Array.from({ length: writers }, async (_, n) => {
    outcomes.push(await actorOf(running).put(`written-${n}`, n % 2 === 0 ? smallBytes : largeBytes))
  })
  const untilMs = performance.now() + lastsMs
  while (performance.now() < untilMs) violations.push(...(await readAll(running, fault.how)))
  if (fault.writes === 'are refused') await came(() => outcomes.length === writers, readMaxMs)
  const meanwhile = [...outcomes]
  lift()
  if (!(await came(() => outcomes.length === writers, recoversMaxMs))) violations.push('writes were not answered when the fault was over')
  await Promise.race([Promise.all(writing), sleep(1, undefined, { ref: false })])
  const allowed: Readonly<Record<DiskFault['writes'], readonly Outcome[]>> = {
    wait: ['acknowledged'],
    'are answered': ['acknowledged'],
    'are refused': ['refused'],
    'may be refused': ['acknowledged', 'refused', 'silent'],
  }
  const wrong = outcomes.filter((outcome) => !allowed[fault.writes].includes(outcome))
  if (wrong.length > 0) violations.push(`writes should ${fault.writes}, and ${wrong.length} were ${[...new Set(wrong)].join(', ')}`)
  if (fault.writes === 'are refused' && meanwhile.length < writers)
    violations.push(`${writers - meanwhile.length} writes were not answered`)
  if (region.log().includes('request failed')) violations.push(`it answered InternalError: ${region.log().slice(0, 1000)}`)
  if (fault.writes === 'wait' && meanwhile.length > 0) violations.push(`${meanwhile.length} writes were answered meanwhile`)
  return [...new Set(violations)]
}

function arm(control: ShimControl, { how, kind, match }: DiskFault): () => void {
  if (how === 'descriptors') throw new Error('not a fault of the shim')
  control.arm({ at: 1, how, ...(match === undefined ? {} : { match }), ...(kind === undefined ? {} : { kind }) })
  return () => control.disarm()
}

/** Of the running process. */
function limitDescriptors(pid: number): () => void {
  const limit = (soft: string): void => void execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`])
  const before = execFileSync('prlimit', ['--pid', String(pid), '--nofile', '--noheadings', '--output', 'SOFT'])
    .toString()
    .trim()
  limit(String(descriptorsOf(pid) + descriptorsLeft))
  return () => limit(before)
}

/** What was there before is read, whole and right. */
async function readAll({ reader, ledger }: Running, how: DiskFault['how'] | undefined): Promise<readonly string[]> {
  const reads = Array.from({ length: objects }, async (_, n) => {
    const { key, events } = ledger.cell({ bucket: plainBucket, key: `kept-${n}` })
    const state = events[0]?.state
    const got = await Promise.race([reader.send({ method: 'GET', bucket: plainBucket, key }).catch(String), sleep(readMaxMs, 'nothing')])
    const isRight = typeof got === 'object' && state !== undefined && state !== 'absent' && got.body.equals(ledger.bytesOf(state))
    // A large object is a file of its own, and opened to be read.
    if (how === 'descriptors' && n % 2 === 1 && typeof got === 'object' && got.status === 503) return []
    const size = n % 2 === 0 ? 'small' : 'large'
    return isRight ? [] : [`a ${size} object was not read meanwhile: ${typeof got === 'object' ? got.status : got}`]
  })
  return (await Promise.all(reads)).flat()
}

async function afterFault(running: Running, { recovers }: DiskFault): Promise<readonly string[]> {
  if (!recovers) return []
  const isWell = await came(async () => (await actorOf(running).put('well', smallBytes)) === 'acknowledged', recoversMaxMs)
  const found = await verify(running)
  return isWell ? found : [...found, 'it takes no writes when the fault is over']
}

async function afterStart(region: Region, ledger: Ledger): Promise<readonly string[]> {
  const client = new Client(region.port)
  try {
    const found = await verify({ client, ledger })
    const isWritable = (await actorOf({ client, ledger }).put('after', smallBytes)) === 'acknowledged'
    return isWritable ? found : [...found, 'it takes no writes after a start']
  } finally {
    await client.close()
    await region.kill()
  }
}
