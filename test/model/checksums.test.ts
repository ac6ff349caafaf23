import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { createCRC32, createCRC64 } from 'hash-wasm'
import { describe, expect, it } from 'vitest'
import {
  checksumHeader,
  compositeValue,
  parseChecksumAlgorithm,
  parseChecksumHeaders,
  parseChecksumType,
  parseChecksumValue,
  resolveMultipartChecksum,
} from '../../src/model/checksums.ts'
import { type CrcAlgorithm, combineCrc, isCrcAlgorithm } from '../../src/model/crc-combine.ts'
import { refused, verdict } from './refused.ts'

const crcValue = 'AAAAAA=='
const sha1Value = createHash('sha1').update('').digest('base64')

describe('parseChecksumHeaders', () => {
  it('reads a value', () => {
    expect(parseChecksumHeaders({ 'x-amz-checksum-crc32': crcValue, 'x-amz-sdk-checksum-algorithm': 'CRC32' })).toEqual({
      from: 'header',
      algorithm: 'CRC32',
      value: crcValue,
    })
  })

  it('reads the announcement of a trailer', () => {
    expect(parseChecksumHeaders({ 'x-amz-sdk-checksum-algorithm': 'CRC64NVME' }, ['x-amz-checksum-crc64nvme'])).toEqual({
      from: 'trailer',
      algorithm: 'CRC64NVME',
    })
  })

  it('is content with none, and with headers that are no values', () => {
    expect(
      parseChecksumHeaders({ 'x-amz-checksum-mode': 'ENABLED', 'x-amz-checksum-type': 'COMPOSITE', 'x-amz-checksum-algorithm': 'SHA1' }),
    ).toBeUndefined()
  })

  it.each([
    ['two values', { 'x-amz-checksum-crc32': crcValue, 'x-amz-checksum-sha1': sha1Value }, []],
    ['a value and a trailer', { 'x-amz-checksum-crc32': crcValue }, ['x-amz-checksum-crc32c']],
    ['two trailers', {}, ['x-amz-checksum-crc32', 'x-amz-checksum-crc32c']],
    ['a value of another length', { 'x-amz-checksum-crc32': sha1Value }, []],
    ['what is not base64', { 'x-amz-checksum-crc32': 'AAAA*A==' }, []],
    ['base64 without padding', { 'x-amz-checksum-crc32': 'AAAAAA' }, []],
    ['an empty value', { 'x-amz-checksum-crc32': '' }, []],
    ['another algorithm than the SDK names', { 'x-amz-checksum-crc32': crcValue, 'x-amz-sdk-checksum-algorithm': 'SHA1' }, []],
    ['an SDK algorithm without a value', { 'x-amz-sdk-checksum-algorithm': 'CRC32' }, []],
    ['an unknown SDK algorithm', { 'x-amz-checksum-crc32': crcValue, 'x-amz-sdk-checksum-algorithm': 'CRC16' }, []],
    ['a trailer that is no checksum', {}, ['x-amz-meta-a']],
  ])('refuses %s with InvalidRequest', (_, headers, trailers) =>
    expect(verdict(() => parseChecksumHeaders(headers, trailers))).toBe('InvalidRequest'),
  )

  it.each(['md5', 'sha512', 'xxhash3', 'xxhash64', 'xxhash128', 'rot13'])('answers 501 for x-amz-checksum-%s, naming it', (name) => {
    const error = refused(() => parseChecksumHeaders({ [`x-amz-checksum-${name}`]: 'x' }))
    expect([error.status, error.details.Header]).toEqual([501, `x-amz-checksum-${name}`])
  })
})

it('names the header of each algorithm', () => expect(checksumHeader('CRC64NVME')).toBe('x-amz-checksum-crc64nvme'))

it('reads algorithm and type by name, and refuses others', () => {
  expect(parseChecksumAlgorithm('sha256')).toBe('SHA256')
  expect(verdict(() => parseChecksumAlgorithm('CRC16'))).toBe('InvalidRequest')
  expect(verdict(() => parseChecksumAlgorithm('SHA512'))).toBe('NotImplemented')
  expect(parseChecksumType('FULL_OBJECT')).toBe('FULL_OBJECT')
  expect(verdict(() => parseChecksumType('HALF'))).toBe('InvalidRequest')
  expect(verdict(() => parseChecksumValue('SHA1', sha1Value))).toBeUndefined()
})

describe('resolveMultipartChecksum', () => {
  it.each([
    [{}, 'CRC64NVME', 'FULL_OBJECT', false],
    [{ algorithm: 'CRC64NVME' }, 'CRC64NVME', 'FULL_OBJECT', true],
    [{ algorithm: 'CRC32' }, 'CRC32', 'COMPOSITE', true],
    [{ algorithm: 'CRC32', type: 'FULL_OBJECT' }, 'CRC32', 'FULL_OBJECT', true],
    [{ algorithm: 'CRC32C', type: 'COMPOSITE' }, 'CRC32C', 'COMPOSITE', true],
    [{ algorithm: 'CRC32C', type: 'FULL_OBJECT' }, 'CRC32C', 'FULL_OBJECT', true],
    [{ algorithm: 'SHA1' }, 'SHA1', 'COMPOSITE', true],
    [{ algorithm: 'SHA256', type: 'COMPOSITE' }, 'SHA256', 'COMPOSITE', true],
  ] as const)('%j → %s %s', (asked, algorithm, type, isRequested) =>
    expect(resolveMultipartChecksum(asked)).toEqual({ algorithm, type, isRequested }),
  )

  it.each([
    [{ algorithm: 'CRC64NVME', type: 'COMPOSITE' }],
    [{ algorithm: 'SHA1', type: 'FULL_OBJECT' }],
    [{ algorithm: 'SHA256', type: 'FULL_OBJECT' }],
    [{ type: 'COMPOSITE' }],
    [{ type: 'FULL_OBJECT' }],
  ] as const)('refuses %j', (asked) => expect(verdict(() => resolveMultipartChecksum(asked))).toBe('InvalidRequest'))
})

it('makes a COMPOSITE value from the digests of the parts', () => {
  const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
  const parts = ['one', 'two'].map((text) => sha256(Buffer.from(text)))
  const expected = `${sha256(Buffer.concat(parts)).toString('base64')}-2`
  expect(
    compositeValue(
      parts.map((part) => part.toString('base64')),
      sha256,
    ),
  ).toBe(expected)
})

describe('combineCrc', () => {
  const hashers: Record<CrcAlgorithm, () => Promise<(bytes: Uint8Array) => string>> = {
    CRC32: async () => (bytes) => {
      const value = Buffer.alloc(4)
      value.writeUInt32BE(crc32(bytes))
      return value.toString('base64')
    },
    CRC32C: async () => {
      const hasher = await createCRC32(0x82f63b78)
      return (bytes) => Buffer.from(hasher.init().update(bytes).digest('hex'), 'hex').toString('base64')
    },
    CRC64NVME: async () => {
      const hasher = await createCRC64('9a6c9329ac4bc9b5')
      return (bytes) => Buffer.from(hasher.init().update(bytes).digest('hex'), 'hex').toString('base64')
    },
  }
  // Check values of "123456789": https://reveng.sourceforge.io/crc-catalogue/
  const checkValues: Record<CrcAlgorithm, string> = { CRC32: 'cbf43926', CRC32C: 'e3069283', CRC64NVME: 'ae8b14860a799888' }
  const algorithms = ['CRC32', 'CRC32C', 'CRC64NVME'] as const

  it.each(algorithms)('%s of the parts is that of the bytes, for every cut of the check text', async (algorithm) => {
    const hash = await hashers[algorithm]()
    const bytes = Buffer.from('123456789')
    const whole = Buffer.from(checkValues[algorithm], 'hex').toString('base64')
    for (let first = 0; first <= 9; first++) {
      for (let second = first; second <= 9; second++) {
        const parts = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
        expect(
          combineCrc(
            algorithm,
            parts.map((part) => ({ valueBase64: hash(part), lengthBytes: part.length })),
          ),
        ).toBe(whole)
      }
    }
  })

  it.each(algorithms)('%s holds for long parts of unlike lengths', async (algorithm) => {
    const hash = await hashers[algorithm]()
    const bytes = Buffer.alloc(3_000_017, 'every byte counts ')
    const cuts = [0, 1, 2, 131, 65_536, 131_072, 1_000_003, 2_999_999, bytes.length]
    const parts = cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))
    expect(
      combineCrc(
        algorithm,
        parts.map((part) => ({ valueBase64: hash(part), lengthBytes: part.length })),
      ),
    ).toBe(hash(bytes))
  })

  it.each(algorithms)('%s agrees on a part of 5 TiB, added at once or in steps', (algorithm) => {
    const part = (lengthBytes: number) => ({
      valueBase64: Buffer.alloc(algorithm === 'CRC64NVME' ? 8 : 4, 7).toString('base64'),
      lengthBytes,
    })
    const zero = (lengthBytes: number) => ({ valueBase64: Buffer.alloc(algorithm === 'CRC64NVME' ? 8 : 4).toString('base64'), lengthBytes })
    const tib = 2 ** 40
    const steps = [part(1), zero(tib), zero(3 * tib), zero(tib - 12_345), zero(12_345)]
    expect(combineCrc(algorithm, steps)).toBe(combineCrc(algorithm, [part(1), zero(5 * tib)]))
  })

  it('is the CRC of nothing for no parts', () => expect(combineCrc('CRC32', [])).toBe(crcValue))

  it('knows which algorithms are CRCs', () => {
    expect(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256', '__proto__'].map(isCrcAlgorithm)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ])
  })
})
