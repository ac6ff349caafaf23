/** One blob to another place: copied, read back from there in full, and checked against what its row says of it. */
import { tierOfRef } from '../model/tier-refs.ts'
import type { SealedEncryption } from '../model/version.ts'
import { type DescribedBlob, faultOfBlob } from '../objects/blob-proof.ts'
import { openDataKey, type SealBinding, sealDataKey } from '../objects/seals.ts'
import { storedBytes } from '../objects/stored-bytes.ts'
import type { TierStore } from '../tiers/store.ts'
import type { Work } from './parts.ts'

/** The blob to be copied does not read. `cause` says whether it is rotten or its place is away. */
export class SourceFailed extends Error {
  override readonly name = 'SourceFailed'
  readonly described: DescribedBlob
  readonly tier: string | undefined

  constructor(described: DescribedBlob, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.described = described
    this.tier = tierOfRef(described.blob)
  }
}

/** What was read back is not what was copied, and the source is well. */
export class CopyUnverified extends Error {
  override readonly name = 'CopyUnverified'
}

/** Read in words: it is rotten where it is. */
export class SourceBroken extends Error {
  override readonly name = 'SourceBroken'
  readonly described: DescribedBlob

  constructor(described: DescribedBlob, reason: string) {
    super(reason)
    this.described = described
  }
}

export interface CopiedBlob {
  readonly ref: string
  readonly encryption: SealedEncryption | undefined
}

export type Target =
  | { readonly kind: 'tier'; readonly tier: TierStore; readonly ref: string }
  /** `onWritten` is told of the new blob, which the caller removes when nothing comes of it. */
  | { readonly kind: 'disk'; readonly onWritten: (ref: string) => void }

/**
 * @param of.binding  what the new data key is sealed to
 * @throws SourceFailed | SourceBroken | CopyUnverified; of the target: the errors of `src/tiers/errors.ts`, DiskFull and others of the blob store; the signal's
 *   reason
 */
export async function copyBlob(
  work: Work,
  of: { readonly described: DescribedBlob; readonly target: Target; readonly binding: SealBinding; readonly signal: AbortSignal },
): Promise<CopiedBlob> {
  const { described, binding, signal } = of
  const written = await write(work, of)
  const encryption = written.dataKey === undefined ? undefined : sealDataKey(work.keyring, written.dataKey, binding)
  const proof = { hashing: work.hashing, keyring: work.keyring, blobs: storedBytes(work) }
  const copy: DescribedBlob = { ...described, blob: written.ref, encryption, binding }
  const fault = await faultOfBlob(proof, copy, { signal, pace: work.pace })
  if (fault === undefined) return { ref: written.ref, encryption }
  const atSource = await faultOfBlob(proof, described, { signal, pace: work.pace })
  if (atSource !== undefined) throw new SourceBroken(described, atSource)
  throw new CopyUnverified(`What was written was read back, and is not the same: ${fault}`)
}

async function write(
  work: Work,
  { described, target, signal }: Parameters<typeof copyBlob>[1],
): Promise<{ readonly ref: string; readonly dataKey?: Buffer }> {
  const options = { lengthBytes: described.sizeBytes, encrypt: described.encryption !== undefined, signal }
  const source = sourceOf(work, described, signal)
  if (target.kind === 'tier') return { ...(await target.tier.write(source, { ...options, ref: target.ref })), ref: target.ref }
  const written = await work.blobs.write(source, options)
  target.onWritten(written.ref)
  return written
}

async function* sourceOf(work: Work, described: DescribedBlob, signal: AbortSignal): AsyncGenerator<Buffer> {
  const { blob, sizeBytes: lengthBytes, encryption, binding } = described
  try {
    const dataKey = encryption === undefined ? undefined : openDataKey(work.keyring, encryption, binding)
    for await (const piece of storedBytes(work).read(blob, { lengthBytes, dataKey, signal })) {
      await work.pace.spend(piece.length, signal)
      yield piece
    }
  } catch (error) {
    throw signal.aborted ? error : new SourceFailed(described, error)
  }
}
