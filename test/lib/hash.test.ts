import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createHashers, type Hashing, type HashName } from '../../src/lib/hash.ts'

// Check values of "123456789": the CRC catalogue (reveng) for the CRCs, RFC 1321, FIPS 180 implementations for the others.
const known: readonly [HashName, string][] = [
  ['md5', '25f9e794323b453885f5181f1b624d0b'],
  ['sha1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
  ['sha256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
  ['crc32', 'cbf43926'],
  ['crc32c', 'e3069283'],
  ['crc64nvme', 'ae8b14860a799888'],
]

let hashing: Hashing
beforeAll(async () => {
  hashing = await createHashers()
})

describe.each(known)('%s', (name, expected) => {
  it('gives the known answer, at once and in pieces', () => {
    expect(hashing.digest(name, Buffer.from('123456789')).toString('hex')).toBe(expected)
    const hasher = hashing.hasher(name)
    for (const piece of ['1234', '', '5', '6789']) hasher.update(Buffer.from(piece))
    expect(hasher.digest().toString('hex')).toBe(expected)
  })

  it('gives the same for an empty stream as for no bytes', () => {
    expect(hashing.hasher(name).digest()).toEqual(hashing.digest(name, Buffer.alloc(0)))
  })

  it('keeps interleaved streams apart, with one-shot digests between them and streams that are abandoned', () => {
    const inputs = Array.from({ length: 5 }, () => Array.from({ length: 7 }, (_, index) => randomBytes(index * 1000)))
    const hashers = inputs.map(() => hashing.hasher(name))
    for (let piece = 0; piece < 7; piece += 1) {
      hashing.hasher(name).update(randomBytes(10))
      hashing.digest(name, randomBytes(10))
      for (const [index, hasher] of hashers.entries()) hasher.update(inputs[index]?.[piece] ?? Buffer.alloc(0))
    }
    for (const [index, hasher] of hashers.entries()) {
      expect(hasher.digest()).toEqual(hashing.digest(name, Buffer.concat(inputs[index] ?? [])))
    }
  })

  it('refuses to go on after its digest', () => {
    const hasher = hashing.hasher(name)
    hasher.digest()
    expect(() => hasher.update(Buffer.from('x'))).toThrow()
    expect(() => hasher.digest()).toThrow()
  })

  it('takes an array that is a window of another', () => {
    const whole = Buffer.from('xx123456789yy')
    expect(hashing.digest(name, new Uint8Array(whole.buffer, whole.byteOffset + 2, 9)).toString('hex')).toBe(expected)
  })
})
