/** A space with tiers in memory and the archive's engines, run by hand. */
import { createArchive } from '../../src/archive/archive.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import type { Engine } from '../../src/lib/engine.ts'
import { createPace } from '../../src/lib/pace.ts'
import type { Steps, TransactionContext } from '../../src/metadata/steps.ts'
import { enqueueMove, listMoves } from '../../src/metadata/tables/moves.ts'
import { tierWrites } from '../../src/metadata/tables/tier-writes.ts'
import type { VersionPlace } from '../../src/metadata/tables/version-rows.ts'
import { versionByOrderedId } from '../../src/metadata/tables/version-rows.ts'
import type { Bucket } from '../../src/model/bucket.ts'
import type { StorageClass } from '../../src/model/storage-class.ts'
import type { ObjectVersion } from '../../src/model/version.ts'
import { contentOf } from '../../src/objects/content.ts'
import { never, once, type Space, useSpace } from '../objects/space.ts'
import { MemoryTier, memoryTiers } from '../support/tiers.ts'

export const dayMs = 1000

export interface ArchiveSpace extends Space {
  readonly cold: MemoryTier
  readonly deep: MemoryTier
  readonly mover: Engine
  readonly tierReclaim: Engine
  putAs(
    bucket: Bucket,
    key: string,
    bytes: Buffer,
    options: { readonly storageClass: StorageClass; readonly isEncrypted?: boolean },
  ): Promise<ObjectVersion>
  /** As a lifecycle rule asks for it. */
  transition(version: VersionPlace, storageClass: StorageClass): Promise<void>
  standing(version: VersionPlace): Promise<ObjectVersion>
  moves(): Promise<
    readonly { readonly key: string; readonly kind: string; readonly attempts: number; readonly reason: string | undefined }[]
  >
  /** Until nothing is due any more. */
  settle(): Promise<void>
  notedWrites(): Promise<number>
}

/** A clock that a test moves. */
export class HandClock implements Clock {
  offsetMs = 0
  nowMs(): number {
    return Date.now() + this.offsetMs
  }
}

export function* askMove(input: VersionPlace & { readonly storageClass: StorageClass }, context: TransactionContext): Steps<void> {
  yield* enqueueMove(input, { kind: 'store', storageClass: input.storageClass, dueMs: context.nowMs }, context)
}

/** GLACIER and GLACIER_IR go to `cold`, DEEP_ARCHIVE to `deep`. */
export async function useArchive({
  clock = systemClock,
  settleMs = 0,
}: {
  readonly clock?: Clock
  readonly settleMs?: number
} = {}): Promise<ArchiveSpace> {
  const cold = new MemoryTier('cold')
  const deep = new MemoryTier('deep')
  const space = await useSpace({
    clock,
    transactions: { askMove },
    tiers: (boot) => memoryTiers({ GLACIER: cold, GLACIER_IR: cold, DEEP_ARCHIVE: deep }, boot),
  })
  const log = { warn: () => undefined, error: () => undefined }
  const { engines } = createArchive({ ...space.parts, clock, pace: createPace(1e12), dayMs, concurrency: 2, log, settleMs })
  const [mover, tierReclaim] = engines as [Engine, Engine]
  const { metadata, objects } = space
  return {
    ...space,
    cold,
    deep,
    mover,
    tierReclaim,
    async putAs(bucket, key, bytes, { storageClass, isEncrypted = false }) {
      const plain = { ownerId: 'owner', system: { contentType: 'text/plain' }, user: [], tags: [], acl: [] }
      const attributes = { ...plain, storageClass, encryption: isEncrypted ? ('AES256' as const) : undefined }
      const made = await objects.put({ bucket, key, attributes, claims: {}, signal: never }, contentOf(bytes.length, once(bytes)))
      return made.version
    },
    async transition({ bucketId, key, id }, storageClass) {
      // A transaction of these tests, which the type of a region's own does not name.
      await metadata.commit({ tx: 'askMove', bucketId, key, id, storageClass } as never)
    },
    async standing({ bucketId, key, id }) {
      const version = await metadata.read(() => versionByOrderedId(bucketId, key, id))
      if (version === undefined) throw new Error(`${key} is gone`)
      return version
    },
    moves: () => metadata.read(() => listMoves({ after: { bucketId: '', key: '', id: '', kind: '' }, limit: 100 })),
    async settle() {
      for (let isBusy = true; isBusy; ) {
        isBusy = false
        for (const engine of [mover, tierReclaim, space.reclaim]) if ((await engine.work(never)) === 'busy') isBusy = true
      }
    },
    notedWrites: async () => (await metadata.read(() => tierWrites({ after: '', limit: 100 }))).length,
  }
}
