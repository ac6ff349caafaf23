/**
 * A large blob's file:
 *
 *     data, in blocks of 64 KiB | table: [ tag 16 ] crc32 4, for each block | footer: format 1, flags 1, zero 2, length 8, crc32 4
 *
 * Numbers are big-endian. The data stands at its own offsets (encryption keeps lengths: tags are in the table), so a range is where one
 * expects it. Each CRC32 is seeded with the blob's ref and the block's number: two swapped files, or two swapped blocks, do not check.
 */
import { crc32 } from 'node:zlib'
import { type FrameCipher, tagBytes } from '../lib/frame-cipher.ts'
import { blockBytes, blockCount } from './frames.ts'
import type { BlobRef } from './ref.ts'

const format = 1
const encryptedFlag = 1
const crcBytes = 4
const footerCrcAt = 12
const footerBytes = 16

export interface Layout {
  readonly blocks: number
  readonly entryBytes: number
  readonly tableAt: number
  readonly footerAt: number
  readonly storedBytes: number
}

export function layoutOf({ lengthBytes, isEncrypted }: { lengthBytes: number; isEncrypted: boolean }): Layout {
  const blocks = blockCount(lengthBytes)
  const entryBytes = entryBytesOf(isEncrypted)
  const footerAt = lengthBytes + blocks * entryBytes
  return { blocks, entryBytes, tableAt: lengthBytes, footerAt, storedBytes: footerAt + footerBytes }
}

export function entryBytesOf(isEncrypted: boolean): number {
  return (isEncrypted ? tagBytes : 0) + crcBytes
}

export interface BlockPlace {
  readonly ref: BlobRef
  readonly number: number
  readonly isLast: boolean
}

/** Encrypts the block where it stands, if there is a cipher, and fills its table entry. */
export function sealBlock(block: Buffer, entry: Buffer, place: BlockPlace, cipher: FrameCipher | undefined): void {
  const tag = entry.subarray(0, entry.length - crcBytes)
  cipher?.seal(place, block, tag)
  entry.writeUInt32BE(blockCrc(block, tag, place), tag.length)
}

/** Checks the block and decrypts it where it stands. Undefined: all is well; otherwise the reason. */
export function openBlock(block: Buffer, entry: Buffer, place: BlockPlace, cipher: FrameCipher | undefined): string | undefined {
  const tag = entry.subarray(0, entry.length - crcBytes)
  if (entry.readUInt32BE(tag.length) !== blockCrc(block, tag, place)) return 'the checksum does not match'
  if (cipher === undefined || cipher.open(place, block, tag)) return undefined
  return 'the bytes are not what was encrypted, or the key is another'
}

export function footerOf({ ref, lengthBytes, isEncrypted }: { ref: BlobRef; lengthBytes: number; isEncrypted: boolean }): Buffer {
  const footer = Buffer.alloc(footerBytes)
  footer[0] = format
  footer[1] = isEncrypted ? encryptedFlag : 0
  footer.writeBigUInt64BE(BigInt(lengthBytes), 4)
  footer.writeUInt32BE(crc32(footer.subarray(0, footerCrcAt), crc32(ref)), footerCrcAt)
  return footer
}

/** First block and last block that hold a range of bytes, both included. */
export function blocksOf({ start, endInclusive }: { start: number; endInclusive: number }): { first: number; last: number } {
  return { first: Math.floor(start / blockBytes), last: Math.floor(endInclusive / blockBytes) }
}

function blockCrc(block: Buffer, tag: Buffer, { ref, number }: BlockPlace): number {
  return crc32(tag, crc32(block, crc32(`${ref}/${number}`)))
}
