/** How the body of a request is to be read and believed: x-amz-content-sha256 as a union. */
import { S3Error } from '../../model/errors.ts'

export type PayloadMode =
  | { readonly mode: 'sha256' /** lower case */; readonly hex: string }
  | { readonly mode: 'unsigned' }
  | { readonly mode: 'chunked-signed'; readonly trailer: boolean }
  | { readonly mode: 'chunked-unsigned-trailer' }

/** What the signatures of an aws-chunked body continue from. */
export interface ChunkSeed {
  readonly accessKeyId: string
  /** The signature of the request's headers, lower-case hex. */
  readonly signature: string
  readonly signingKey: Buffer
  /** yyyymmddThhmmssZ */
  readonly timestamp: string
  /** date/region/service/aws4_request */
  readonly scope: string
}

/**
 * @throws S3Error InvalidArgument (not one of the known words and no SHA-256) | NotImplemented (SigV4A)
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function payloadModeOf(value: string): PayloadMode {
  switch (value) {
    case 'UNSIGNED-PAYLOAD':
      return { mode: 'unsigned' }
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { mode: 'chunked-unsigned-trailer' }
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { mode: 'chunked-signed', trailer: false }
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { mode: 'chunked-signed', trailer: true }
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER':
      throw new S3Error('NotImplemented', { message: 'SigV4A signatures (AWS4-ECDSA-P256-SHA256) are not implemented.' })
    default:
      if (/^[0-9a-f]{64}$/i.test(value)) return { mode: 'sha256', hex: value.toLowerCase() }
      throw new S3Error('InvalidArgument', {
        message:
          'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, ' +
          'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
        details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value },
      })
  }
}
