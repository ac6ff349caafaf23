/** Finding versions, and their bytes on the way out: rows before bytes, every byte verified before it passes on. */
import { BlobCorrupt, BlobMissing } from '../blobs/errors.ts'
import type { Steps } from '../metadata/steps.ts'
import { partsOf } from '../metadata/tables/uploads.ts'
import { newestVersion, versionById, versionByOrderedId } from '../metadata/tables/version-rows.ts'
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { partNumberMax } from '../model/limits.ts'
import { type ByteRange, rangeLength } from '../model/ranges.ts'
import { notRestored } from '../model/restore.ts'
import { segmentOfRef } from '../model/segments.ts'
import { type ObjectVersion, type Part, publicVersionId } from '../model/version.ts'
import { TierCorrupt, TierMissing } from '../tiers/errors.ts'
import { markBrokenPieces } from './broken.ts'
import { contentSet, isReadFromCopy, type Piece, partPieces, piecesLength, wholePiece } from './content-pieces.ts'
import type { ObjectParts } from './parts.ts'
import { storedBytes } from './stored-bytes.ts'
import { asUnavailable } from './unavailable.ts'

/** Which version: without an id the current one. */
export interface VersionAddress {
  readonly bucket: Bucket
  readonly key: string
  /** As clients write it: `null` or an ordered id. */
  readonly versionId?: string | undefined
}

/**
 * The version that a GET or HEAD is about.
 * @throws S3Error NoSuchKey, NoSuchVersion, MethodNotAllowed (a delete marker by its id), with the headers that tell of a marker
 */
export async function findVersion({ metadata }: ObjectParts, address: VersionAddress): Promise<ObjectVersion> {
  const { key, versionId } = address
  const version = await anyVersion({ metadata }, address)
  if (version === undefined) {
    throw versionId === undefined
      ? new S3Error('NoSuchKey', { details: { Key: key } })
      : new S3Error('NoSuchVersion', { details: { Key: key, VersionId: versionId } })
  }
  if (!version.isDeleteMarker) return version
  const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': publicVersionId(version) }
  if (versionId === undefined) throw new S3Error('NoSuchKey', { details: { Key: key }, headers })
  throw new S3Error('MethodNotAllowed', {
    details: { ResourceType: 'DeleteMarker' },
    headers: { ...headers, allow: 'DELETE', 'last-modified': new Date(version.lastModifiedMs).toUTCString() },
  })
}

/** A version, whatever it is; undefined: there is none. */
export async function anyVersion(
  { metadata }: Pick<ObjectParts, 'metadata'>,
  { bucket, key, versionId }: VersionAddress,
): Promise<ObjectVersion | undefined> {
  return await metadata.read(() => (versionId === undefined ? newestVersion(bucket.id, key) : versionById(bucket.id, key, versionId)))
}

/** The newest version of a key, whatever it is: what the conditions of a write are judged by before its body is read. */
export async function currentVersion({ metadata }: ObjectParts, { bucket, key }: VersionAddress): Promise<ObjectVersion | undefined> {
  return await metadata.read(() => newestVersion(bucket.id, key))
}

/** The null version of a key, a marker too: its place among the others is told by its row alone. */
export async function nullVersion({ metadata }: ObjectParts, { bucket, key }: VersionAddress): Promise<ObjectVersion | undefined> {
  return await metadata.read(() => versionById(bucket.id, key, 'null'))
}

/** The parts of a multipart version in their order; undefined for one that was not made of parts. */
export async function partLayout({ metadata }: ObjectParts, version: ObjectVersion): Promise<readonly Part[] | undefined> {
  const { blobSet } = version
  if (blobSet === undefined) return undefined
  return await metadata.read(() => partsOf(blobSet, { afterNumber: 0, limit: partNumberMax }))
}

/** Whole small objects go out in one buffer: up to here. */
const wholeMaxBytes = 128 * 1024

export interface ReadContentOptions {
  readonly range?: ByteRange | undefined
  readonly signal: AbortSignal
  /** The fast way for a reader that is done with a piece before it asks for the next: pieces are overwritten then. */
  readonly reuseBuffers?: boolean
}

/** The version was deleted or overwritten between finding its row and opening its bytes: find it again. */
export class ContentGone extends Error {
  override readonly name = 'ContentGone'
}

/** The version's content was found to be not what was written. Whoever asks is told so before the first byte. */
export class ContentDamaged extends S3Error {
  constructor(options: { readonly cause?: unknown } = {}) {
    super('InternalError', {
      ...options,
      message: 'The stored content of this version is damaged. Other versions, and its replicas in other regions, are not concerned.',
    })
    this.name = 'ContentDamaged'
  }
}

/** The same version, whose bytes stand elsewhere now: compaction copied them, or they went to a tier. */
class ContentMoved extends Error {
  readonly standing: ObjectVersion

  constructor(standing: ObjectVersion) {
    super(`the content of version ${standing.id} was moved`)
    this.name = 'ContentMoved'
    this.standing = standing
  }
}

/** Between two moves of one blob a segment fills, so that a second one is chance enough. */
const movesMax = 10

/**
 * The bytes of a version, or of a range of it. They stay readable to the end although the version is deleted meanwhile.
 * @returns one buffer for what is small; otherwise pieces, to be read to the end or returned
 * @throws ContentGone; ContentDamaged; BlobCorrupt | BlobMissing when the disk does not hold what was written; S3Error InvalidObjectState (archived, and
 *   not restored) | ServiceUnavailable (its tier cannot be reached)
 */
export async function openContent(
  parts: ObjectParts,
  version: ObjectVersion,
  options: ReadContentOptions,
): Promise<Buffer | AsyncIterable<Buffer>> {
  let standing = version
  for (let attempt = 1; ; attempt++) {
    try {
      return await openStanding(parts, standing, options)
    } catch (error) {
      if (!(error instanceof ContentMoved) || attempt === movesMax) throw error
      standing = error.standing
    }
  }
}

async function openStanding(
  parts: ObjectParts,
  version: ObjectVersion,
  options: ReadContentOptions,
): Promise<Buffer | AsyncIterable<Buffer>> {
  const nowMs = parts.clock.nowMs()
  // The mark is about a version's own bytes: a copy of them may be all that is left.
  if (version.isDamaged === true && !isReadFromCopy(version, nowMs)) throw new ContentDamaged()
  const blobSet = contentSet(version, nowMs)
  const range = options.range ?? { start: 0, endInclusive: version.size - 1 }
  if (rangeLength(range) === 0) return Buffer.alloc(0)
  const pieces = await piecesOf(parts, { version, blobSet, range })
  const [only] = pieces
  if (only !== undefined && pieces.length === 1 && rangeLength(only.range) <= wholeMaxBytes) {
    return await readSmall(parts, version, { piece: only, signal: options.signal })
  }
  const release = parts.readers.pin(pieces.map(({ blob }) => blob))
  try {
    // Pinned now, so what the row still refers to stays; what it no longer refers to may be gone already.
    await checkUnchanged(parts, version, pieces)
  } catch (error) {
    release()
    throw error
  }
  // A generator that is never begun has no end of its own.
  options.signal.addEventListener('abort', release, { once: true })
  if (options.signal.aborted) release()
  return readPieces(parts, version, { pieces, release, options })
}

/** @throws ContentGone when the rows are no longer there: the days of a temporary copy were over, or the version went */
async function piecesOf(
  { metadata, keyring }: ObjectParts,
  { version, blobSet, range }: { readonly version: ObjectVersion; readonly blobSet: string | undefined; readonly range: ByteRange },
): Promise<readonly Piece[]> {
  if (blobSet === undefined) return [wholePiece(keyring, { version, range })]
  const layout = await metadata.read(() => partsOf(blobSet, { afterNumber: 0, limit: partNumberMax }))
  const pieces = partPieces(keyring, { version, range, blobSet, layout })
  if (piecesLength(pieces) !== rangeLength(range)) throw new ContentGone()
  return pieces
}

async function readSmall(
  parts: ObjectParts,
  version: ObjectVersion,
  { piece, signal }: { readonly piece: Piece; readonly signal: AbortSignal },
): Promise<Buffer> {
  try {
    return await storedBytes(parts).readWhole(piece.blob, { ...piece, signal })
  } catch (error) {
    // Only an unchanged reference is rot.
    if (!signal.aborted) await checkUnchanged(parts, version, [piece])
    throw await whatItMeans(parts, version, { piece, error })
  }
}

/** @throws ContentGone, ContentMoved */
async function checkUnchanged({ metadata, clock }: ObjectParts, version: ObjectVersion, pieces: readonly Piece[]): Promise<void> {
  const { standing, isMoved } = await metadata.read(function* () {
    const standing = yield* versionByOrderedId(version.bucketId, version.key, version.id)
    if (standing === undefined) return { standing, isMoved: false }
    // Compaction leaves `seq` alone, and moves nothing but small blobs; whatever else moves bytes raises it.
    const isSame = standing.seq === version.seq
    return { standing, isMoved: standing.blob !== version.blob || (yield* isPartMoved(pieces, isSame)) }
  })
  if (standing === undefined || standing.blobSet !== version.blobSet) throw new ContentGone()
  if (standing.seq !== version.seq && contentSet(standing, clock.nowMs()) !== contentSet(version, clock.nowMs()))
    throw new ContentMoved(standing)
  if (isMoved) throw new ContentMoved(standing)
}

function* isPartMoved(pieces: readonly Piece[], isSmallAlone: boolean): Steps<boolean> {
  for (const { part, blob } of pieces) {
    // Few parts are small.
    if (part === undefined || (isSmallAlone && segmentOfRef(blob) === undefined)) continue
    const [row] = yield* partsOf(part.blobSet, { afterNumber: part.number - 1, limit: 1 })
    if (row?.blob !== blob) return true
  }
  return false
}

async function* readPieces(
  parts: ObjectParts,
  version: ObjectVersion,
  of: { readonly pieces: readonly Piece[]; readonly release: () => void; readonly options: ReadContentOptions },
): AsyncGenerator<Buffer> {
  const { signal, reuseBuffers = false } = of.options
  const bytes = storedBytes(parts)
  let piece: Piece | undefined
  try {
    for (piece of of.pieces) yield* bytes.read(piece.blob, { ...piece, signal, reuseBuffers })
  } catch (error) {
    throw piece === undefined ? error : await whatItMeans(parts, version, { piece, error })
  } finally {
    // A signal may live as long as the region: what listens to it must not.
    signal.removeEventListener('abort', of.release)
    of.release()
  }
}

/** What a tier does not hold as it was written is lost for everybody: the version is marked, as the scrubber marks what the disk lost. A copy that rots goes. */
async function whatItMeans(
  { metadata }: ObjectParts,
  version: ObjectVersion,
  { piece, error }: { readonly piece: Piece; readonly error: unknown },
): Promise<unknown> {
  const { part, blob } = piece
  const { restore } = version.record
  if (
    (error instanceof BlobCorrupt || error instanceof BlobMissing) &&
    restore?.state === 'restored' &&
    part?.blobSet === restore.blobSet
  ) {
    // The tier has what it was made of: it goes, and can be made again.
    await metadata.commit({ tx: 'dropCopy', bucketId: version.bucketId, key: version.key, id: version.id, ...part, blob })
    return notRestored(version)
  }
  if (!(error instanceof TierCorrupt || error instanceof TierMissing)) return asUnavailable(error)
  await markBrokenPieces(metadata, version, [{ blob, part: part?.number ?? 0, reason: error.message }])
  return new ContentDamaged({ cause: error })
}
