/**
 * The additional checksums of S3: what a request may say about them, and which kinds go together.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
import { S3Error } from './errors.ts'
import { type Headers, headerValue, unsupportedHeader } from './headers.ts'

export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256'

/** COMPOSITE: the checksum of the parts' checksums, with `-N`. FULL_OBJECT: of the bytes. */
export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT'

/** Length of the digest in bytes. Values are its standard base64 (CRCs big-endian); a COMPOSITE one ends in `-N`. */
export const checksumLengths: Readonly<Record<ChecksumAlgorithm, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 }

export const checksumAlgorithms: readonly ChecksumAlgorithm[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']

const headerPrefix = 'x-amz-checksum-'
/** Headers that begin like a checksum and are none. */
const notValues = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-mode', 'x-amz-checksum-type'])
/** Algorithms that S3 knows and this server does not compute. */
const unsupportedAlgorithms = new Set(['MD5', 'SHA512', 'XXHASH3', 'XXHASH64', 'XXHASH128'])

/** @example checksumHeader('CRC32') === 'x-amz-checksum-crc32' */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return headerPrefix + algorithm.toLowerCase()
}

/** What a request with a body promises about it; the value of a trailer is known only after the body. */
export type ChecksumClaim =
  | { readonly from: 'header'; readonly algorithm: ChecksumAlgorithm; readonly value: string }
  | { readonly from: 'trailer'; readonly algorithm: ChecksumAlgorithm }

/**
 * @param trailerNames the names in `x-amz-trailer`, lower case
 * @throws S3Error InvalidRequest (two of them, a malformed one, or not the one that x-amz-sdk-checksum-algorithm names) |
 *   NotImplemented (an algorithm that is not supported)
 */
export function parseChecksumHeaders(headers: Headers, trailerNames: readonly string[] = []): ChecksumClaim | undefined {
  const claims: ChecksumClaim[] = []
  for (const name of Object.keys(headers)) {
    const value = name.startsWith(headerPrefix) && !notValues.has(name) ? headerValue(headers, name) : undefined
    if (value === undefined) continue
    const algorithm = algorithmOfHeader(name)
    claims.push({ from: 'header', algorithm, value: parseChecksumValue(algorithm, value) })
  }
  for (const name of trailerNames) {
    if (!name.startsWith(headerPrefix) || notValues.has(name)) {
      throw new S3Error('InvalidRequest', { message: 'The value specified in the x-amz-trailer header is not supported' })
    }
    claims.push({ from: 'trailer', algorithm: algorithmOfHeader(name) })
  }
  if (claims.length > 1) {
    throw new S3Error('InvalidRequest', { message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.' })
  }
  const [claim] = claims
  checkSdkAlgorithm(headerValue(headers, 'x-amz-sdk-checksum-algorithm'), claim)
  return claim
}

/**
 * Checks the form of a value: standard base64 of the algorithm's length.
 * @throws S3Error InvalidRequest
 */
export function parseChecksumValue(algorithm: ChecksumAlgorithm, text: string): string {
  const value = text.trim()
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length !== checksumLengths[algorithm] || bytes.toString('base64') !== value) {
    throw new S3Error('InvalidRequest', { message: `Value for ${checksumHeader(algorithm)} header is invalid.` })
  }
  return value
}

/** @throws S3Error InvalidRequest | NotImplemented (an algorithm that is not supported) */
export function parseChecksumAlgorithm(text: string): ChecksumAlgorithm {
  const name = text.trim().toUpperCase()
  const algorithm = checksumAlgorithms.find((known) => known === name)
  if (algorithm !== undefined) return algorithm
  if (unsupportedAlgorithms.has(name)) {
    throw new S3Error('NotImplemented', { message: `The checksum algorithm ${name} is not supported by this server.` })
  }
  throw new S3Error('InvalidRequest', {
    message: `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${checksumAlgorithms.join(', ')}]`,
  })
}

/** @throws S3Error InvalidRequest */
export function parseChecksumType(text: string): ChecksumType {
  const name = text.trim().toUpperCase()
  if (name === 'COMPOSITE' || name === 'FULL_OBJECT') return name
  throw new S3Error('InvalidRequest', { message: 'Value for x-amz-checksum-type header is invalid.' })
}

/** How an upload in parts is summed. `isRequested` is false for S3's own default, which Complete does not ask the client about. */
export interface MultipartChecksum {
  readonly algorithm: ChecksumAlgorithm
  readonly type: ChecksumType
  readonly isRequested: boolean
}

/**
 * CRC64NVME of the full object when nothing was asked for; SHA1 and SHA256 can only be COMPOSITE, CRC64NVME only FULL_OBJECT.
 * @throws S3Error InvalidRequest (a pair that does not go together, or a type without an algorithm)
 */
export function resolveMultipartChecksum(asked: {
  readonly algorithm?: ChecksumAlgorithm | undefined
  readonly type?: ChecksumType | undefined
}): MultipartChecksum {
  const { algorithm, type } = asked
  if (algorithm === undefined) {
    if (type !== undefined) {
      throw new S3Error('InvalidRequest', {
        message: 'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
      })
    }
    return { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', isRequested: false }
  }
  const onlyType = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : algorithm.startsWith('SHA') ? 'COMPOSITE' : undefined
  if (onlyType !== undefined && type !== undefined && type !== onlyType) {
    throw new S3Error('InvalidRequest', {
      message: `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    })
  }
  return { algorithm, type: type ?? onlyType ?? 'COMPOSITE', isRequested: true }
}

/**
 * The COMPOSITE value of an upload: the digest of its parts' digests, and how many there are.
 * @param partValues base64, in the object's order
 * @param digest of the upload's algorithm (CRCs big-endian)
 */
export function compositeValue(partValues: readonly string[], digest: (bytes: Uint8Array) => Uint8Array): string {
  const bytes = Buffer.concat(partValues.map((value) => Buffer.from(value, 'base64')))
  return `${Buffer.from(digest(bytes)).toString('base64')}-${partValues.length}`
}

function algorithmOfHeader(name: string): ChecksumAlgorithm {
  const algorithm = checksumAlgorithms.find((known) => checksumHeader(known) === name)
  if (algorithm !== undefined) return algorithm
  throw unsupportedHeader(name)
}

function checkSdkAlgorithm(sdkAlgorithm: string | undefined, claim: ChecksumClaim | undefined): void {
  if (sdkAlgorithm === undefined) return
  const expected = parseChecksumAlgorithm(sdkAlgorithm)
  if (claim === undefined) {
    throw new S3Error('InvalidRequest', {
      message: 'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    })
  }
  if (claim.algorithm !== expected) {
    throw new S3Error('InvalidRequest', { message: 'Value for x-amz-sdk-checksum-algorithm header is invalid.' })
  }
}
