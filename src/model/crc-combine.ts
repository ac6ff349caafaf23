/**
 * The CRC of a whole from the CRCs and lengths of its parts, without the bytes.
 *
 * A CRC is a remainder in GF(2)[x]. Bytes that follow a part multiply its remainder by x^8 each, so that
 * crc(A ++ B) = crc(A) · x^(8·|B|) + crc(B) mod P. That holds for CRCs that begin with all ones and end inverted, as these three do.
 * Remainders are kept reflected: the highest bit is x^0. Two 32-bit halves, as BigInt is some 20 times slower here.
 * The idea is zlib's crc32_combine: https://github.com/madler/zlib/blob/develop/crc32.c
 */

export type CrcAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME'

/** A reflected polynomial; one of 32 bits stands in `hi`. */
interface Polynomial {
  readonly hi: number
  readonly lo: number
}

interface Field {
  readonly bits: 32 | 64
  readonly modulus: Polynomial
}

const fields: Readonly<Record<CrcAlgorithm, Field>> = {
  CRC32: { bits: 32, modulus: { hi: 0xedb88320, lo: 0 } },
  CRC32C: { bits: 32, modulus: { hi: 0x82f63b78, lo: 0 } },
  CRC64NVME: { bits: 64, modulus: { hi: 0x9a6c9329, lo: 0xac4bc9b5 } },
}

/** In either width the highest bit of `hi` is x^0. */
const one: Polynomial = { hi: 0x80000000, lo: 0 }
const xToThe8: Polynomial = { hi: 0x00800000, lo: 0 }

export interface PartCrc {
  /** Base64 of the big-endian CRC. */
  readonly valueBase64: string
  readonly lengthBytes: number
}

export function isCrcAlgorithm(algorithm: string): algorithm is CrcAlgorithm {
  return Object.hasOwn(fields, algorithm)
}

/**
 * The base64 CRC of the parts' bytes one after another. O(log n) multiplications for each new part length.
 * @param parts in the order of the bytes
 */
export function combineCrc(algorithm: CrcAlgorithm, parts: readonly PartCrc[]): string {
  const field = fields[algorithm]
  const shifts = new Map<number, Polynomial>() // by length: nearly all parts of an upload are equally long
  const powers: Polynomial[] = [xToThe8] // x^8, x^16, x^32, …
  let crc: Polynomial = { hi: 0, lo: 0 } // the CRC of no bytes
  for (const part of parts) {
    let shift = shifts.get(part.lengthBytes)
    if (shift === undefined) {
      shift = shiftBy(field, part.lengthBytes, powers)
      shifts.set(part.lengthBytes, shift)
    }
    const shifted = multiply(field, crc, shift)
    const own = decode(field, part.valueBase64)
    crc = { hi: (shifted.hi ^ own.hi) >>> 0, lo: (shifted.lo ^ own.lo) >>> 0 }
  }
  return encode(field, crc)
}

/** x^(8·length). `powers` grows as it is needed. */
function shiftBy(field: Field, lengthBytes: number, powers: Polynomial[]): Polynomial {
  let result = one
  let rest = lengthBytes
  let power = xToThe8
  for (let i = 0; rest > 0; i++) {
    const known = powers[i]
    power = known ?? multiply(field, power, power)
    if (known === undefined) powers.push(power)
    if (rest % 2 === 1) result = multiply(field, result, power)
    rest = Math.floor(rest / 2)
  }
  return result
}

/** a · b mod P. Walks b from x^0 upwards while a is multiplied by x, which is a shift to the right. */
function multiply(field: Field, a: Polynomial, b: Polynomial): Polynomial {
  const { bits, modulus } = field
  let hi = 0
  let lo = 0
  let aHi = a.hi
  let aLo = a.lo
  for (let i = 0; i < bits; i++) {
    const bit = i < 32 ? b.hi >>> (31 - i) : b.lo >>> (63 - i)
    if ((bit & 1) === 1) {
      hi ^= aHi
      lo ^= aLo
    }
    const overflows = ((bits === 32 ? aHi : aLo) & 1) === 1
    aLo = bits === 32 ? 0 : (aLo >>> 1) | (aHi << 31)
    aHi >>>= 1
    if (overflows) {
      aHi ^= modulus.hi
      aLo ^= modulus.lo
    }
  }
  return { hi: hi >>> 0, lo: lo >>> 0 }
}

/** @throws RangeError (not of this algorithm's length: values are checked before they are stored) */
function decode(field: Field, value: string): Polynomial {
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length * 8 !== field.bits) throw new RangeError(`a CRC of ${field.bits} bits cannot have ${bytes.length} bytes`)
  return { hi: bytes.readUInt32BE(0), lo: field.bits === 64 ? bytes.readUInt32BE(4) : 0 }
}

function encode(field: Field, crc: Polynomial): string {
  const bytes = Buffer.alloc(field.bits / 8)
  bytes.writeUInt32BE(crc.hi, 0)
  if (field.bits === 64) bytes.writeUInt32BE(crc.lo, 4)
  return bytes.toString('base64')
}
