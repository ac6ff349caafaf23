/** Blobs are checked, and encrypted, in blocks of 64 KiB. */

/** Block and frame size, bytes. */
export const blockBytes = 64 * 1024

/** Blocks of a blob. An empty one has one (empty) block, so that its end is authenticated too. */
export function blockCount(lengthBytes: number): number {
  return Math.max(1, Math.ceil(lengthBytes / blockBytes))
}
