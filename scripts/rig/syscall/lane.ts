/** A region under the shim, in a folder of its own, that goes through one trial after the other: each ends with a clean start and a full comparison. */
import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Client, createBucket } from '../../../test/limits/client.ts'
import type { Random } from '../../../test/limits/random.ts'
import { launchRegion, type Region, type RegionOptions, startRegion } from '../../../test/limits/region.ts'
import { Actor, plainBucket, versionedBucket } from '../actor.ts'
import { quickStarts, underShim } from '../environment.ts'
import { came, quiet } from '../eventually.ts'
import { allowedAt, Ledger } from '../ledger.ts'
import { type CallKind, type Fault, type Hit, ShimControl } from '../shim/control.ts'
import { recordsOf } from '../shim/records.ts'
import { difference, verify } from '../verify.ts'
import { faultRules } from './rules.ts'
import type { Scenario } from './scenarios.ts'

const quietMs = 40
const quietAfterStartMs = 300
const quietMaxMs = 3_000
const startMaxMs = 20_000
const stopMaxMs = 20_000

export interface LaneOptions {
  readonly folder: string
  readonly library: string
  readonly random: Random
  /** The program. Default: the product. */
  readonly entry?: string
}

export interface Trial {
  /** What was met; undefined when the call never came. */
  readonly hit: Hit | undefined
  /** The kinds of the calls that counted, in order. */
  readonly calls: readonly CallKind[]
  readonly violations: readonly string[]
}

/** A region that runs, and those that speak to it. */
interface Running {
  readonly region: Region
  readonly client: Client
  readonly actor: Actor
  /** Of one connection: all that the actor writes is written by one thread, and comes to lie in one segment. */
  readonly actorClient: Client
}

export class Lane {
  readonly #options: LaneOptions
  readonly #control: ShimControl
  readonly #log: string
  readonly #ledger: Ledger
  #running: Running | undefined
  #position = 0

  constructor(options: LaneOptions) {
    this.#options = options
    mkdirSync(options.folder, { recursive: true })
    this.#log = join(options.folder, 'records')
    this.#control = new ShimControl(join(options.folder, 'control'))
    this.#ledger = new Ledger(options.random)
  }

  async open(): Promise<void> {
    const { client } = await this.#start()
    await createBucket(client, plainBucket)
    await createBucket(client, versionedBucket, { isVersioned: true })
  }

  /** @param fault  undefined: only counts the calls */
  async trial(scenario: Scenario, fault?: Omit<Fault, 'match'>): Promise<Trial> {
    const before = this.#running ?? (await this.#start())
    const prepared = (await scenario.prepare?.(before.actor)) ?? []
    const running = scenario.entry === undefined ? before : await this.#startAnother(before, scenario.entry)
    this.#control.arm()
    // A start has work left when it listens, and pauses in it.
    const forMs = scenario.entry === undefined ? quietMs : quietAfterStartMs
    await quiet(() => this.#control.read().count, { forMs, deadlineMs: quietMaxMs })
    const from = statSync(this.#log).size
    const match = scenario.match === undefined ? {} : { match: scenario.match }
    this.#control.arm({ at: 0, how: 'none', ...fault, ...match })
    const violations: string[] = []
    if (scenario.when === 'running') violations.push(...(await this.#run(running, scenario, { prepared, fault })))
    if (scenario.when === 'starting') violations.push(...(await this.#startUnderFault(running)))
    if (scenario.when === 'stopping') violations.push(...(await this.#stop(running)))
    const { hit } = this.#control.read()
    this.#control.disarm()
    if (running.region.isAlive()) await running.region.kill()
    await Promise.all([running.client.close(), running.actorClient.close()])
    this.#running = undefined
    const calls = this.#callsSince(from, match.match)
    return { hit, calls, violations: [...violations, ...(await this.#startAndCompare())] }
  }

  async close(): Promise<void> {
    await Promise.all([this.#running?.client.close(), this.#running?.actorClient.close()])
    await this.#running?.region.kill()
    this.#control.close()
  }

  async #startAnother({ region, client, actorClient }: Running, entry: string): Promise<Running> {
    await region.kill()
    await Promise.all([client.close(), actorClient.close()])
    return await this.#start(entry)
  }

  async #run(
    { region, client, actor }: Running,
    scenario: Scenario,
    {
      prepared,
      fault,
    }: { readonly prepared: Parameters<NonNullable<Scenario['run']>>[1]; readonly fault: Omit<Fault, 'match'> | undefined },
  ): Promise<readonly string[]> {
    actor.outcomes.length = 0
    const misread: string[] = []
    const isOver = scenario.watch?.(region.dataFolder) ?? (() => true)
    await scenario.run?.(actor, prepared, { isOver, read: (key) => this.#read(client, { key, misread }) })
    if (region.isAlive()) await quiet(() => this.#control.read().count, { forMs: quietMs, deadlineMs: quietMaxMs })
    const { hit } = this.#control.read()
    this.#control.disarm()
    if (fault === undefined) {
      const wrong = actor.outcomes.filter((outcome) => outcome !== 'acknowledged').map((outcome) => `${outcome} without a fault`)
      return [...wrong, ...misread, ...(isOver() ? [] : ['what it is there for did not come about'])]
    }
    if (hit === undefined) return misread
    const outcomes = [...actor.outcomes]
    // A killed process may still be on its way out when its answers stop.
    if (fault.how === 'kill' || fault.how === 'torn')
      return (await came(() => !region.isAlive(), stopMaxMs)) ? [] : ['it outlived its kill']
    if (!region.isAlive()) return [`it ended by itself after ${fault.how}: ${region.log().slice(-2000)}`]
    const rules = await faultRules({ fault, hit, outcomes, isBeside: scenario.isBeside === true, probe: () => actor.put('probe', 500) })
    return [...misread, ...rules]
  }

  async #read(client: Client, { key, misread }: { readonly key: string; readonly misread: string[] }): Promise<boolean> {
    const cell = this.#ledger.cell({ bucket: plainBucket, key })
    const answer = await client.send({ method: 'GET', bucket: plainBucket, key }).catch((error: unknown) => String(error))
    const found = allowedAt(cell, Number.POSITIVE_INFINITY).map((state) => difference(answer, state, this.#ledger))
    if (!found.includes(undefined)) misread.push(`${key}, read beside the fault: ${found.join(', and ')}`)
    return typeof answer !== 'string'
  }

  /** A start may be refused or die under a fault. It may not hang. */
  async #startUnderFault({ region, client, actorClient }: Running): Promise<readonly string[]> {
    await Promise.all([client.close(), actorClient.close()])
    await region.kill()
    const { child, output } = launchRegion(this.#regionOptions())
    const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null
    const ended = once(child, 'exit')
    const isDecided = await came(() => isOver() || output.out.includes('\n'), startMaxMs)
    // What goes on after it listens, the sweep, is part of the start.
    if (isDecided && !isOver()) await quiet(() => this.#control.read().count, { forMs: quietMs, deadlineMs: quietMaxMs })
    if (!isOver()) child.kill('SIGKILL')
    await ended
    return isDecided ? [] : ['it neither started nor ended under the fault']
  }

  /** An end under a fault may leave work for the next start. It may not hang. */
  async #stop({ region, client, actorClient }: Running): Promise<readonly string[]> {
    await Promise.all([client.close(), actorClient.close()])
    const ended = region.stop()
    const isOver = await came(() => !region.isAlive(), stopMaxMs)
    if (!isOver) await region.kill()
    await ended
    return isOver ? [] : [`it did not end within ${stopMaxMs} ms`]
  }

  async #startAndCompare(): Promise<readonly string[]> {
    let started: Running
    try {
      started = await this.#start()
    } catch (error) {
      return [`no start without a fault: ${String(error)}`]
    }
    const { region, client } = started
    const violations = await verify({ client, ledger: this.#ledger, isSettling: true })
    return region.log() === '' ? violations : [...violations, `the next start complained: ${region.log().slice(-2000)}`]
  }

  async #start(program?: string): Promise<Running> {
    const region = await startRegion(this.#regionOptions(program))
    const client = new Client(region.port)
    const actorClient = new Client(region.port, { connections: 1 })
    const actor = new Actor({ client: actorClient, ledger: this.#ledger, position: () => this.#position++ })
    this.#running = { region, client, actor, actorClient }
    return this.#running
  }

  #regionOptions(program?: string): RegionOptions {
    const { folder, library } = this.#options
    const entry = program ?? this.#options.entry
    return {
      folder,
      ...(entry === undefined ? {} : { entry }),
      environment: {
        ...underShim({ library, root: join(folder, 'data'), log: this.#log, control: this.#control.file }),
        ...quickStarts(dirname(folder)),
      },
    }
  }

  #callsSince(from: number, match = ''): readonly CallKind[] {
    return [...recordsOf(readFileSync(this.#log).subarray(from))]
      .filter(({ kind, path }) => !['A', 'E', 'F', 'X'].includes(kind) && path.endsWith(match))
      .map(({ kind }) => kind as CallKind) // what is left is a call
  }
}
