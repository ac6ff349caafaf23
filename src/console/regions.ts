/** The regions that the console speaks to: those of the configuration, at their addresses, and nobody else. */
import { type Dispatcher, Pool } from 'undici'
import { Refusal } from './refusal.ts'

/** As the configuration names it. */
export interface ConsoleRegion {
  readonly name: string
  /** Where its S3 port is reached from here. */
  readonly endpoint: string
  /** Where clients reach it. */
  readonly publicUrl: string
  /** Where its admin API is reached from here; undefined: nobody said. */
  readonly admin?: string | undefined
}

export interface RegionSight {
  readonly name: string
  readonly isSelf: boolean
  readonly s3: string
  readonly isReachable: boolean
  /** Null while it is away. */
  readonly roundTripMs: number | null
}

/** One listener of a region. */
export interface Target {
  readonly region: string
  /** As its Host header says it. */
  readonly host: string
  readonly pool: Pool
}

/** A person's uploads and downloads, and those of others, at one time. */
const connections = 256
const timeouts = { connectMs: 5_000, answerMs: 120_000, idleMs: 120_000, sightMs: 2_000 } as const
/** How long an answer about who is there is good. */
const sightLifeMs = 3_000
const livePath = '/_health/live'

export class ConsoleRegions {
  readonly self: string
  readonly #regions: ReadonlyMap<string, ConsoleRegion>
  readonly #targets = new Map<string, Target>()
  #sight: { readonly atMs: number; readonly regions: Promise<readonly RegionSight[]> } | undefined

  constructor({ self, regions }: { readonly self: string; readonly regions: readonly ConsoleRegion[] }) {
    this.self = self
    this.#regions = new Map(regions.map((region) => [region.name, region]))
  }

  /** @throws Refusal NoSuchRegion */
  publicUrl(region: string): string {
    return this.#known(region).publicUrl
  }

  /** @throws Refusal NoSuchRegion */
  s3(region: string): Target {
    return this.#target(region, this.#known(region).endpoint)
  }

  /** @throws Refusal NoSuchRegion | NotConfigured */
  admin(region: string): Target {
    const { admin } = this.#known(region)
    if (admin !== undefined) return this.#target(region, admin)
    throw new Refusal(
      503,
      'NotConfigured',
      `The console of ${this.self} does not know where the admin API of ${region} is: set admin in the entry of ${region} below regions, in the configuration of ${this.self}.`,
    )
  }

  /** Who is there, as a question to each shows it. */
  sight(nowMs: number): Promise<readonly RegionSight[]> {
    if (this.#sight === undefined || Math.abs(nowMs - this.#sight.atMs) > sightLifeMs) {
      this.#sight = { atMs: nowMs, regions: Promise.all([...this.#regions.values()].map((region) => this.#look(region))) }
    }
    return this.#sight.regions
  }

  async close(): Promise<void> {
    await Promise.all([...this.#targets.values()].map(({ pool }) => pool.destroy(new Error('the region stops'))))
  }

  #known(region: string): ConsoleRegion {
    const known = this.#regions.get(region)
    if (known === undefined) throw new Refusal(404, 'NoSuchRegion', `There is no region ${region} in the configuration of ${this.self}.`)
    return known
  }

  #target(region: string, address: string): Target {
    const { origin, host } = new URL(address)
    const name = `${region} ${origin}`
    const target = this.#targets.get(name) ?? { region, host, pool: poolOf(origin) }
    this.#targets.set(name, target)
    return target
  }

  async #look({ name, publicUrl, endpoint }: ConsoleRegion): Promise<RegionSight> {
    const { pool } = this.#target(name, endpoint)
    const beganMs = performance.now()
    const isReachable = await lives(pool)
    const roundTripMs = isReachable ? Math.round((performance.now() - beganMs) * 10) / 10 : null
    return { name, isSelf: name === this.self, s3: publicUrl, isReachable, roundTripMs }
  }
}

function poolOf(origin: string): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: timeouts.connectMs },
    headersTimeout: timeouts.answerMs,
    bodyTimeout: timeouts.idleMs,
  })
}

async function lives(pool: Dispatcher): Promise<boolean> {
  try {
    const answer = await pool.request({ method: 'GET', path: livePath, signal: AbortSignal.timeout(timeouts.sightMs) })
    await answer.body.dump()
    return answer.statusCode === 200
  } catch {
    return false
  }
}
