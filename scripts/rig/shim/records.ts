/** What the shim wrote down, in the order in which it happened. */
import type { CallKind } from './control.ts'

/** Beside calls: E a sync that ended well, X one that was made to fail, F any call that was, A an answer to a client about to leave. */
export type RecordKind = CallKind | 'E' | 'X' | 'F' | 'A'

export interface ShimRecord {
  readonly kind: RecordKind
  /** Where it begins in the stream. */
  readonly at: number
  readonly path: string
  readonly ino: bigint
  /** Of a write; the length after a truncation; the number of a sync, the same at its end. */
  readonly offset: number
  readonly isFolder: boolean
  /** Bytes written, if it was told to keep them; the new path of a rename or link; the head of an answer. */
  readonly data: Buffer
}

/** NOTE: shim.c has the same layout. */
const headBytes = 32

/** The whole records of a stream from an offset on; one that a kill cut short at the end is left out. */
export function* recordsOf(stream: Buffer): Generator<ShimRecord> {
  let at = 0
  while (at + headBytes <= stream.length) {
    const kind = String.fromCharCode(stream.readUInt32LE(at)) as RecordKind // as the shim writes it
    const pathBytes = stream.readUInt32LE(at + 4)
    const dataBytes = stream.readUInt32LE(at + 24)
    const pathAt = at + headBytes
    const end = pathAt + pathBytes + dataBytes
    if (end > stream.length) return
    yield {
      kind,
      at,
      path: stream.toString('utf8', pathAt, pathAt + pathBytes),
      ino: stream.readBigUInt64LE(at + 8),
      offset: Number(stream.readBigUInt64LE(at + 16)),
      isFolder: stream.readUInt32LE(at + 28) === 1,
      data: stream.subarray(pathAt + pathBytes, end),
    }
    at = end
  }
}
