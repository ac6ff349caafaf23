/** Bytes by their refs, wherever they are: on the region's own disk, or in a tier. */
import type { BlobStore, ReadOptions } from '../blobs/store.ts'
import { tierOfRef } from '../model/tier-refs.ts'
import type { TierReadOptions, Tiers } from '../tiers/store.ts'

export type StoredBytes = Pick<BlobStore, 'read' | 'readWhole'>

/** Aborted never: for the few readers that nothing ends before they end themselves. */
const noSignal = (): AbortSignal => new AbortController().signal

/** @throws as the blob store does; of a tier, the errors of `src/tiers/errors.ts` */
export function storedBytes({ blobs, tiers }: { readonly blobs: StoredBytes; readonly tiers: Pick<Tiers, 'tierOf'> }): StoredBytes {
  return {
    read: (ref, options) => (tierOfRef(ref) === undefined ? blobs.read(ref, options) : readTier(tiers, ref, options)),
    readWhole: (ref, options) =>
      tierOfRef(ref) === undefined ? blobs.readWhole(ref, options) : gather(readTier(tiers, ref, options), options),
  }
}

async function* readTier(tiers: Pick<Tiers, 'tierOf'>, ref: string, options: ReadOptions): AsyncGenerator<Buffer> {
  const { lengthBytes, dataKey, range, signal = noSignal() } = options
  const asked: TierReadOptions = { lengthBytes, dataKey, range, signal }
  yield* tiers.tierOf(ref).read(ref, asked)
}

async function gather(pieces: AsyncIterable<Buffer>, { lengthBytes, range }: ReadOptions): Promise<Buffer> {
  const wanted = range === undefined ? lengthBytes : range.endInclusive - range.start + 1
  const gathered = Buffer.allocUnsafe(wanted)
  let filled = 0
  for await (const piece of pieces) filled += piece.copy(gathered, filled)
  if (filled !== wanted) throw new Error(`a blob of ${wanted} bytes gave ${filled}`)
  return gathered
}
