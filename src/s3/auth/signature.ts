/** Signatures: made with a key, compared in constant time, and told apart for the client when they differ. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { S3Error } from '../../model/errors.ts'

export const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

export function sha256Hex(data: string | Buffer): string {
  return hash('sha256', data, 'hex')
}

export function sign(signingKey: Buffer, stringToSign: string): string {
  return createHmac('sha256', signingKey).update(stringToSign, 'latin1').digest('hex')
}

/** Compares in a time that depends on nothing but the lengths, which are public. */
export function isSameSignature(expectedHex: string, provided: string): boolean {
  const expected = Buffer.from(expectedHex, 'latin1')
  const given = Buffer.from(provided, 'latin1')
  return expected.length === given.length && timingSafeEqual(expected, given)
}

interface Mismatch {
  readonly accessKeyId: string
  readonly stringToSign: string
  readonly signatureProvided: string
  readonly canonicalRequest?: string
}

/** What a developer needs to find the difference; all of it is what the client itself sent. */
export function signatureDoesNotMatch(mismatch: Mismatch): S3Error {
  const { accessKeyId, stringToSign, signatureProvided, canonicalRequest } = mismatch
  return new S3Error('SignatureDoesNotMatch', {
    details: {
      AWSAccessKeyId: accessKeyId,
      StringToSign: asText(stringToSign),
      SignatureProvided: signatureProvided,
      StringToSignBytes: asHexBytes(stringToSign),
      ...(canonicalRequest !== undefined && {
        CanonicalRequest: asText(canonicalRequest),
        CanonicalRequestBytes: asHexBytes(canonicalRequest),
      }),
    },
  })
}

function asText(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

function asHexBytes(latin1: string): string {
  return Buffer.from(latin1, 'latin1')
    .toString('hex')
    .replace(/..(?!$)/g, '$& ')
}
