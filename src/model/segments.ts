/**
 * What rows may know of where bytes stand: small blobs share a segment, and the refs of one segment begin with the same text.
 * The blob store makes these names (`blobs/ref.ts`); everything else of a ref is its own business.
 */

/** `s`, two numbers of 8 hex digits, each with a hyphen behind it; the offset follows. */
const prefixLength = 19

/** The text that all refs of the segment of this blob begin with; undefined for a blob that has a file of its own. */
export function segmentOfRef(ref: string): string | undefined {
  return ref.startsWith('s') && ref.length > prefixLength ? ref.slice(0, prefixLength) : undefined
}
