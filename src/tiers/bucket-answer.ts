/** What an S3 server answered, judged: which of the tier's own errors it is. */
import type { IncomingHttpHeaders } from 'node:http'
import { TierFull, TierMissing, TierRefused, TierUnavailable } from './errors.ts'

export interface BucketAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
}

/** Codes that ask for patience or tell of a broken way, whatever their status. */
const passingCodes: ReadonlySet<string> = new Set([
  'BadDigest',
  'IncompleteBody',
  'InternalError',
  'InvalidPart',
  'NoSuchUpload',
  'OperationAborted',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'XAmzContentSHA256Mismatch',
])
/** There is no code of S3 for it: those of servers that have a disk. */
const fullPattern = /StorageFull|QuotaExceeded|InsufficientStorage|EntityTooLargeForQuota/
const missingCodes: ReadonlySet<string | undefined> = new Set(['NoSuchKey', 'NoSuchVersion', 'NotFound'])
const messageMaxChars = 300

export interface Asked {
  readonly tier: string
  /** For people: `Could not …`. */
  readonly doing: string
}

/** The error of an answer that is no success. An `<Error>` that came with 200 is one too. */
export function errorOf({ status, headers, bytes }: BucketAnswer, { tier, doing }: Asked): Error {
  const text = bytes.subarray(0, 16 * 1024).toString('utf8')
  const code = elementOf(text, 'Code')
  const message = elementOf(text, 'Message')?.slice(0, messageMaxChars)
  const said = [String(status), code, message === undefined ? undefined : `(${message})`, regionHint(headers)]
  const words = `Tier ${tier}: could not ${doing}: ${said.filter((part) => part !== undefined).join(' ')}`
  if (status === 507 || fullPattern.test(code ?? '')) return new TierFull(words)
  if (status >= 500 || status === 429 || status === 408 || status === 307 || passingCodes.has(code ?? '')) return new TierUnavailable(words)
  if (status === 404 && missingCodes.has(code)) return new TierMissing(words)
  if (status >= 200 && status < 300) return new TierUnavailable(words)
  return new TierRefused(words)
}

/** The text of the first element of that name, unescaped; undefined when there is none. */
export function elementOf(text: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  return found === undefined ? undefined : unescaped(found)
}

/** The elements of that name, with what they hold. */
export function elementsOf(text: string, name: string): readonly string[] {
  return [...text.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map(([, inside = '']) => inside)
}

export function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

function unescaped(text: string): string {
  return text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;|&#34;/g, '"')
    .replace(/&apos;|&#39;/g, "'")
    .replace(/&amp;|&#38;/g, '&')
}

function regionHint(headers: IncomingHttpHeaders): string | undefined {
  const region = headers['x-amz-bucket-region']
  return typeof region === 'string' ? `(the bucket is in region ${region.slice(0, 64)})` : undefined
}
