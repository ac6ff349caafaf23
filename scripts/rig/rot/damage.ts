/** What rot does to a file, and how it is made good again. The file stays the same one, so that descriptors in use see it too. */
import { existsSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import type { Random } from '../../../test/limits/random.ts'

export const pageBytes = 4096

/** swap: two of its pages · exchange: its bytes are another file's, and the other's are its own */
export type DamageKind = 'bit' | 'zeros' | 'noise' | 'swap' | 'cut' | 'exchange' | 'gone'

export interface Damage {
  /** In words. */
  readonly what: string
  undo(): void
}

export interface Damaging {
  readonly kind: DamageKind
  readonly path: string
  /** For an exchange. */
  readonly other: string
  readonly random: Random
}

export function damage({ kind, path, other, random }: Damaging): Damage {
  const before = readFileSync(path)
  const otherBefore = kind === 'exchange' ? readFileSync(other) : undefined
  const undo = (): void => {
    overwrite(path, before)
    if (otherBefore !== undefined) overwrite(other, otherBefore)
  }
  if (kind === 'gone') {
    unlinkSync(path)
    return { what: `${path} gone`, undo }
  }
  if (otherBefore !== undefined) {
    overwrite(path, otherBefore)
    overwrite(other, before)
    return { what: `${path} and ${other} exchanged`, undo }
  }
  const { bytes, where } = damaged(kind, before, random)
  overwrite(path, bytes)
  return { what: `${kind} in ${path} at ${where} of ${before.length}`, undo }
}

function damaged(kind: DamageKind, before: Buffer, random: Random): { readonly bytes: Buffer; readonly where: string } {
  const bytes = Buffer.from(before)
  // What was written ahead as zeros holds nothing that could rot.
  const usedBytes = Math.max(1, bytes.findLastIndex((byte) => byte !== 0) + 1)
  const at = random.below(usedBytes)
  const page = at - (at % pageBytes)
  switch (kind) {
    case 'zeros':
      bytes.fill(0, page, Math.min(page + pageBytes, bytes.length))
      return { bytes, where: String(page) }
    case 'noise':
      random.bytes(Math.min(pageBytes, bytes.length - page)).copy(bytes, page)
      return { bytes, where: String(page) }
    case 'swap': {
      const with_ = pageBytes * random.below(Math.ceil(usedBytes / pageBytes))
      before.copy(bytes, page, with_, with_ + pageBytes)
      before.copy(bytes, with_, page, page + pageBytes)
      return { bytes: bytes.subarray(0, before.length), where: `${page} and ${with_}` }
    }
    case 'cut':
      return { bytes: bytes.subarray(0, at), where: String(at) }
    default:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
      return { bytes, where: String(at) }
  }
}

function overwrite(path: string, bytes: Buffer): void {
  writeFileSync(path, bytes, { flag: existsSync(path) ? 'r+' : 'w', mode: 0o600 })
  truncateSync(path, bytes.length)
}
