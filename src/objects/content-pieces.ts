/** Of which blobs the bytes of a version, or of a range of it, are made: its own, or those of the temporary copy of an archived one. */
import type { Keyring } from '../blobs/seal.ts'
import { type ByteRange, rangeLength } from '../model/ranges.ts'
import { notRestored, readableCopy } from '../model/restore.ts'
import { needsRestore } from '../model/storage-class.ts'
import type { ObjectVersion, Part } from '../model/version.ts'
import { openDataKey } from './seals.ts'

/** A range of one blob, with what opens it. */
export interface Piece {
  readonly blob: string
  /** Where the blob's row is, when it is one of `parts`. */
  readonly part?: { readonly blobSet: string; readonly number: number }
  readonly lengthBytes: number
  readonly dataKey: Buffer | undefined
  readonly range: ByteRange
}

/**
 * The rows of `parts` that hold a version's content; undefined: the version's own row does.
 * @throws S3Error InvalidObjectState when it is archived and not restored
 */
export function contentSet(version: ObjectVersion, nowMs: number): string | undefined {
  if (!needsRestore(version.storageClass)) return version.blobSet
  const copy = readableCopy(version, nowMs)
  if (copy === undefined) throw notRestored(version)
  return copy.blobSet
}

/** Whether a version's bytes are read from its temporary copy, and not from where its class belongs. */
export function isReadFromCopy(version: ObjectVersion, nowMs: number): boolean {
  return needsRestore(version.storageClass) && readableCopy(version, nowMs) !== undefined
}

interface Wanted {
  readonly version: ObjectVersion
  readonly range: ByteRange
}

/** Of a version whose own row holds its content. */
export function wholePiece(keyring: Keyring, { version, range }: Wanted): Piece {
  const { bucketId, key, id, record, blob, size } = version
  if (blob === undefined) throw new Error(`version ${id} has neither blob nor parts`)
  const dataKey =
    record.encryption === undefined ? undefined : openDataKey(keyring, record.encryption, { kind: 'version', bucketId, key, versionId: id })
  return { blob, lengthBytes: size, range, dataKey }
}

/** Of a version whose content these rows hold. */
export function partPieces(
  keyring: Keyring,
  { version, range, blobSet, layout }: Wanted & { readonly blobSet: string; readonly layout: readonly Part[] },
): readonly Piece[] {
  const { bucketId, key } = version
  const pieces: Piece[] = []
  let begin = 0
  for (const { number, blob, size, encryption } of layout) {
    const start = Math.max(range.start - begin, 0)
    const endInclusive = Math.min(range.endInclusive - begin, size - 1)
    begin += size
    if (start > endInclusive) continue
    const dataKey =
      encryption === undefined ? undefined : openDataKey(keyring, encryption, { kind: 'part', bucketId, key, blobSet, number })
    pieces.push({ blob, part: { blobSet, number }, lengthBytes: size, range: { start, endInclusive }, dataKey })
  }
  return pieces
}

export function piecesLength(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { range }) => sum + rangeLength(range), 0)
}
