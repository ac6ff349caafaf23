/** Requests as a server sees them, and a small signer of aws-chunked bodies that shares no code with what is tested. */
import { createHash, createHmac } from 'node:crypto'
import type { Caller } from '../../../src/access/caller.ts'
import { S3Error } from '../../../src/model/errors.ts'
import type { RequestHead } from '../../../src/s3/auth/head.ts'
import { SigningKeys } from '../../../src/s3/auth/signing-keys.ts'
import type { Verified } from '../../../src/s3/auth/verify.ts'
import { readClaim, type VerifyOptions, verifySignature } from '../../../src/s3/auth/verify.ts'

/** The key of the examples in the AWS documentation. */
export const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
export const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
export const exampleMs = Date.UTC(2013, 4, 24)
export const emptySha256 = createHash('sha256').digest('hex')

export type Pairs = readonly (readonly [name: string, value: string])[]

export function headOf(request: string, pairs: Pairs): RequestHead {
  const [method = '', target = ''] = request.split(' ')
  const mark = target.indexOf('?')
  const headers: Record<string, string> = {}
  for (const [name, value] of pairs) {
    const lower = name.toLowerCase()
    // As Node does: the first Authorization wins, others are joined.
    if (headers[lower] === undefined) headers[lower] = value
    else if (lower !== 'authorization') headers[lower] += `, ${value}`
  }
  return {
    method,
    rawPath: mark === -1 ? target : target.slice(0, mark),
    rawQuery: mark === -1 ? '' : target.slice(mark + 1),
    headers,
    rawHeaders: pairs.flat(),
  }
}

export const caller: Caller = { kind: 'peer', region: 'whose-key-it-is' }

export function verify(head: RequestHead, options: Partial<VerifyOptions> = {}): Verified {
  const claimed = readClaim(head)
  return verifySignature(claimed, {
    nowMs: exampleMs,
    regions: ['us-east-1', 'eu-west-1'],
    services: ['s3', 'iam', 'sts'],
    credential: claimed.claim?.accessKeyId === accessKeyId ? { secretAccessKey, caller } : undefined,
    keys: new SigningKeys(),
    ...options,
  })
}

export function signedOf(verified: Verified): Extract<Verified, { kind: 'signed' }> {
  if (verified.kind !== 'signed') throw new Error(`expected a signed request, got ${verified.kind}`)
  return verified
}

export function refusal(act: () => unknown): S3Error {
  try {
    act()
  } catch (error) {
    if (error instanceof S3Error) return error
    throw error
  }
  throw new Error('nothing was refused')
}

export async function refusalOf(act: () => Promise<unknown>): Promise<S3Error> {
  try {
    await act()
  } catch (error) {
    if (error instanceof S3Error) return error
    throw error
  }
  throw new Error('nothing was refused')
}

export function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

/** The key for the examples' day, region and service. */
export const signingKey = ['20130524', 'us-east-1', 's3', 'aws4_request'].reduce<Buffer>(
  (key, part) => hmac(key, part),
  Buffer.from(`AWS4${secretAccessKey}`),
)
export const timestamp = '20130524T000000Z'
export const scope = '20130524/us-east-1/s3/aws4_request'
export const seed = { accessKeyId, signature: 'a'.repeat(64), signingKey, timestamp, scope }

export interface ChunkedOptions {
  readonly signed?: boolean
  readonly trailers?: Pairs
  /** Index of the chunk whose signature is made wrong. */
  readonly wrongChunk?: number
  readonly wrongTrailerSignature?: boolean
  /** What stands before x-amz-trailer-signature, and at the very end. */
  readonly beforeSignature?: string
  readonly end?: string
}

export function chunked(chunks: readonly string[], options: ChunkedOptions = {}): Buffer {
  const { signed = false, trailers, end = '\r\n' } = options
  let previous = seed.signature
  const signature = (algorithm: string, covered: string) => {
    previous = hmac(signingKey, [algorithm, timestamp, scope, previous, covered].join('\n')).toString('hex')
    return previous
  }
  let out = ''
  for (const [index, chunk] of [...chunks, ''].entries()) {
    out += Buffer.byteLength(chunk, 'latin1').toString(16)
    if (signed) {
      const right = signature('AWS4-HMAC-SHA256-PAYLOAD', `${emptySha256}\n${sha256(Buffer.from(chunk, 'latin1'))}`)
      out += `;chunk-signature=${index === options.wrongChunk ? '0'.repeat(64) : right}`
    }
    out += index === chunks.length ? '\r\n' : `\r\n${chunk}\r\n`
  }
  for (const [name, value] of trailers ?? []) out += `${name}:${value}\r\n`
  if (signed && trailers !== undefined) {
    const right = signature('AWS4-HMAC-SHA256-TRAILER', sha256(trailers.map(([name, value]) => `${name}:${value}\n`).join('')))
    const wrong = options.wrongTrailerSignature === true
    out += `${options.beforeSignature ?? ''}x-amz-trailer-signature:${wrong ? '0'.repeat(64) : right}\r\n`
  }
  return Buffer.from(out + end, 'latin1')
}

/** One buffer a piece; fails in the end when told to. */
export async function* pieces(...parts: readonly (Buffer | Error)[]): AsyncGenerator<Buffer, void, void> {
  for (const part of parts) {
    if (part instanceof Error) throw part
    yield part
  }
}
