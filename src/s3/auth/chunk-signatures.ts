import { createHash } from 'node:crypto'
import type { ChunkSeed } from './payload.ts'
import { emptySha256, isSameSignature, sha256Hex, sign, signatureDoesNotMatch } from './signature.ts'

/**
 * The chain of signatures through an aws-chunked body: each covers its chunk and the signature before it.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and …/sigv4-streaming-trailers.html
 */
export class ChunkSignatures {
  readonly #seed: ChunkSeed
  #previous: string

  constructor(seed: ChunkSeed) {
    this.#seed = seed
    this.#previous = seed.signature
  }

  /** @throws S3Error SignatureDoesNotMatch */
  checkChunk(pieces: readonly Buffer[], provided: string): void {
    const digest = createHash('sha256')
    for (const piece of pieces) digest.update(piece)
    this.#check('AWS4-HMAC-SHA256-PAYLOAD', { covered: `${emptySha256}\n${digest.digest('hex')}`, provided })
  }

  /** @throws S3Error SignatureDoesNotMatch */
  checkTrailers(canonicalTrailers: string, provided: string): void {
    this.#check('AWS4-HMAC-SHA256-TRAILER', { covered: sha256Hex(canonicalTrailers), provided })
  }

  #check(algorithm: string, { covered, provided }: { covered: string; provided: string }): void {
    const { accessKeyId, signingKey, timestamp, scope } = this.#seed
    const stringToSign = `${algorithm}\n${timestamp}\n${scope}\n${this.#previous}\n${covered}`
    const expected = sign(signingKey, stringToSign)
    if (!isSameSignature(expected, provided)) {
      throw signatureDoesNotMatch({ accessKeyId, stringToSign, signatureProvided: provided })
    }
    this.#previous = expected
  }
}
