/**
 * Tasks that are on their way, by the key they are for: of one key at one destination only one batch is under way, so that its versions
 * arrive in their order. In memory only: the engines of a region run in one process, and what it had under way when it died is ready still.
 */
import type { TaskId } from '../metadata/tables/tasks.ts'

export class InFlight {
  readonly #chains = new Map<string, Set<string>>()
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Whether nothing of its key is under way to its destination. */
  isFree(task: TaskId): boolean {
    return !this.#chains.has(chainOf(task))
  }

  has(task: TaskId): boolean {
    return this.#chains.get(chainOf(task))?.has(task.versionId) === true
  }

  add(task: TaskId): void {
    const chain = chainOf(task)
    const versions = this.#chains.get(chain) ?? new Set()
    this.#chains.set(chain, versions.add(task.versionId))
    this.#count += 1
  }

  release(tasks: readonly TaskId[]): void {
    for (const task of tasks) {
      const chain = chainOf(task)
      const versions = this.#chains.get(chain)
      if (versions?.delete(task.versionId) !== true) continue
      this.#count -= 1
      if (versions.size === 0) this.#chains.delete(chain)
    }
  }
}

function chainOf({ destination, bucketId, key }: TaskId): string {
  // Ids have no spaces.
  return `${destination} ${bucketId} ${key}`
}
