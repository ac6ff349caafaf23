/** What becomes of a version whose bytes are not what was written: it is marked, so that nobody gets them. */
import type { Metadata } from '../metadata/engine.ts'
import type { BlobDamage } from '../metadata/tables/damage.ts'
import { type VersionPlace, versionOfBlob } from '../metadata/tables/version-rows.ts'
import type { ObjectVersion } from '../model/version.ts'
import type { ContentFault } from './version-proof.ts'

/** @returns whether the version still refers to what is broken */
export async function markBroken(metadata: Metadata, version: ObjectVersion, faults: readonly ContentFault[]): Promise<boolean> {
  const damages = faults.map(({ described, reason }) => ({ blob: described.blob, part: described.partNumber ?? 0, reason }))
  return await markBrokenPieces(metadata, version, damages)
}

/** The same, for whoever knows the blobs. @returns whether the version still refers to what is broken */
export async function markBrokenPieces(
  metadata: Metadata,
  { bucketId, key, id }: VersionPlace,
  damages: readonly BlobDamage[],
): Promise<boolean> {
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
