/**
 * Encryption in frames: AES-256-GCM under a key that one blob alone has, so that a range costs only its frames. The frame's number is the nonce; the
 * blob's identity, frame number and last-flag are authenticated with it, so that a frame moved, swapped or cut off is found.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'

export const tagBytes = 16
export const dataKeyBytes = 32
const algorithm = 'aes-256-gcm'
const nonceBytes = 12

interface Frame {
  readonly number: number
  readonly isLast: boolean
}

export interface FrameCipher {
  /** Turns `block` into ciphertext where it stands, and writes the tag. */
  seal(frame: Frame, block: Buffer, tag: Buffer): void
  /** Turns `block` into plaintext where it stands. False: it is not what was sealed; `block` is then as it was. */
  open(frame: Frame, block: Buffer, tag: Buffer): boolean
}

/** @param id  the blob's identity, bound into every frame */
export function frameCipher({ dataKey, id }: { dataKey: Uint8Array; id: Buffer }): FrameCipher {
  const key = createSecretKey(dataKey)
  return {
    seal(frame, block, tag) {
      const cipher = createCipheriv(algorithm, key, nonceOf(frame)).setAAD(associated(id, frame))
      cipher.update(block).copy(block)
      cipher.final()
      cipher.getAuthTag().copy(tag)
    },
    open: (frame, block, tag) => openFrame({ key, id, frame, block, tag }),
  }
}

function openFrame({ key, id, frame, block, tag }: { key: KeyObject; id: Buffer; frame: Frame; block: Buffer; tag: Buffer }): boolean {
  const decipher = createDecipheriv(algorithm, key, nonceOf(frame), { authTagLength: tagBytes })
    .setAAD(associated(id, frame))
    .setAuthTag(tag)
  const plain = decipher.update(block)
  try {
    decipher.final()
  } catch {
    return false
  }
  plain.copy(block)
  return true
}

function nonceOf({ number }: Frame): Buffer {
  const nonce = Buffer.alloc(nonceBytes)
  nonce.writeUInt32BE(number, nonceBytes - 4)
  return nonce
}

function associated(id: Buffer, { number, isLast }: Frame): Buffer {
  const bytes = Buffer.alloc(id.length + 5)
  id.copy(bytes)
  bytes.writeUInt32BE(number, id.length)
  bytes[id.length + 4] = isLast ? 1 : 0
  return bytes
}
