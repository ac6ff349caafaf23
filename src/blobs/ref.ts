/**
 * Names of blobs. A record in a segment: `s<boot>-<segment>-<offset>`, each 8 hex digits, so that text order is (boot, segment, offset)
 * order. A file: `f<boot>-<random id>`, 8 and 32 hex digits.
 */

/** Opaque text for whoever keeps it in a row. */
export type BlobRef = string

export interface SegmentId {
  readonly boot: number
  readonly segment: number
}

export type Place =
  | { readonly kind: 'record'; readonly boot: number; readonly segment: number; readonly offset: number }
  | { readonly kind: 'file'; readonly boot: number; readonly id: string }

/** The largest boot number that a name has room for. */
export const bootMax = 0xffff_ffff

const recordPattern = /^s([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{8})$/
const filePattern = /^f([0-9a-f]{8})-([0-9a-f]{32})$/
const segmentFilePattern = /^([0-9a-f]{8})-([0-9a-f]{8})$/
const blobFilePattern = /^([0-9a-f]{8})-([0-9a-f]{32})$/

/** What a ref says, or undefined when the text is no ref. */
export function placeOf(ref: BlobRef): Place | undefined {
  const record = recordPattern.exec(ref)
  if (record !== null) return { kind: 'record', boot: number(record[1]), segment: number(record[2]), offset: number(record[3]) }
  const file = filePattern.exec(ref)
  if (file !== null) return { kind: 'file', boot: number(file[1]), id: file[2] ?? '' }
  return undefined
}

export function recordRef(id: SegmentId, offset: number): BlobRef {
  return `s${segmentFileName(id)}-${hex(offset)}`
}

export function fileRef(name: { boot: number; id: string }): BlobRef {
  return `f${blobFileName(name)}`
}

/** The text that the refs of all records in one segment begin with, and no others. */
export function segmentPrefix(id: SegmentId): string {
  return `s${segmentFileName(id)}-`
}

export function segmentFileName({ boot, segment }: SegmentId): string {
  return `${hex(boot)}-${hex(segment)}`
}

export function blobFileName({ boot, id }: { boot: number; id: string }): string {
  return `${hex(boot)}-${id}`
}

/** The folder below `files/` that holds a file. */
export function folderOf(id: string): string {
  return id.slice(0, 2)
}

export function segmentOfFileName(name: string): SegmentId | undefined {
  const match = segmentFilePattern.exec(name)
  return match === null ? undefined : { boot: number(match[1]), segment: number(match[2]) }
}

export function blobOfFileName(name: string): { readonly boot: number; readonly id: string } | undefined {
  const match = blobFilePattern.exec(name)
  return match === null ? undefined : { boot: number(match[1]), id: match[2] ?? '' }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}

function number(text: string | undefined): number {
  return Number.parseInt(text ?? '', 16)
}
