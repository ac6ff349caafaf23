/** The bytes that are stored: the same in every run, and not compressible. */
import { createCipheriv } from 'node:crypto'

const mib = 1024 * 1024
export const smallBytes = 4 * 1024
export const mediumBytes = mib
export const largeBytes = 64 * mib
export const partBytes = 16 * mib
export const partCount = 16
export const listKeys = 1000

export function payload(bytes: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16)).update(Buffer.alloc(bytes))
}
