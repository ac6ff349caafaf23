/** Lets failed versions be tried at once when what refused them may have changed. */
import type { Metadata } from '../metadata/engine.ts'
import { replicatingBuckets } from '../metadata/tables/buckets.ts'
import { parseRoleArn } from '../model/arn.ts'

/** What changed. `region`: it is back, and may have changed meanwhile what it could not tell. */
export type Change =
  | { readonly kind: 'role'; readonly name: string }
  | { readonly kind: 'bucket'; readonly bucketId: string }
  | { readonly kind: 'region'; readonly region: string }

export interface RedriveParts {
  readonly metadata: Metadata
  /** The regions that this one sends to. */
  readonly regions: readonly string[]
  readonly log: { warn(fields: object, message: string): void }
}

const commandMaxTasks = 500
/** Changes that wait; beyond, all failed tasks are driven, which covers every one of them. */
const changesMax = 100

type Which = { readonly region: string; readonly bucketId?: string; readonly destination?: string }

export class Redrive {
  readonly #parts: RedriveParts
  readonly #waiting: Change[] = []
  #running: Promise<void> | undefined
  #isClosed = false

  constructor(parts: RedriveParts) {
    this.#parts = parts
  }

  /** Returns at once. */
  changed(change: Change): void {
    if (this.#isClosed) return
    if (this.#waiting.length >= changesMax) {
      this.#waiting.splice(0, Number.POSITIVE_INFINITY, ...this.#parts.regions.map((region) => ({ kind: 'region', region }) as const))
    } else {
      this.#waiting.push(change)
    }
    this.#running ??= this.#run()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#waiting.length = 0
    await this.#running
  }

  async #run(): Promise<void> {
    for (let change = this.#waiting.shift(); change !== undefined; change = this.#waiting.shift()) {
      try {
        for (const which of await this.#concerned(change)) await this.#drive(which)
      } catch (err) {
        // The slow pace of failed tasks gets there too.
        if (!this.#isClosed) this.#parts.log.warn({ ...change, err }, 'failed versions were not driven again')
      }
    }
    this.#running = undefined
  }

  async #concerned(change: Change): Promise<readonly Which[]> {
    const { metadata, regions } = this.#parts
    switch (change.kind) {
      case 'region':
        return [{ region: change.region }]
      case 'bucket':
        return regions.flatMap((region) => [
          { region, bucketId: change.bucketId },
          { region, destination: change.bucketId },
        ])
      case 'role': {
        const buckets = await metadata.read(replicatingBuckets)
        const name = change.name.toLowerCase()
        const using = buckets.filter(({ settings }) => parseRoleArn(settings.replication?.configuration.Role ?? '')?.name.toLowerCase() === name)
        return using.flatMap(({ id }) => regions.map((region) => ({ region, bucketId: id })))
      }
      default:
        return change satisfies never
    }
  }

  async #drive(which: Which): Promise<void> {
    let redriven = commandMaxTasks
    while (redriven === commandMaxTasks && !this.#isClosed) {
      ;({ redriven } = await this.#parts.metadata.commit({ tx: 'redriveFailed', ...which, limit: commandMaxTasks }))
    }
  }
}
