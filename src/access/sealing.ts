/**
 * Seals what only this deployment may read, in rows or in the hands of clients. The key comes from the deployment's secret, so that what
 * one region has sealed every other opens; each purpose has a label, and so a key, of its own.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'

const keyBytes = 32
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16

export interface Sealer {
  /** @param binding  what it belongs to: it opens nowhere else. @returns base64url */
  seal(plain: string, binding: string): string
  /** Undefined for what was not sealed here, was altered, or belongs to something else. */
  open(sealed: string, binding: string): string | undefined
}

/** @param label  the purpose: what was sealed for one is nothing to another */
export function createSealer({ secret, label }: { readonly secret: string; readonly label: string }): Sealer {
  const key = deriveKey({ secret, label })
  return {
    seal(plain, binding) {
      const random = randomBytes(saltBytes + nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', subkey(key, random), random.subarray(saltBytes)).setAAD(Buffer.from(binding))
      return Buffer.concat([random, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
    open(sealed, binding) {
      const bytes = Buffer.from(sealed, 'base64url')
      // The decoder passes over what it does not know: one seal has one spelling.
      if (bytes.length < saltBytes + nonceBytes + tagBytes || bytes.toString('base64url') !== sealed) return undefined
      const nonce = bytes.subarray(saltBytes, saltBytes + nonceBytes)
      const decipher = createDecipheriv('aes-256-gcm', subkey(key, bytes), nonce, { authTagLength: tagBytes })
      decipher.setAAD(Buffer.from(binding)).setAuthTag(bytes.subarray(bytes.length - tagBytes))
      try {
        const plain = decipher.update(bytes.subarray(saltBytes + nonceBytes, bytes.length - tagBytes))
        return Buffer.concat([plain, decipher.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}

/** A key for one purpose, from a secret that serves several. */
export function deriveKey({ secret, label }: { readonly secret: string; readonly label: string }): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', label, keyBytes)))
}

/** Each seal has a key of its own: random nonces under one key would have to end after 2^32 seals (NIST SP 800-38D §8.3). */
function subkey(key: KeyObject, random: Buffer): Buffer {
  return createHmac('sha256', key).update(random.subarray(0, saltBytes)).digest()
}
