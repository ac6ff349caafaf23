/**
 * What a bucket and a key may be called, and the order of keys.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
import { S3Error } from './errors.ts'
import { keyMaxBytes } from './limits.ts'

const bucketShape = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const ipAddress = /^\d+\.\d+\.\d+\.\d+$/
/** Reserved by S3 for other things than buckets. `amzn-s3-demo-` is left open, so that the examples of AWS's own pages can be pasted. */
const reservedPrefixes = ['xn--', 'sthree-']
const reservedSuffixes = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3']

/** @throws S3Error InvalidBucketName */
export function checkBucketName(name: string): void {
  const isValid =
    bucketShape.test(name) &&
    !name.includes('..') &&
    !ipAddress.test(name) &&
    !reservedPrefixes.some((prefix) => name.startsWith(prefix)) &&
    !reservedSuffixes.some((suffix) => name.endsWith(suffix))
  if (!isValid) throw new S3Error('InvalidBucketName', { details: { BucketName: printable(name) } })
}

/**
 * @throws S3Error KeyTooLongError (over 1024 bytes of UTF-8) | InvalidURI (climbs above the bucket) |
 *   InvalidArgument (empty, holds U+0000, or is no well-formed Unicode)
 */
export function checkKey(key: string): void {
  if (key === '') throw new S3Error('InvalidArgument', { message: 'The key must not be empty.', details: { ArgumentName: 'Key' } })
  if (!key.isWellFormed() || key.includes('\0')) {
    throw new S3Error('InvalidArgument', {
      message: 'The key must be well-formed Unicode without U+0000.',
      details: { ArgumentName: 'Key' },
    })
  }
  const size = Buffer.byteLength(key)
  if (size > keyMaxBytes) throw new S3Error('KeyTooLongError', { details: { Size: size, MaxSizeAllowed: keyMaxBytes } })
  if (climbsAboveBucket(key)) throw new S3Error('InvalidURI')
}

/**
 * Checks the text of a prefix, delimiter or marker: like a key, but it may be empty and may hold any segments.
 * @throws S3Error KeyTooLongError | InvalidArgument
 */
export function checkKeyText(argumentName: string, text: string): void {
  if (!text.isWellFormed() || text.includes('\0')) {
    throw new S3Error('InvalidArgument', {
      message: `The ${argumentName} must be well-formed Unicode without U+0000.`,
      details: { ArgumentName: argumentName },
    })
  }
  const size = Buffer.byteLength(text)
  if (size > keyMaxBytes) throw new S3Error('KeyTooLongError', { details: { Size: size, MaxSizeAllowed: keyMaxBytes } })
}

/**
 * Decodes the key part of a request path, one time: `%2B` and `+` are both a plus, `%252B` is the text `%2B`.
 * A character from U+0080 to U+00FF is a raw byte of the request line, as Node gives it.
 * @throws S3Error InvalidURI (a broken escape, or bytes that are not UTF-8)
 */
export function decodePathKey(raw: string): string {
  const escaped = raw.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`)
  try {
    const decoded = decodeURIComponent(escaped)
    if (decoded.isWellFormed()) return decoded
  } catch (cause) {
    throw new S3Error('InvalidURI', { cause })
  }
  throw new S3Error('InvalidURI')
}

/**
 * Orders keys as S3 does, by their UTF-8 bytes: < 0, 0 or > 0. UTF-16 units order alike, except that surrogates (U+10000 and above)
 * must come after U+E000 to U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return utf8Rank(x) - utf8Rank(y)
  }
  return a.length - b.length
}

/**
 * The smallest text above every key that begins with `prefix`, in UTF-8 order; `undefined` when there is none (no upper bound).
 * @param prefix well-formed
 */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix)
  while (points.length > 0) {
    const last = points.pop()?.codePointAt(0) ?? 0
    if (last === 0x10ffff) continue
    // Surrogates are no characters: after U+D7FF comes U+E000.
    return points.join('') + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1)
  }
  return undefined
}

/**
 * The smallest possible key above `key`. U+0000 is in no key, so that U+0001 is the least that can follow; PostgreSQL takes no U+0000.
 */
export function keyAfter(key: string): string {
  return `${key}\u0001`
}

function utf8Rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** "Valid if, parsed from left to right, `..` never outnumber the other elements": AWS, object key naming guidelines. */
function climbsAboveBucket(key: string): boolean {
  if (!key.includes('..')) return false
  let depth = 0
  for (const segment of key.split('/')) {
    if (segment === '.') continue
    depth += segment === '..' ? -1 : 1
    if (depth < 0) return true
  }
  return false
}

/** A name that is going into an error document: cut, and without what XML cannot carry. */
function printable(name: string): string {
  return name.slice(0, 255).replace(/[^\x20-\x7e]/g, '?')
}
