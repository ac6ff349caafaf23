/**
 * A small blob inside a segment:
 *
 *     format 1 | flags 1 | zero 2 | length 4 | crc32 4 | [ record id 16 | tag 16 × frames ] | payload
 *
 * Numbers are big-endian. The CRC32 is seeded with the record's ref (segment and offset) and covers everything but itself: a record that is
 * read from another place than where it was written does not check.
 */
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { dataKeyBytes, frameCipher, tagBytes } from '../lib/frame-cipher.ts'
import { BlobCorrupt } from './errors.ts'
import { blockBytes, blockCount } from './frames.ts'
import type { BlobRef } from './ref.ts'

const format = 1
const encryptedFlag = 1
export const headerBytes = 12
const crcAt = 8
const idBytes = 16

/** A record that only lacks its place. */
export interface BlobRecord {
  readonly lengthBytes: number
  readonly storedBytes: number
  /** Record id and tags of an encrypted one, else empty. */
  readonly prefix: Buffer
  readonly payload: Uint8Array
}

export function plainRecord(payload: Uint8Array): BlobRecord {
  return { lengthBytes: payload.byteLength, storedBytes: headerBytes + payload.byteLength, prefix: noPrefix, payload }
}

const noPrefix = Buffer.alloc(0)

/** Encrypts a copy of `plain` under a new key. */
export function encryptedRecord(plain: Uint8Array): { record: BlobRecord; dataKey: Buffer } {
  const random = randomBytes(idBytes + dataKeyBytes)
  const id = random.subarray(0, idBytes)
  const dataKey = random.subarray(idBytes)
  const frames = blockCount(plain.byteLength)
  const prefix = Buffer.allocUnsafe(idBytes + frames * tagBytes)
  id.copy(prefix)
  const payload = Buffer.from(plain)
  const cipher = frameCipher({ dataKey, id })
  for (let number = 0; number < frames; number += 1) {
    cipher.seal({ number, isLast: number === frames - 1 }, blockOf(payload, number), tagOf(prefix, number))
  }
  const storedBytes = headerBytes + prefix.length + payload.length
  return { record: { lengthBytes: payload.length, storedBytes, prefix, payload }, dataKey }
}

/** Writes a record for its place into the group that is about to go to the disk. */
export function encodeRecord(record: BlobRecord, place: { ref: BlobRef; into: Buffer; at: number }): void {
  const { into, at } = place
  into.writeUInt32BE((format << 24) | (record.prefix.length === 0 ? 0 : encryptedFlag << 16), at)
  into.writeUInt32BE(record.lengthBytes, at + 4)
  into.set(record.prefix, at + headerBytes)
  into.set(record.payload, at + headerBytes + record.prefix.length)
  into.writeUInt32BE(crcOf(into.subarray(at, at + record.storedBytes), place.ref), at + crcAt)
}

/** Bytes that a record takes in its segment. */
export function recordBytes({ lengthBytes, isEncrypted }: { lengthBytes: number; isEncrypted: boolean }): number {
  return headerBytes + lengthBytes + (isEncrypted ? idBytes + blockCount(lengthBytes) * tagBytes : 0)
}

/**
 * The verified plaintext of a record, a view of `bytes`.
 * @throws BlobCorrupt
 */
export function decodeRecord(bytes: Buffer, expected: { ref: BlobRef; lengthBytes: number; dataKey: Uint8Array | undefined }): Buffer {
  const { ref, lengthBytes, dataKey } = expected
  if (bytes.readUInt32BE(crcAt) !== crcOf(bytes, ref)) throw new BlobCorrupt({ ref, reason: 'the checksum does not match' })
  if (bytes[0] !== format) throw new BlobCorrupt({ ref, reason: `format ${bytes[0]} is not known` })
  const isEncrypted = bytes[1] === encryptedFlag
  if (isEncrypted !== (dataKey !== undefined))
    throw new BlobCorrupt({ ref, reason: isEncrypted ? 'it is encrypted' : 'it is not encrypted' })
  if (bytes.readUInt32BE(4) !== lengthBytes) throw new BlobCorrupt({ ref, reason: 'the length is another' })
  if (dataKey === undefined) return bytes.subarray(headerBytes)
  const frames = blockCount(lengthBytes)
  const prefix = bytes.subarray(headerBytes, headerBytes + idBytes + frames * tagBytes)
  const payload = bytes.subarray(headerBytes + prefix.length)
  const cipher = frameCipher({ dataKey, id: prefix.subarray(0, idBytes) })
  for (let number = 0; number < frames; number += 1) {
    if (!cipher.open({ number, isLast: number === frames - 1 }, blockOf(payload, number), tagOf(prefix, number))) {
      throw new BlobCorrupt({ ref, block: number, reason: 'the bytes are not what was encrypted, or the key is another' })
    }
  }
  return payload
}

/** Length of the whole record whose header this is; undefined when it is no header of ours. */
export function recordBytesOf(header: Buffer): number | undefined {
  if (header[0] !== format || (header[1] !== 0 && header[1] !== encryptedFlag)) return undefined
  return recordBytes({ lengthBytes: header.readUInt32BE(4), isEncrypted: header[1] === encryptedFlag })
}

/**
 * A record taken from its place, verified, to be put in another. Its payload stays as it is: what an encrypted one is sealed to is its own id,
 * which goes with it, and not its place.
 * @throws BlobCorrupt
 */
export function takenRecord(bytes: Buffer, ref: BlobRef): BlobRecord {
  if (bytes.readUInt32BE(crcAt) !== crcOf(bytes, ref)) throw new BlobCorrupt({ ref, reason: 'the checksum does not match' })
  const lengthBytes = bytes.readUInt32BE(4)
  const prefixBytes = bytes.length - headerBytes - lengthBytes
  return {
    lengthBytes,
    storedBytes: bytes.length,
    prefix: bytes.subarray(headerBytes, headerBytes + prefixBytes),
    payload: bytes.subarray(headerBytes + prefixBytes),
  }
}

function crcOf(record: Buffer, ref: BlobRef): number {
  return crc32(record.subarray(headerBytes), crc32(record.subarray(0, crcAt), crc32(ref)))
}

function blockOf(payload: Buffer, number: number): Buffer {
  return payload.subarray(number * blockBytes, (number + 1) * blockBytes)
}

function tagOf(prefix: Buffer, number: number): Buffer {
  return prefix.subarray(idBytes + number * tagBytes, idBytes + (number + 1) * tagBytes)
}
