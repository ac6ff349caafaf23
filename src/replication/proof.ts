/** What both sides compute, the source from its rows and the destination from the bytes that it read back: equal, or not COMPLETED. */
import { hash } from 'node:crypto'
import type { StoredChecksum } from '../model/version.ts'
import type { WirePart, WireVersion } from './wire.ts'

/** One blob's digest, and which it is. */
export interface BlobSum {
  /** The name of an algorithm of S3, or MD5 where only the ETag is known. */
  readonly algorithm: StoredChecksum['algorithm'] | 'MD5'
  /** Base64; of an MD5 lower-case hex, as in an ETag. */
  readonly value: string
}

export const markerProof = 'marker'

/** What a version's only blob must have. Its checksum covers the whole of it. */
export function sumOfBlob({
  etag,
  record,
}: Pick<WireVersion, 'etag'> & { readonly record: Pick<WireVersion['record'], 'checksum'> }): BlobSum {
  return record.checksum?.type === 'FULL_OBJECT' ? record.checksum : { algorithm: 'MD5', value: etag }
}

export function sumOfPart({ etag, checksum }: Pick<WirePart, 'etag'> & { readonly checksum?: StoredChecksum }): BlobSum {
  return checksum ?? { algorithm: 'MD5', value: etag }
}

/** @param sums  in the order of the content */
export function proofOf(sums: readonly BlobSum[]): string {
  const text = sums.map(({ algorithm, value }) => `${algorithm}:${value}`).join('\n')
  return sums.length === 1 ? text : `${sums.length}:${hash('sha256', text, 'hex')}`
}
