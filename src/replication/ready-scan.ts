/** Walks through the tasks that may be sent to a region, in the order in which they became ready, and remembers how far it came. */
import type { Clock } from '../lib/clock.ts'
import type { Metadata } from '../metadata/engine.ts'
import { failedTasksDue, readyTasks } from '../metadata/tables/settlements.ts'
import type { Task } from '../metadata/tables/tasks.ts'
import type { InFlight } from './in-flight.ts'
import { refusedMaxMs, retryMaxMs } from './settle.ts'

const pageTasks = 1024
/** One commit may make many tasks ready at one place. A page that one place fills is read again, longer, up to this. */
const pageMaxTasks = 64 * 1024
/** A task that was passed over, because its next attempt was not due, is met again within this time after it is. */
const rewindEveryMs = 1_000

export interface Wanted {
  readonly count: number
  readonly bytes: number
}

export interface ScanParts {
  readonly metadata: Metadata
  readonly region: string
  readonly clock: Clock
  /** What is taken is entered here at once; whoever took it releases it. */
  readonly inFlight: InFlight
  /** The lane that this walk is for: tasks whose content has so many bytes. */
  readonly contentBytes: { readonly min: number; readonly max: number }
}

export class ReadyScan {
  readonly #parts: ScanParts
  /** Everything that became ready before this place was seen. */
  #place = 0
  #candidates: Task[] = []
  #rewindAtMs = 0

  constructor(parts: ScanParts) {
    this.#parts = parts
  }

  /** Heads of their keys, of which nothing is under way, as many as fit; at least one, however large, if there is any. */
  async take(wanted: Wanted): Promise<readonly Task[]> {
    this.#rewindInTime()
    const taken: Task[] = []
    const blocked = new Map<string, Task>()
    let bytes = 0
    do {
      const over: Task[] = []
      for (const task of this.#candidates) {
        if (!this.#parts.inFlight.isFree(task)) {
          blocked.set(`${task.destination} ${task.versionId}`, task)
        } else if (taken.length < wanted.count && (bytes + task.contentBytes <= wanted.bytes || taken.length === 0)) {
          this.#parts.inFlight.add(task)
          taken.push(task)
          bytes += task.contentBytes
        } else {
          over.push(task)
        }
      }
      this.#candidates = over
    } while (this.#candidates.length === 0 && taken.length < wanted.count && blocked.size < pageTasks && (await this.#fetch()))
    this.#candidates = [...[...blocked.values()].filter((task) => !this.#parts.inFlight.has(task)), ...this.#candidates]
    return taken
  }

  /** Tasks that were taken and not sent go before all others. */
  putBack(tasks: readonly Task[]): void {
    this.#candidates = [...tasks, ...this.#candidates]
  }

  /** @returns whether there is something to take, or a full page, so that there may be more */
  async #fetch(): Promise<boolean> {
    const { metadata, region, clock, inFlight } = this.#parts
    const from = this.#place
    for (let limit = pageTasks; ; limit *= 4) {
      const nowMs = clock.nowMs()
      const page = await metadata.read(() => readyTasks({ region, ready: from, nowMs, latestMs: nowMs + retryMaxMs, limit }))
      const last = page.at(-1)
      if (last === undefined) return false
      const isFull = page.length === limit
      if (isFull && last.ready === from && limit < pageMaxTasks) continue
      // The walk goes on *at* the last place, where there may be more; a rewind meets what even the longest page did not show.
      this.#place = isFull && last.ready === from ? last.ready + 1 : last.ready
      this.#candidates = page.flatMap(({ task }) => (isOfLane(this.#parts, task) && !inFlight.has(task) ? [task] : []))
      return isFull || this.#candidates.some((task) => inFlight.isFree(task))
    }
  }

  #rewindInTime(): void {
    const nowMs = this.#parts.clock.nowMs()
    // A rewind that is further off was put there by a clock that has been put back since.
    if (nowMs < this.#rewindAtMs && this.#rewindAtMs - nowMs <= rewindEveryMs) return
    this.#rewindAtMs = nowMs + rewindEveryMs
    this.#place = 0
    this.#candidates = []
  }
}

/** Failed tasks whose time has come, the longest due first. */
export async function takeFailed({ metadata, region, clock, inFlight, contentBytes }: ScanParts, wanted: Wanted): Promise<readonly Task[]> {
  const limit = wanted.count + inFlight.count
  const nowMs = clock.nowMs()
  const due = await metadata.read(() => failedTasksDue({ region, nowMs, latestMs: nowMs + refusedMaxMs, contentBytes, limit }))
  const taken: Task[] = []
  let bytes = 0
  for (const task of due) {
    if (taken.length >= wanted.count || bytes + task.contentBytes > wanted.bytes) break
    if (!inFlight.isFree(task)) continue
    inFlight.add(task)
    taken.push(task)
    bytes += task.contentBytes
  }
  return taken
}

export function isOfLane({ contentBytes }: Pick<ScanParts, 'contentBytes'>, task: Task): boolean {
  return task.contentBytes >= contentBytes.min && task.contentBytes <= contentBytes.max
}
