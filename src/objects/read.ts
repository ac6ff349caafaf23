/** Finding versions, and their bytes on the way out: rows before bytes, every byte verified before it passes on. */
import type { Steps } from '../metadata/steps.ts'
import { partsOf } from '../metadata/tables/uploads.ts'
import { newestVersion, versionById, versionByOrderedId } from '../metadata/tables/version-rows.ts'
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { partNumberMax } from '../model/limits.ts'
import { type ByteRange, rangeLength } from '../model/ranges.ts'
import { segmentOfRef } from '../model/segments.ts'
import { type ObjectVersion, type Part, publicVersionId } from '../model/version.ts'
import type { ObjectParts } from './parts.ts'
import { openDataKey } from './seals.ts'
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
  constructor() {
    super('InternalError', {
      message: 'The stored content of this version is damaged. Other versions, and its replicas in other regions, are not concerned.',
    })
    this.name = 'ContentDamaged'
  }
}

/** The same version, whose bytes stand elsewhere now: compaction copied them. */
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
 * @throws ContentGone; ContentDamaged; BlobCorrupt | BlobMissing when the disk does not hold what was written
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
  if (version.isDamaged === true) throw new ContentDamaged()
  const range = options.range ?? { start: 0, endInclusive: version.size - 1 }
  if (rangeLength(range) === 0) return Buffer.alloc(0)
  const layout = await partLayout(parts, version)
  const pieces = layout === undefined ? [wholePiece(parts, version, range)] : partPieces(parts, { version, layout, range })
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
  return readPieces(parts, { pieces, release, options })
}

async function readSmall(
  parts: ObjectParts,
  version: ObjectVersion,
  { piece, signal }: { readonly piece: Piece; readonly signal: AbortSignal },
): Promise<Buffer> {
  try {
    return await parts.blobs.readWhole(piece.blob, { ...piece, signal })
  } catch (error) {
    // Only an unchanged reference is rot.
    if (!signal.aborted) await checkUnchanged(parts, version, [piece])
    throw asUnavailable(error)
  }
}

/** @throws ContentGone, ContentMoved */
async function checkUnchanged({ metadata }: ObjectParts, version: ObjectVersion, pieces: readonly Piece[]): Promise<void> {
  const { standing, isMoved } = await metadata.read(function* () {
    const standing = yield* versionByOrderedId(version.bucketId, version.key, version.id)
    if (standing === undefined) return { standing, isMoved: false }
    if (standing.blob !== version.blob) return { standing, isMoved: true }
    return { standing, isMoved: yield* isPartMoved(pieces, standing) }
  })
  if (standing === undefined || standing.blobSet !== version.blobSet) throw new ContentGone()
  if (isMoved) throw new ContentMoved(standing)
}

function* isPartMoved(pieces: readonly Piece[], { blobSet }: ObjectVersion): Steps<boolean> {
  for (const { partNumber, blob } of pieces) {
    // Only small blobs are ever moved, and few parts are small.
    if (blobSet === undefined || partNumber === undefined || segmentOfRef(blob) === undefined) continue
    const [part] = yield* partsOf(blobSet, { afterNumber: partNumber - 1, limit: 1 })
    if (part?.blob !== blob) return true
  }
  return false
}

/** A range of one blob, with what opens it. */
interface Piece {
  readonly blob: string
  /** Of a multipart version. */
  readonly partNumber?: number
  readonly lengthBytes: number
  readonly dataKey: Buffer | undefined
  readonly range: ByteRange
}

async function* readPieces(
  { blobs }: ObjectParts,
  of: { readonly pieces: readonly Piece[]; readonly release: () => void; readonly options: ReadContentOptions },
): AsyncGenerator<Buffer> {
  const { signal, reuseBuffers = false } = of.options
  try {
    for (const piece of of.pieces) yield* blobs.read(piece.blob, { ...piece, signal, reuseBuffers })
  } catch (error) {
    throw asUnavailable(error)
  } finally {
    // A signal may live as long as the region: what listens to it must not.
    signal.removeEventListener('abort', of.release)
    of.release()
  }
}

function wholePiece({ keyring }: ObjectParts, version: ObjectVersion, range: ByteRange): Piece {
  const { bucketId, key, id, record } = version
  if (version.blob === undefined) throw new Error(`version ${id} has neither blob nor parts`)
  return {
    blob: version.blob,
    lengthBytes: version.size,
    range,
    dataKey:
      record.encryption === undefined
        ? undefined
        : openDataKey(keyring, record.encryption, { kind: 'version', bucketId, key, versionId: id }),
  }
}

function partPieces(
  parts: ObjectParts,
  of: { readonly version: ObjectVersion; readonly layout: readonly Part[]; readonly range: ByteRange },
): readonly Piece[] {
  const pieces: Piece[] = []
  let begin = 0
  for (const part of of.layout) {
    const start = Math.max(of.range.start - begin, 0)
    const endInclusive = Math.min(of.range.endInclusive - begin, part.size - 1)
    if (start <= endInclusive) pieces.push(partPiece(parts, { version: of.version, part, range: { start, endInclusive } }))
    begin += part.size
  }
  return pieces
}

function partPiece(
  { keyring }: ObjectParts,
  { version, part, range }: { readonly version: ObjectVersion; readonly part: Part; readonly range: ByteRange },
): Piece {
  const { bucketId, key, blobSet = '' } = version
  return {
    blob: part.blob,
    partNumber: part.number,
    lengthBytes: part.size,
    range,
    dataKey:
      part.encryption === undefined
        ? undefined
        : openDataKey(keyring, part.encryption, { kind: 'part', bucketId, key, blobSet, number: part.number }),
  }
}
