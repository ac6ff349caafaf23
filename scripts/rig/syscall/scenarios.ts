/** What a region is in the middle of when the system fails it. */
import type { Actor } from '../actor.ts'
import type { Cell } from '../ledger.ts'
import type { CallKind } from '../shim/control.ts'
import { compaction } from './compaction.ts'

const KiB = 1024
/** Becomes a record of a segment. */
export const small = 3000
/** Becomes a file of its own. */
export const large = 300 * KiB
const partMin = 5 * 1024 * KiB

/** What a scenario sees of the region beside its own requests. */
export interface Beside {
  /** Whether that has come about for which the scenario is there. */
  isOver(): boolean
  /** Reads an object, and keeps in mind what is wrong with it. @returns false when there was no answer */
  read(key: string): Promise<boolean>
}

export interface Scenario {
  readonly name: string
  /** The program that is started for it when all is prepared. Default: what runs already. */
  readonly entry?: string
  /** Nothing fails yet, and the lane's program runs. What it returns is given to `run`. */
  prepare?(actor: Actor): Promise<readonly Cell[]>
  /** Looks at the data folder before anything fails. @returns whether that has come about for which the scenario is there */
  watch?(dataFolder: string): () => boolean
  /** Requests, one after the other; none for what happens at a start or an end. */
  run?(actor: Actor, prepared: readonly Cell[], beside: Beside): Promise<void>
  readonly when: 'running' | 'starting' | 'stopping'
  /** The kinds of calls that it makes. */
  readonly kinds: readonly CallKind[]
  /** Of so many calls of a kind the short form chooses one, where it is not the usual number. */
  readonly shortAt?: Partial<Readonly<Record<CallKind, number>>>
  /** Only calls on paths that end so count. */
  readonly match?: string
  /** What those calls are for goes on beside the requests, and does not decide their answers. */
  readonly isBeside?: true
}

/** Makes objects that the scenario then works on. */
const having =
  (...sizes: readonly number[]) =>
  async (actor: Actor): Promise<readonly Cell[]> => {
    for (const [i, size] of sizes.entries()) await actor.put(`had-${i}`, size)
    return []
  }

async function manyPuts(actor: Actor, count: number): Promise<void> {
  // A request at a time, so that the order of calls stays the same.
  for (let i = 0; i < count; i++) if ((await actor.put(`many-${i % 20}`, 100)) !== 'acknowledged') return
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'put',
    when: 'running',
    kinds: ['W', 'S', 'C', 'R'],
    run: async (actor) => {
      await actor.put('put-small', small)
      await actor.put('put-large', large)
    },
  },
  {
    name: 'overwrite',
    when: 'running',
    kinds: ['W', 'S', 'C', 'R', 'U'],
    prepare: having(large, small),
    run: async (actor) => {
      await actor.put('had-0', small + 1)
      await actor.put('had-1', large + 1)
    },
  },
  {
    name: 'multipart',
    when: 'running',
    kinds: ['W', 'S', 'C', 'R', 'U'],
    prepare: having(large),
    run: async (actor) => {
      await actor.multipart('had-0', [partMin, small])
    },
  },
  {
    name: 'copy',
    when: 'running',
    kinds: ['W', 'S', 'C', 'R'],
    prepare: having(large, small),
    run: async (actor) => {
      await actor.copy('had-0', 'copied-0')
      await actor.copy('had-1', 'copied-1')
    },
  },
  {
    name: 'delete',
    when: 'running',
    kinds: ['W', 'S', 'U'],
    prepare: having(large, small),
    run: async (actor) => {
      await actor.remove('had-0')
      await actor.remove('had-1')
    },
  },
  {
    name: 'batch delete',
    when: 'running',
    kinds: ['W', 'S', 'U'],
    prepare: having(large, small, large, small),
    run: async (actor) => {
      await actor.removeMany(['had-0', 'had-1', 'had-2', 'had-3'])
    },
  },
  {
    name: 'versions',
    when: 'running',
    kinds: ['W', 'S', 'C', 'U'],
    prepare: async (actor) => [await actor.putVersion('v', large), await actor.putVersion('v', small)].filter((cell) => cell !== undefined),
    run: async (actor, versions) => {
      await actor.putVersion('v', small + 7)
      for (const version of versions) await actor.removeVersion(version)
    },
  },
  {
    // The budget of a checkpoint is 16 MiB of -wal: what goes before is not counted.
    name: 'checkpoint',
    when: 'running',
    kinds: ['W', 'S', 'T'],
    match: 'metadata.db',
    isBeside: true,
    run: (actor) => manyPuts(actor, 700),
  },
  compaction,
  // What earlier trials left half done is swept here, and their -wal is rescued.
  { name: 'start', when: 'starting', kinds: ['W', 'S', 'C', 'R', 'U'] },
  { name: 'stop', when: 'stopping', kinds: ['W', 'S', 'T', 'U'], prepare: having(small, large) },
]
