/** What becomes of a version whose bytes are not what was written: it is marked, so that nobody gets them. */
import type { Metadata } from '../metadata/engine.ts'
import { versionOfBlob } from '../metadata/tables/version-rows.ts'
import type { ObjectVersion } from '../model/version.ts'
import type { ContentFault } from './version-proof.ts'

/** @returns whether the version still refers to what is broken */
export async function markBroken(metadata: Metadata, version: ObjectVersion, faults: readonly ContentFault[]): Promise<boolean> {
  const { bucketId, key, id } = version
  const damages = faults.map(({ described, reason }) => ({ blob: described.blob, part: described.partNumber ?? 0, reason }))
  const { isMarked } = await metadata.commit({ tx: 'markDamaged', bucketId, key, id, damages })
  return isMarked
}

/** The same, found by whoever only knows the blob. NOTE: whose part a blob is only the scrubber finds out. */
export async function markBrokenBlob(metadata: Metadata, broken: { readonly blob: string; readonly reason: string }): Promise<void> {
  const version = await metadata.read(() => versionOfBlob(broken.blob))
  if (version === undefined) return
  const { bucketId, key, id } = version
  await metadata.commit({ tx: 'markDamaged', bucketId, key, id, damages: [{ ...broken, part: 0 }] })
}
