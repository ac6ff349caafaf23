/** CRC32C and CRC64NVME from WebAssembly. One instance each serves any number of interleaved streams. */
import { createCRC32, createCRC64, type IHasher } from 'hash-wasm'
import type { Hasher } from './hash.ts'

// Reflected polynomials. Sources: RFC 3720 §12.1 (CRC32C), NVM Command Set Specification 1.0 §5.2.1.3.4 (CRC64NVME).
const crc32cPolynomial = 0x82f63b78
const crc64nvmePolynomial = '9a6c9329ac4bc9b5'

export interface CrcEngine {
  hasher(): Hasher
}

export interface CrcEngines {
  readonly crc32c: CrcEngine
  readonly crc64nvme: CrcEngine
}

export async function createCrcEngines(): Promise<CrcEngines> {
  const [crc32c, crc64nvme] = await Promise.all([createCRC32(crc32cPolynomial), createCRC64(crc64nvmePolynomial)])
  return { crc32c: share(crc32c), crc64nvme: share(crc64nvme) }
}

/**
 * Lends one instance to many hashers: whoever updates owns it, and the owner before is saved (8 to 12 bytes, 2 µs).
 * hash-wasm makes instances only asynchronously, and a pool of them would leak with each abandoned hasher.
 */
function share(instance: IHasher): CrcEngine {
  let owner: SharedHasher | undefined

  class SharedHasher implements Hasher {
    #saved: Uint8Array | undefined
    #isDone = false

    update(chunk: Uint8Array): void {
      this.#own()
      instance.update(chunk)
    }

    digest(): Buffer {
      this.#own()
      const bytes = Buffer.from(instance.digest('binary'))
      this.#isDone = true
      owner = undefined
      return bytes
    }

    #own(): void {
      if (this.#isDone) throw new Error('Digest already called')
      if (owner === this) return
      if (owner !== undefined) owner.#saved = instance.save()
      if (this.#saved === undefined) instance.init()
      else instance.load(this.#saved)
      owner = this
    }
  }

  return { hasher: () => new SharedHasher() }
}
