/** Whether stored bytes are those that were written: read whole, against block checksums, ETag and checksum of their row. */
import { BlobCorrupt, BlobIoError, BlobMissing, codeOf } from '../blobs/errors.ts'
import { type Keyring, SealBroken, SealKeyUnknown } from '../blobs/seal.ts'
import type { Hasher, Hashing } from '../lib/hash.ts'
import type { Pace } from '../lib/pace.ts'
import type { ObjectVersion, Part, SealedEncryption, StoredChecksum } from '../model/version.ts'
import { TierCorrupt, TierMissing } from '../tiers/errors.ts'
import { hashNameOf } from './content.ts'
import { openDataKey, type SealBinding } from './seals.ts'
import type { StoredBytes } from './stored-bytes.ts'

/** One blob with all that its row says of it. */
export interface DescribedBlob {
  readonly blob: string
  readonly sizeBytes: number
  /** As the row has it; of a blob alone it is an MD5. */
  readonly etag: string
  readonly checksum: StoredChecksum | undefined
  readonly encryption: SealedEncryption | undefined
  readonly binding: SealBinding
  readonly partNumber: number | undefined
}

export interface ProofParts {
  readonly blobs: StoredBytes
  readonly hashing: Hashing
  readonly keyring: Keyring
}

const wholeMaxBytes = 1024 * 1024
const md5Pattern = /^[0-9a-f]{32}$/

/** The blobs of a version: one, or one a part. A delete marker has none. */
export function blobsOf(version: ObjectVersion, layout: readonly Part[]): readonly DescribedBlob[] {
  const { bucketId, key, id, blob, blobSet, record } = version
  if (blobSet !== undefined) return layout.map((part) => blobOfPart(part, { bucketId, key, blobSet }))
  if (blob === undefined) return []
  return [
    {
      blob,
      sizeBytes: version.size,
      etag: version.etag,
      checksum: record.checksum,
      encryption: record.encryption,
      binding: { kind: 'version', bucketId, key, versionId: id },
      partNumber: undefined,
    },
  ]
}

export function blobOfPart(part: Part, of: { readonly bucketId: string; readonly key: string; readonly blobSet: string }): DescribedBlob {
  const { number, blob, size, etag, checksum, encryption } = part
  return { blob, sizeBytes: size, etag, checksum, encryption, binding: { kind: 'part', ...of, number }, partNumber: number }
}

/**
 * Reads a blob to its end. @returns what is wrong with it, in words; undefined when nothing is
 * @throws what is no fault of the blob: a store that is closed, a tier that is away, the signal's reason
 */
export async function faultOfBlob(
  parts: ProofParts,
  described: DescribedBlob,
  { signal, pace }: { readonly signal: AbortSignal; readonly pace?: Pace },
): Promise<string | undefined> {
  try {
    return await faultOfBytes(parts, described, { signal, ...(pace === undefined ? {} : { pace }) })
  } catch (error) {
    if (error instanceof BlobCorrupt || error instanceof BlobMissing) return error.message
    if (error instanceof TierCorrupt || error instanceof TierMissing) return error.message
    // Bytes that the disk no longer gives are lost like wrong ones; a lack of descriptors or memory says nothing about them.
    if (error instanceof BlobIoError && codeOf(error.cause) === 'EIO') return error.message
    if (error instanceof SealBroken || error instanceof SealKeyUnknown) return error.message
    throw error
  }
}

async function faultOfBytes(
  { blobs, hashing, keyring }: ProofParts,
  { blob, sizeBytes, etag, checksum, encryption, binding }: DescribedBlob,
  { signal, pace }: { readonly signal: AbortSignal; readonly pace?: Pace },
): Promise<string | undefined> {
  const dataKey = encryption === undefined ? undefined : openDataKey(keyring, encryption, binding)
  const md5 = md5Pattern.test(etag) ? hashing.hasher('md5') : undefined
  const sum = checksum?.type === 'FULL_OBJECT' ? { ...checksum, hasher: hashing.hasher(hashNameOf(checksum.algorithm)) } : undefined
  const take = async (bytes: Buffer): Promise<void> => {
    md5?.update(bytes)
    sum?.hasher.update(bytes)
    await pace?.spend(bytes.length, signal)
  }
  const options = { lengthBytes: sizeBytes, dataKey, signal }
  if (sizeBytes <= wholeMaxBytes) await take(await blobs.readWhole(blob, options))
  else for await (const piece of blobs.read(blob, { ...options, reuseBuffers: true })) await take(piece)
  if (md5 !== undefined && digestOf(md5, 'hex') !== etag) return 'its bytes do not have the MD5 that its ETag says'
  if (sum !== undefined && digestOf(sum.hasher, 'base64') !== sum.value) return `its bytes do not have the ${sum.algorithm} that was stored`
  return undefined
}

function digestOf(hasher: Hasher, encoding: 'hex' | 'base64'): string {
  return hasher.digest().toString(encoding)
}
