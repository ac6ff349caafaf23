/** Brings a version's bytes to where its class belongs: to a tier, to another one, or back to the region's own disk. */

import type { MovedBlob } from '../metadata/tables/move-commits.ts'
import type { Move } from '../metadata/tables/moves.ts'
import { partsOf } from '../metadata/tables/uploads.ts'
import { versionByOrderedId } from '../metadata/tables/version-rows.ts'
import { partNumberMax } from '../model/limits.ts'
import { tierOfRef } from '../model/tier-refs.ts'
import { blobsOf, type DescribedBlob } from '../objects/blob-proof.ts'
import { dropUncommitted } from '../objects/put.ts'
import type { TierStore } from '../tiers/store.ts'
import { copyBlob, SourceBroken } from './copy-blob.ts'
import type { Work } from './parts.ts'

/** Parts in one commit: what a tier that goes away takes back is no more than this. */
const batchBytes = 256 * 1024 * 1024
const batchMax = 64

/** @returns what came of it @throws as `copyBlob`, and as the commit does. Nothing is left of a copy that came to nothing, or the sweep takes it away */
export async function storeMove(work: Work, move: Move, signal: AbortSignal): Promise<'moved' | 'changed' | 'gone'> {
  const { metadata, tiers } = work
  const { version, layout } = await metadata.read(function* () {
    const version = yield* versionByOrderedId(move.bucketId, move.key, move.id)
    const blobSet = version?.blobSet
    return { version, layout: blobSet === undefined ? [] : yield* partsOf(blobSet, { afterNumber: 0, limit: partNumberMax }) }
  })
  const tier = tiers.tierFor(move.storageClass)
  const all = version === undefined ? [] : blobsOf(version, layout)
  const [first] = all
  if (version?.isDamaged === true && first !== undefined) throw new SourceBroken(first, 'Its content is damaged; it stays where it is.')
  const elsewhere = all.filter(({ blob }) => tierOfRef(blob) !== tier?.name)
  const batches = batchesOf(elsewhere)
  // Also where no byte has to go: the class may be another.
  for (const [index, batch] of (batches.length === 0 ? [[]] : batches).entries()) {
    const isLast = index >= batches.length - 1
    const outcome =
      tier === undefined ? await toDisk(work, move, { batch, isLast, signal }) : await toTier(work, move, tier, { batch, isLast, signal })
    if (outcome !== 'moved') return outcome
  }
  return 'moved'
}

interface Batch {
  readonly batch: readonly DescribedBlob[]
  readonly isLast: boolean
  readonly signal: AbortSignal
}

async function toTier(work: Work, move: Move, tier: TierStore, { batch, isLast, signal }: Batch): Promise<'moved' | 'changed' | 'gone'> {
  const { metadata, tiers, underWay } = work
  const copies = batch.map((described) => ({ described, ref: tiers.newRef(tier) }))
  const refs = copies.map(({ ref }) => ref)
  for (const ref of refs) underWay.add(ref)
  try {
    // NOTE: known durably before the first byte is there, so that a crash leaves nothing which nobody knows.
    if (refs.length > 0) await metadata.commit({ tx: 'noteTierWrites', refs })
    const blobs: MovedBlob[] = []
    for (const { described, ref } of copies) {
      const copied = await copyBlob(work, { described, target: { kind: 'tier', tier, ref }, binding: described.binding, signal })
      blobs.push(movedBlob(described, copied))
    }
    return await metadata.commit({ tx: 'moveVersion', ...placeOf(move), storageClass: move.storageClass, blobs, isLast })
  } finally {
    for (const ref of refs) underWay.delete(ref)
  }
}

async function toDisk(work: Work, move: Move, { batch, isLast, signal }: Batch): Promise<'moved' | 'changed' | 'gone'> {
  const written: string[] = []
  const target = { kind: 'disk', onWritten: (ref: string) => void written.push(ref) } as const
  try {
    const blobs: MovedBlob[] = []
    for (const described of batch) {
      blobs.push(movedBlob(described, await copyBlob(work, { described, target, binding: described.binding, signal })))
    }
    return await work.metadata.commit({ tx: 'moveVersion', ...placeOf(move), storageClass: move.storageClass, blobs, isLast })
  } catch (error) {
    await dropUncommitted(work, written)
    throw error
  }
}

function movedBlob({ blob, partNumber }: DescribedBlob, { ref, encryption }: Awaited<ReturnType<typeof copyBlob>>): MovedBlob {
  return { part: partNumber ?? 0, from: blob, to: ref, ...(encryption === undefined ? {} : { sealedKey: encryption.sealedKey }) }
}

function placeOf({ bucketId, key, id }: Move): Pick<Move, 'bucketId' | 'key' | 'id'> {
  return { bucketId, key, id }
}

function batchesOf(blobs: readonly DescribedBlob[]): readonly (readonly DescribedBlob[])[] {
  const batches: DescribedBlob[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const described of blobs) {
    const last = batches.at(-1)
    if (last === undefined || bytes >= batchBytes || last.length >= batchMax) {
      batches.push([described])
      bytes = described.sizeBytes
    } else {
      last.push(described)
      bytes += described.sizeBytes
    }
  }
  return batches
}
