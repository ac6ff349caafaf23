/** Makes the temporary copy of an archived version on the region's own disk. */
import type { Move } from '../metadata/tables/moves.ts'
import { partsOf } from '../metadata/tables/uploads.ts'
import { versionByOrderedId } from '../metadata/tables/version-rows.ts'
import { partNumberMax } from '../model/limits.ts'
import type { Part } from '../model/version.ts'
import { blobsOf, type DescribedBlob } from '../objects/blob-proof.ts'
import { dropUncommitted } from '../objects/put.ts'
import type { SealBinding } from '../objects/seals.ts'
import { copyBlob } from './copy-blob.ts'
import type { Work } from './parts.ts'

/** The number of the copy of a version that has no parts. */
const onlyPart = 1

/** @throws as `copyBlob`, and as the commit does. Nothing is left of a copy that came to nothing */
export async function restoreMove(work: Work, move: Move, signal: AbortSignal): Promise<'restored' | 'gone'> {
  const { metadata, ids, dayMs } = work
  const { bucketId, key, id } = move
  const { version, layout } = await metadata.read(function* () {
    const version = yield* versionByOrderedId(bucketId, key, id)
    const blobSet = version?.blobSet
    return { version, layout: blobSet === undefined ? [] : yield* partsOf(blobSet, { afterNumber: 0, limit: partNumberMax }) }
  })
  const restore = version?.record.restore
  if (version === undefined || restore?.state !== 'ongoing') {
    await metadata.commit({ tx: 'forgetMove', bucketId, key, id, kind: 'restore' })
    return 'gone'
  }
  const blobSet = ids.issue()
  const written: string[] = []
  const target = { kind: 'disk', onWritten: (ref: string) => void written.push(ref) } as const
  const parts: Part[] = []
  try {
    for (const described of blobsOf(version, layout)) {
      const number = described.partNumber ?? onlyPart
      const binding: SealBinding = { kind: 'part', bucketId, key, blobSet, number }
      const { ref, encryption } = await copyBlob(work, { described, target, binding, signal })
      parts.push({
        ...partOf(described, { number, ref }),
        lastModifiedMs: version.lastModifiedMs,
        ...(encryption === undefined ? {} : { encryption }),
      })
    }
    const { requestedMs } = restore
    const outcome = await metadata.commit({ tx: 'completeRestore', bucketId, key, id, requestedMs, blobSet, parts, dayMs })
    if (outcome === 'restored') return 'restored'
  } catch (error) {
    await dropUncommitted(work, written)
    throw error
  }
  await work.blobs.remove(written)
  return 'gone'
}

function partOf(
  { sizeBytes, etag, checksum }: DescribedBlob,
  { number, ref }: { readonly number: number; readonly ref: string },
): Omit<Part, 'lastModifiedMs'> {
  return { number, blob: ref, size: sizeBytes, etag, ...(checksum === undefined ? {} : { checksum }) }
}
