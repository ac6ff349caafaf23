/** What a process that moves objects about does, step by step: it is killed at one of its steps, and another looks at what it left. */
import { join } from 'node:path'
import { createArchive } from '../../src/archive/archive.ts'
import type { Engine } from '../../src/lib/engine.ts'
import { createPace } from '../../src/lib/pace.ts'
import type { ObjectParts } from '../../src/objects/parts.ts'
import { openTiers } from '../../src/tiers/open-tiers.ts'
import type { TierStore } from '../../src/tiers/store.ts'
import { never, openSpace, type Space, type SpaceOptions } from '../objects/space.ts'
import { askMove, dayMs, HandClock } from './archive-space.ts'

export const sizes = { small: 1000, large: 300_000, sealed: 400_000 } as const
export const names = Object.keys(sizes) as (keyof typeof sizes)[]

export interface KilledSpace extends Space {
  readonly clock: HandClock
  settle(): Promise<void>
}

/** @param point  called at each step, by its name */
export async function openKilled(folder: string, point: (name: string) => void = () => undefined): Promise<KilledSpace> {
  const clock = new HandClock()
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const config = { region: 'us-east-1', dataDirectory: folder, tiers: [], reserveBytes: 1 }
  const options: SpaceOptions = {
    folder,
    clock,
    transactions: { askMove },
    tiers: (boot) => openTiers(config, { boot, log }),
    between: (parts) => watched(parts, point),
  }
  const space = await openSpace(options)
  const { engines } = createArchive({ ...space.parts, clock, pace: createPace(1e12), dayMs, concurrency: 1, log, settleMs: 0 })
  return {
    ...space,
    clock,
    async settle() {
      for (let isBusy = true; isBusy; ) {
        isBusy = false
        for (const engine of [...engines, space.reclaim] as Engine[]) if ((await engine.work(never)) === 'busy') isBusy = true
      }
    },
  }
}

const seen = [
  'noteTierWrites',
  'moveVersion',
  'forgetTierWrites',
  'forgetBlobs',
  'requestRestore',
  'completeRestore',
  'expireRestore',
  'deleteObject',
]

function watched(parts: ObjectParts, point: (name: string) => void): ObjectParts {
  const commit = (async (command: { readonly tx: string }) => {
    if (seen.includes(command.tx)) point(`before ${command.tx}`)
    const outcome = await parts.metadata.commit(command as never)
    if (seen.includes(command.tx)) point(`after ${command.tx}`)
    return outcome
  }) as ObjectParts['metadata']['commit']
  const stores = new Map<TierStore, TierStore>()
  const watchedStore = (store: TierStore): TierStore => {
    const known = stores.get(store) ?? tierWatched(store, point)
    stores.set(store, known)
    return known
  }
  const { tiers, blobs } = parts
  return {
    ...parts,
    metadata: over(parts.metadata, { commit }),
    blobs: over(blobs, {
      async remove(refs) {
        if (refs.length > 0) point('before unlinking')
        await blobs.remove(refs)
        if (refs.length > 0) point('after unlinking')
      },
    }),
    tiers: over(tiers, {
      all: tiers.all.map(watchedStore),
      tierOf: (ref) => watchedStore(tiers.tierOf(ref)),
      tierFor(storageClass) {
        const store = tiers.tierFor(storageClass)
        return store === undefined ? undefined : watchedStore(store)
      },
      newRef: (store) => tiers.newRef([...stores].find(([, one]) => one === store)?.[0] ?? store),
    }),
  }
}

function tierWatched(store: TierStore, point: (name: string) => void): TierStore {
  async function* slowly<T>(pieces: AsyncIterable<T>, name: string): AsyncGenerator<T> {
    for await (const piece of pieces) {
      yield piece
      point(name)
    }
  }
  return over(store, {
    async write(source, options) {
      const written = await store.write(slowly(source, 'within a write'), options)
      point('after a write')
      return written
    },
    read: (ref, options) => slowly(store.read(ref, options), 'within a read'),
    async remove(ref, signal) {
      point('before a removal')
      await store.remove(ref, signal)
      point('after a removal')
    },
  })
}

/** A thing with some of its members in other hands. */
function over<T extends object>(thing: T, members: Partial<T>): T {
  return new Proxy(thing, {
    get(target, name) {
      const own: unknown = Reflect.get(members, name)
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

export const tierFolder = (folder: string): string => join(folder, 'cold', 'objects')
