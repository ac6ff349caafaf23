/** Names and secrets of chance. */
import { randomInt } from 'node:crypto'

/** RFC 4648's base32: what AWS's ids are made of, and some clients look at. */
export const base32Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
export const alphanumerics = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Each letter is as likely as any other, and cannot be foretold. */
export function randomText(length: number, letters: string): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('')
}
