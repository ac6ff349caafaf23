/**
 * Seals data keys for their rows under the operator's master key. A seal binds what it belongs to (bucket id, key, version), so that a row
 * copied to another place opens nothing, and names the key that made it, so that a rotation can tell which rows are still to be sealed
 * anew.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'

const version = 'v1'
const masterKeyBytes = 32
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16
const keyIdBytes = 8

export interface Keyring {
  /** Hex name of the master key; says nothing about its bytes. */
  readonly keyId: string
  seal(dataKey: Uint8Array, binding: readonly string[]): string
  /** @throws SealKeyUnknown | SealBroken */
  open(sealed: string, binding: readonly string[]): Buffer
}

/** The seal was made with another master key. */
export class SealKeyUnknown extends Error {
  override readonly name = 'SealKeyUnknown'
  readonly keyId: string

  constructor(keyId: string) {
    super(`The data key is sealed with master key ${keyId}, which this server does not have`)
    this.keyId = keyId
  }
}

/** The seal was changed, is of a form not known, or belongs to something else. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken'

  constructor() {
    super('The sealed data key does not belong here, or was changed')
  }
}

/** @param masterKey  32 random bytes */
export function createKeyring(masterKey: Uint8Array): Keyring {
  if (masterKey.byteLength !== masterKeyBytes) throw new RangeError(`A master key has ${masterKeyBytes} bytes`)
  const keyId = Buffer.from(hkdfSync('sha256', masterKey, '', 'farshore key id', keyIdBytes)).toString('hex')
  const sealKey = createSecretKey(Buffer.from(hkdfSync('sha256', masterKey, '', 'farshore data key seal', masterKeyBytes)))
  return {
    keyId,
    seal(dataKey, binding) {
      const random = randomBytes(saltBytes + nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', wrapKey(sealKey, random), random.subarray(saltBytes)).setAAD(associated(keyId, binding))
      const parts = [random, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]
      return `${version}.${keyId}.${Buffer.concat(parts).toString('base64url')}`
    },
    open(sealed, binding) {
      const [form, sealedBy, text, ...more] = sealed.split('.')
      if (form !== version || sealedBy === undefined || text === undefined || more.length > 0) throw new SealBroken()
      if (sealedBy !== keyId) throw new SealKeyUnknown(sealedBy)
      return unwrap({ bytes: Buffer.from(text, 'base64url'), sealKey, associated: associated(keyId, binding) })
    },
  }
}

function unwrap({ bytes, sealKey, associated }: { bytes: Buffer; sealKey: KeyObject; associated: Buffer }): Buffer {
  if (bytes.length < saltBytes + nonceBytes + tagBytes) throw new SealBroken()
  const nonce = bytes.subarray(saltBytes, saltBytes + nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', wrapKey(sealKey, bytes), nonce, { authTagLength: tagBytes })
  decipher.setAAD(associated).setAuthTag(bytes.subarray(bytes.length - tagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(saltBytes + nonceBytes, bytes.length - tagBytes)), decipher.final()])
  } catch {
    throw new SealBroken()
  }
}

/** Each seal has a key of its own: random nonces under one key would have to end after 2^32 seals (NIST SP 800-38D §8.3). */
function wrapKey(sealKey: KeyObject, random: Buffer): Buffer {
  return createHmac('sha256', sealKey).update(random.subarray(0, saltBytes)).digest()
}

/** Lengths before the parts: ['ab', 'c'] is another binding than ['a', 'bc']. */
function associated(keyId: string, binding: readonly string[]): Buffer {
  const parts: Buffer[] = []
  for (const part of [version, keyId, ...binding]) {
    const bytes = Buffer.from(part, 'utf8')
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32BE(bytes.length)
    parts.push(length, bytes)
  }
  return Buffer.concat(parts)
}
