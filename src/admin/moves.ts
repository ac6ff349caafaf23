/** What the admin API tells of bytes that are to be elsewhere, and of the tiers that they go to or come from. */
import { missingTiers } from '../archive/missing-tiers.ts'
import type { Metadata } from '../metadata/engine.ts'
import { listMoves, type MoveKind, type MovePlace } from '../metadata/tables/moves.ts'
import { publicVersionId } from '../model/version.ts'
import type { Tiers } from '../tiers/store.ts'

export interface MovesPage {
  readonly region: string
  readonly tiers: readonly {
    readonly name: string
    readonly kind: 'folder' | 'bucket'
    readonly place: string
    readonly state: 'ok' | 'failing'
    readonly reason: string | null
  }[]
  /** They hold bytes of versions, and the configuration does not name them. */
  readonly missingTiers: readonly string[]
  readonly moves: readonly {
    readonly bucket: string
    readonly key: string
    readonly versionId: string
    readonly kind: MoveKind
    readonly storageClass: string
    readonly bytes: number
    readonly dueAt: string
    readonly attempts: number
    readonly reason: string | null
  }[]
  /** Where the next page begins; absent on the last. */
  readonly next?: MovePlace
}

export type MovesView = (after: MovePlace | undefined, limit: number) => Promise<MovesPage>

const first: MovePlace = { bucketId: '', key: '', id: '', kind: '' }

export function createMovesView({
  metadata,
  tiers,
  region,
}: {
  readonly metadata: Metadata
  readonly tiers: Tiers
  readonly region: string
}): MovesView {
  return async (after = first, limit) => {
    const found = await metadata.read(() => listMoves({ after, limit: limit + 1 }))
    const page = found.slice(0, limit)
    const last = found.length > limit ? page.at(-1) : undefined
    return {
      region,
      tiers: tiers.all.map((tier) => {
        const { kind, place, state, reason = null } = tier.status()
        return { name: tier.name, kind, place, state, reason }
      }),
      missingTiers: await missingTiers({ metadata, tiers }),
      moves: page.map((move) => ({
        bucket: move.bucket,
        key: move.key,
        versionId: publicVersionId(move),
        kind: move.kind,
        storageClass: move.storageClass,
        bytes: move.size,
        dueAt: new Date(move.dueMs).toISOString(),
        attempts: move.attempts,
        reason: move.reason ?? null,
      })),
      ...(last === undefined ? {} : { next: { bucketId: last.bucketId, key: last.key, id: last.id, kind: last.kind } }),
    }
  }
}
