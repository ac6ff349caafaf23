/**
 * Request headers as plain data, and the list of those that ask for something this server does not do yet.
 */
import { S3Error } from './errors.ts'

/**
 * Header names in lower case. Values are as Node gives them: one character per byte (latin1), repeated headers joined or in a list.
 */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** The value of a header, several joined by a comma; `undefined` when it was not sent. */
export function headerValue(headers: Headers, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  return typeof value === 'string' || value === undefined ? value : value.join(',')
}

/** SSE-C and SSE-KMS, for a source of a copy too. */
const encryptionPrefixes = [
  'x-amz-server-side-encryption-customer-',
  'x-amz-copy-source-server-side-encryption-customer-',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-context',
] as const

/** Each of these would change what is stored, or what is promised about it; a longer header that begins so is refused too. */
const unsupportedPrefixes: readonly string[] = [
  ...encryptionPrefixes,
  'x-amz-write-offset-bytes',
  'x-amz-rename-source',
  'x-amz-restore-output-path',
  // Conditions on DeleteObject and AbortMultipartUpload: passing them over would delete what the client meant to keep.
  'x-amz-if-match-size',
  'x-amz-if-match-last-modified-time',
  'x-amz-if-match-initiated-time',
  'x-amz-fwd-',
  'x-amz-bucket-object-lock-token',
]

/** These ask for something only with a value other than the harmless one. */
const harmlessValues: Readonly<Record<string, string>> = {
  'x-amz-bucket-namespace': 'global',
  'x-amz-server-side-encryption-bucket-key-enabled': 'false',
}

/**
 * Refuses a request that asks by a header for what is not supported: nothing is accepted and then ignored.
 * `x-amz-request-payer` and `x-amz-mfa` pass, because without requester-pays and MFA delete there is nothing that they could change.
 * @throws S3Error NotImplemented, naming the header
 */
export function refuseUnsupported(headers: Headers): void {
  for (const name of Object.keys(headers)) {
    if (!name.startsWith('x-amz-') || headers[name] === undefined) continue
    if (unsupportedPrefixes.some((prefix) => name.startsWith(prefix))) throw unsupportedHeader(name)
    const harmless = Object.hasOwn(harmlessValues, name) ? harmlessValues[name] : undefined
    if (harmless !== undefined && headerValue(headers, name)?.toLowerCase() !== harmless) throw unsupportedHeader(name)
  }
}

/** The error for a header, or for one value of it, that is not supported. */
export function unsupportedHeader(name: string, value?: string): S3Error {
  const what = value === undefined ? `The header ${name}` : `The value ${value} of the header ${name}`
  return new S3Error('NotImplemented', { message: `${what} is not supported by this server.`, details: { Header: name } })
}
