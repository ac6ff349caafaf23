/** What the admin API tells of damaged versions. */
import type { Metadata } from '../metadata/engine.ts'
import { type Damage, damages } from '../metadata/tables/damage.ts'
import { publicVersionId } from '../model/version.ts'

export interface DamagePage {
  readonly versions: readonly {
    readonly bucket: string
    readonly key: string
    readonly versionId: string
    /** Of a multipart version: which part. */
    readonly part: number | null
    readonly reason: string
    readonly foundAt: string
  }[]
  /** Where the next page begins; absent on the last. */
  readonly next?: DamagePlace
}

/** The last one of a page. */
export type DamagePlace = Pick<Damage, 'bucketId' | 'key' | 'id'> & { readonly part: number }

export type DamageList = (after: DamagePlace | undefined, limit: number) => Promise<DamagePage>

const first: DamagePlace = { bucketId: '', key: '', id: '', part: 0 }

export function createDamageList(metadata: Metadata): DamageList {
  return async (after = first, limit) => {
    const found = await metadata.read(() => damages({ after, limit: limit + 1 }))
    const page = found.slice(0, limit)
    const last = found.length > limit ? page.at(-1) : undefined
    return {
      versions: page.map((damage) => ({
        bucket: damage.bucket,
        key: damage.key,
        versionId: publicVersionId(damage),
        part: damage.part ?? null,
        reason: damage.reason,
        foundAt: new Date(damage.foundMs).toISOString(),
      })),
      ...(last === undefined ? {} : { next: { bucketId: last.bucketId, key: last.key, id: last.id, part: last.part ?? 0 } }),
    }
  }
}
