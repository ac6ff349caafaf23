/**
 * The canonical request of SigV4: what both sides hash, whatever way the client chose to write the same request.
 * Strings here hold bytes (latin1), because a client signs the bytes that it sends.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import type { RequestHead } from './head.ts'

/** One query parameter, name and value percent-encoded in the canonical way. */
export interface QueryPair {
  readonly name: string
  readonly value: string
}

const plainPath = /^[A-Za-z0-9\-._~/]*$/
const plainWord = /^[A-Za-z0-9\-._~]*$/

/** S3 encodes the path once: decode, then encode every byte but the unreserved ones and `/`. Nothing is normalised away. */
export function canonicalS3Path(rawPath: string): string {
  if (rawPath === '') return '/'
  return plainPath.test(rawPath) ? rawPath : reencode(rawPath, { decode: true, plusIsSpace: false, keepSlash: true })
}

/** Every other service: dot segments and empty segments removed, then the path as sent is encoded a second time. */
export function canonicalServicePath(rawPath: string): string {
  const segments: string[] = []
  for (const segment of rawPath.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const slash = segments.length > 0 && rawPath.endsWith('/') ? '/' : ''
  const path = `/${segments.join('/')}${slash}`
  return plainPath.test(path) ? path : reencode(path, { decode: false, plusIsSpace: false, keepSlash: true })
}

/** The parameters in the order sent. `+` is a space; a `%` that begins no escape stands for itself. */
export function queryPairs(rawQuery: string): QueryPair[] {
  const pairs: QueryPair[] = []
  for (const part of rawQuery === '' ? [] : rawQuery.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = equals === -1 ? part : part.slice(0, equals)
    pairs.push({ name: canonicalWord(name), value: canonicalWord(equals === -1 ? '' : part.slice(equals + 1)) })
  }
  return pairs
}

/** Sorted by name, then value. NOTE: not by `name=value`, as `-` and `.` sort before `=`. */
export function canonicalQuery(pairs: readonly QueryPair[], leaveOut?: string): string {
  const kept = leaveOut === undefined ? [...pairs] : pairs.filter((pair) => pair.name !== leaveOut)
  kept.sort((a, b) => order(a.name, b.name) || order(a.value, b.value))
  return kept.map((pair) => `${pair.name}=${pair.value}`).join('&')
}

interface CanonicalHeaders {
  /** `name:value\n` for each signed header that the request has. */
  readonly text: string
  /** Headers that had to be signed and are not: `host`, every `x-amz-*`, and what regions tell each other in `x-farshore-*`. */
  readonly notSigned: readonly string[]
}

/**
 * Trims and collapses the values, and joins repetitions with a comma.
 * A header that was signed but is not there has no line, so that the signature cannot match.
 * @param signed lower-case names in ascending order
 */
export function canonicalHeaders(rawHeaders: RequestHead['rawHeaders'], signed: readonly string[]): CanonicalHeaders {
  const wanted = new Set(signed)
  const values = new Map<string, string>()
  const notSigned: string[] = wanted.has('host') ? [] : ['host']
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    if (wanted.has(name)) {
      const value = collapsed(rawHeaders[at + 1] ?? '')
      const before = values.get(name)
      values.set(name, before === undefined ? value : `${before},${value}`)
    } else if ((name.startsWith('x-amz-') || name.startsWith('x-farshore-')) && !notSigned.includes(name)) {
      notSigned.push(name)
    }
  }
  let text = ''
  for (const name of signed) {
    const value = values.get(name)
    if (value !== undefined) text += `${name}:${value}\n`
  }
  return { text, notSigned }
}

/** Only HTTP's white space: U+00A0 is half of a UTF-8 character here. */
function collapsed(value: string): string {
  return value.replace(/[\t\n\v\f\r ]+/g, ' ').replace(/^ | $/g, '')
}

function canonicalWord(raw: string): string {
  return plainWord.test(raw) ? raw : reencode(raw, { decode: true, plusIsSpace: true, keepSlash: false })
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

interface Reencoding {
  readonly decode: boolean
  readonly plusIsSpace: boolean
  readonly keepSlash: boolean
}

function reencode(raw: string, { decode, plusIsSpace, keepSlash }: Reencoding): string {
  let out = ''
  for (let at = 0; at < raw.length; at += 1) {
    let byte = raw.charCodeAt(at) & 0xff
    if (byte === 0x25 && decode) {
      const escaped = raw.slice(at + 1, at + 3)
      if (/^[0-9A-Fa-f]{2}$/.test(escaped)) {
        byte = Number.parseInt(escaped, 16)
        at += 2
      }
    } else if (byte === 0x2b && plusIsSpace) {
      byte = 0x20
    }
    out += isUnreserved(byte) || (keepSlash && byte === 0x2f) ? String.fromCharCode(byte) : percent(byte)
  }
  return out
}

function isUnreserved(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x5f ||
    byte === 0x7e
  )
}

function percent(byte: number): string {
  return `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`
}
