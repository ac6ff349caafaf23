/**
 * Server-side encryption as a client asks for it: SSE-S3 (AES256) is done, SSE-KMS and SSE-C are refused by name.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
 */
import type { BucketEncryption } from './bucket.ts'
import { S3Error } from './errors.ts'
import { type Headers, headerValue, refuseUnsupported, unsupportedHeader } from './headers.ts'

export type SseAlgorithm = 'AES256'

const sseHeader = 'x-amz-server-side-encryption'
const kmsAlgorithms = ['aws:kms', 'aws:kms:dsse', 'aws:fsx', 'aws:backup']

/**
 * What a write asks for; `undefined` leaves it to the bucket.
 * @throws S3Error NotImplemented (SSE-KMS, SSE-C) | InvalidArgument (no such method)
 */
export function parseEncryptionHeaders(headers: Headers): SseAlgorithm | undefined {
  refuseUnsupported(headers)
  const algorithm = headerValue(headers, sseHeader)
  if (algorithm === undefined || algorithm === 'AES256') return algorithm
  if (kmsAlgorithms.includes(algorithm)) throw unsupportedHeader(sseHeader, algorithm)
  throw new S3Error('InvalidArgument', {
    message: 'The encryption method specified is not supported',
    details: { ArgumentName: sseHeader, ArgumentValue: algorithm.slice(0, 64) },
  })
}

/** One `<Rule>` of `<ServerSideEncryptionConfiguration>` as it was read. */
export interface EncryptionRuleInput {
  readonly ApplyServerSideEncryptionByDefault?:
    | { readonly SSEAlgorithm?: string | undefined; readonly KMSMasterKeyID?: string | undefined }
    | undefined
  readonly BucketKeyEnabled?: boolean | undefined
  readonly BlockedEncryptionTypes?: { readonly EncryptionType?: readonly string[] | undefined } | undefined
}

/**
 * What PutBucketEncryption stores. BucketKeyEnabled means nothing without SSE-KMS, and is kept because AWS returns it.
 * @throws S3Error MalformedXML (not exactly one rule, no or an unknown algorithm) | NotImplemented (SSE-KMS; blocking a type) |
 *   InvalidArgument (a KMS key for AES256)
 */
export function checkBucketEncryption(rules: readonly EncryptionRuleInput[]): BucketEncryption {
  const [rule] = rules
  const byDefault = rule?.ApplyServerSideEncryptionByDefault
  const algorithm = byDefault?.SSEAlgorithm
  if (rule === undefined || rules.length !== 1 || byDefault === undefined || algorithm === undefined) throw new S3Error('MalformedXML')
  if (kmsAlgorithms.includes(algorithm)) {
    throw new S3Error('NotImplemented', { message: `The encryption algorithm ${algorithm} is not supported by this server.` })
  }
  if (algorithm !== 'AES256') throw new S3Error('MalformedXML')
  if (byDefault.KMSMasterKeyID !== undefined && byDefault.KMSMasterKeyID !== '') {
    throw new S3Error('InvalidArgument', {
      message: 'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms',
      details: { ArgumentName: 'ApplyServerSideEncryptionByDefault' },
    })
  }
  const blocked = rule.BlockedEncryptionTypes?.EncryptionType ?? []
  if (blocked.some((type) => type !== 'NONE')) {
    throw new S3Error('NotImplemented', { message: 'BlockedEncryptionTypes is not supported by this server.' })
  }
  return { SSEAlgorithm: algorithm, ...(rule.BucketKeyEnabled !== undefined && { BucketKeyEnabled: rule.BucketKeyEnabled }) }
}
