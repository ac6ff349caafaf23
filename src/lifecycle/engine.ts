/**
 * The engine that lets versions age. A bucket is passed over when its midnight has come or its rules have changed, one bucket after the other; between
 * that, what was put off is judged when its time comes.
 */
import { type Engine, sleep } from '../lib/engine.ts'
import { agingBuckets } from '../metadata/tables/buckets.ts'
import { nextAgainMs } from '../metadata/tables/lifecycle-again.ts'
import { allPasses, configurationName } from '../metadata/tables/lifecycle-marks.ts'
import type { Bucket } from '../model/bucket.ts'
import { type AgingBucket, type PassParts, passSteps } from './pass.ts'
import { withMarkerIds } from './propose.ts'

/** What fails is left alone for so long; the rest goes on. */
const failedRestMs = 60_000
const restMaxMs = 50
/** How soon a change of rules is seen. */
const pollMaxMs = 5_000
const pollMinMs = 50
const pollsADay = 20
const forgottenMax = 500

export interface EngineParts extends PassParts {
  readonly log: { warn(fields: object, message: string): void }
}

interface Failure {
  readonly reason: string
  readonly untilMs: number
}

interface Passing {
  readonly bucket: AgingBucket
  readonly dueMs: number
  readonly steps: AsyncGenerator<void, void>
}

export class LifecycleEngine implements Engine {
  readonly name = 'lifecycle'
  readonly #parts: EngineParts
  readonly #buckets: (name: string) => Promise<readonly Bucket[]>
  readonly #failures = new Map<string, Failure>()
  #known: { readonly of: readonly Bucket[]; readonly aging: readonly AgingBucket[] } = { of: [], aging: [] }
  /** Of the last pass of each bucket that is over: the rules it had, and its midnight. Undefined: not read yet. */
  #passed: Map<string, { readonly configuration: string; readonly dueMs: number }> | undefined
  #passing: Passing | undefined
  #againRest: Failure | undefined
  #nextAgainMs: number | undefined
  #isAgainsTurn = true

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#buckets = parts.metadata.remembered(() => agingBuckets())
  }

  status(): Readonly<Record<string, unknown>> {
    return { state: this.#passing === undefined ? 'resting' : 'passing', bucket: this.#passing?.bucket.bucket.name, ...this.next() }
  }

  /** The bucket that is being passed over; when every bucket is, and when something that was put off is looked at next. */
  next(): { readonly passingId?: string; readonly nextPassMs: number; readonly nextAgainMs?: number } {
    return {
      ...(this.#passing !== undefined && { passingId: this.#passing.bucket.bucket.id }),
      nextPassMs: this.#midnightMs() + this.#parts.dayMs,
      ...(this.#nextAgainMs !== undefined && { nextAgainMs: this.#nextAgainMs }),
    }
  }

  /** Why a bucket's pass ended before its time, while it is left alone. */
  failureOf(bucketId: string): Failure | undefined {
    return this.#failures.get(bucketId)
  }

  async work(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const beganMs = performance.now()
    if (!(await this.#step())) return 'idle'
    // As long as it worked: whoever waits for the disk or the thread comes first.
    await sleep(Math.min(restMaxMs, Math.max(1, performance.now() - beganMs)), signal)
    return 'busy'
  }

  wait(signal: AbortSignal): Promise<void> {
    const { clock, dayMs } = this.#parts
    const nowMs = clock.nowMs()
    const pollMs = Math.min(pollMaxMs, Math.max(pollMinMs, dayMs / pollsADay))
    const againMs = Math.max(this.#nextAgainMs ?? Number.POSITIVE_INFINITY, this.#againRest?.untilMs ?? 0)
    const nextMs = Math.min(this.#midnightMs() + dayMs, againMs)
    return sleep(Math.max(1, Math.min(pollMs, nextMs - nowMs)), signal)
  }

  /** One small piece. @returns whether there was one */
  async #step(): Promise<boolean> {
    // In turns: many that were put off do not hold up the passes, nor the other way round.
    this.#isAgainsTurn = !this.#isAgainsTurn
    if (this.#isAgainsTurn) return (await this.#judgeAgain()) || (await this.#pass())
    return (await this.#pass()) || (await this.#judgeAgain())
  }

  async #judgeAgain(): Promise<boolean> {
    const { metadata, ids: clock, dayMs } = this.#parts
    const nowMs = this.#parts.clock.nowMs()
    if (this.#againRest !== undefined && isWaiting(this.#againRest, nowMs)) return false
    this.#nextAgainMs = await metadata.read(() => nextAgainMs())
    if (this.#nextAgainMs === undefined || this.#nextAgainMs > nowMs) return false
    try {
      await withMarkerIds(clock, (ids) => metadata.commit({ tx: 'applyLifecycleAgain', dayMs, ...ids }))
      this.#againRest = undefined
    } catch (error) {
      this.#againRest = failureOf(error, nowMs)
      this.#parts.log.warn({ err: error }, 'what lifecycle put off could not be judged, and will be again')
    }
    return true
  }

  async #pass(): Promise<boolean> {
    this.#passing ??= await this.#nextPassing()
    if (this.#passing === undefined) return false
    const { bucket, dueMs, steps } = this.#passing
    const { id, name } = bucket.bucket
    try {
      const step = await steps.next()
      if (step.done !== true) return true
      this.#passed?.set(id, { configuration: bucket.configuration, dueMs })
      this.#failures.delete(id)
    } catch (error) {
      this.#failures.set(id, failureOf(error, this.#parts.clock.nowMs()))
      this.#parts.log.warn({ err: error, bucket: name }, 'a lifecycle pass failed, and will be tried again')
    }
    this.#passing = undefined
    return true
  }

  async #nextPassing(): Promise<Passing | undefined> {
    const { clock } = this.#parts
    const nowMs = clock.nowMs()
    const dueMs = this.#midnightMs()
    const aging = await this.#aging()
    const due = aging.filter(({ bucket, configuration }) => {
      const passed = this.#passed?.get(bucket.id)
      const failure = this.#failures.get(bucket.id)
      if (failure !== undefined && isWaiting(failure, nowMs)) return false
      return passed?.configuration !== configuration || passed.dueMs !== dueMs
    })
    // Whoever has waited longest: with short days some pass may always be due.
    const [bucket] = due.sort((a, b) => this.#passedMs(a) - this.#passedMs(b))
    return bucket && { bucket, dueMs, steps: passSteps(this.#parts, { ...bucket, dueMs }) }
  }

  #passedMs({ bucket }: AgingBucket): number {
    return this.#passed?.get(bucket.id)?.dueMs ?? 0
  }

  /** Buckets that have rules now. What is known of others is forgotten. */
  async #aging(): Promise<readonly AgingBucket[]> {
    const { metadata } = this.#parts
    const buckets = await this.#buckets('all')
    if (this.#passed !== undefined && buckets === this.#known.of) return this.#known.aging
    const aging = buckets.flatMap((bucket) => {
      const rules = bucket.settings.lifecycle
      return rules === undefined ? [] : [{ bucket, rules, configuration: configurationName(rules) }]
    })
    const passes = await metadata.read(() => allPasses())
    const ids = new Set(aging.map(({ bucket }) => bucket.id))
    for (const { bucketId } of passes.filter((pass) => !ids.has(pass.bucketId))) await this.#forget(bucketId)
    this.#passed = new Map(passes.filter(({ endedMs }) => endedMs !== undefined).map((pass) => [pass.bucketId, pass]))
    this.#known = { of: buckets, aging }
    return aging
  }

  async #forget(bucketId: string): Promise<void> {
    this.#failures.delete(bucketId)
    const forget = () => this.#parts.metadata.commit({ tx: 'forgetLifecycle', bucketId, limit: forgottenMax })
    while ((await forget()).isMore) await sleep(1)
  }

  #midnightMs(): number {
    const { clock, dayMs } = this.#parts
    return Math.floor(clock.nowMs() / dayMs) * dayMs
  }
}

function failureOf(error: unknown, nowMs: number): Failure {
  return { reason: error instanceof Error ? error.message : String(error), untilMs: nowMs + failedRestMs }
}

/** NOTE: a time further away was said by a clock that has been put back. */
function isWaiting({ untilMs }: Failure, nowMs: number): boolean {
  return untilMs > nowMs && untilMs <= nowMs + failedRestMs
}
