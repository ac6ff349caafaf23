/**
 * Names of blobs in tiers: `t<tier>.<boot>-<random id>`, 8 and 32 hex digits. They sort behind all refs of the region's own disk, so that rows and queries
 * tell them apart.
 */

const pattern = /^t([a-z0-9-]{1,32})\.[0-9a-f]{8}-[0-9a-f]{32}$/

export const tierNamePattern = /^[a-z0-9-]{1,32}$/

/** @param randomId  32 hex digits */
export function tierRef(tier: string, of: { readonly boot: number; readonly randomId: string }): string {
  return `t${tier}.${of.boot.toString(16).padStart(8, '0')}-${of.randomId}`
}

/** The text that all refs of one tier begin with, and no others. */
export function tierRefPrefix(tier: string): string {
  return `t${tier}.`
}

/** The tier's name, or undefined when the blob is on the region's own disk. */
export function tierOfRef(ref: string): string | undefined {
  return pattern.exec(ref)?.[1]
}
