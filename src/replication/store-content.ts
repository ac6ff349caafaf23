/** The destination's disk: content written, then read back and summed anew, before any row says that it is there. */
import { BlobCorrupt, BlobMissing } from '../blobs/errors.ts'
import type { WrittenBlob } from '../blobs/store.ts'
import type { Hashing } from '../lib/hash.ts'
import type { Delivery } from '../metadata/tables/deliveries.ts'
import { partsOf } from '../metadata/tables/uploads.ts'
import type { Bucket } from '../model/bucket.ts'
import { partNumberMax } from '../model/limits.ts'
import type { ObjectVersion, Part, SealedEncryption } from '../model/version.ts'
import { hashNameOf } from '../objects/content.ts'
import type { ObjectParts } from '../objects/parts.ts'
import { isEncrypted } from '../objects/put.ts'
import { ContentDamaged, openContent } from '../objects/read.ts'
import { sealDataKey } from '../objects/seals.ts'
import { type BlobSum, markerProof, proofOf, sumOfBlob, sumOfPart } from './proof.ts'
import type { WireVersion } from './wire.ts'

/** Content that is on the disk and was read back from it; no row refers to it yet. */
export interface StoredContent {
  readonly content: NonNullable<Delivery['content']>
  /** Of the version's record. */
  readonly encryption: SealedEncryption | undefined
  readonly refs: readonly string[]
  readonly proof: string
}

/** What was read back is not what the source has. Nothing of it is left. */
export class ReadBackMismatch extends Error {
  override readonly name = 'ReadBackMismatch'
}

/** Content as it comes in: its pieces one behind the other, each taken once and to its end. */
export interface IncomingContent {
  /** The next `lengthBytes` bytes. */
  next(lengthBytes: number): Buffer | AsyncIterable<Buffer>
}

export interface StoreRequest {
  readonly bucket: Bucket
  readonly version: WireVersion
  readonly incoming: IncomingContent
  readonly signal: AbortSignal
}

/** @throws ReadBackMismatch; DiskFull and others of the blob store; what the content's source throws. Nothing is left behind then */
export async function storeIncoming(parts: ObjectParts, request: StoreRequest): Promise<StoredContent> {
  const { version } = request
  switch (version.content.kind) {
    case 'marker':
      return { content: { kind: 'marker' }, encryption: undefined, refs: [], proof: markerProof }
    case 'blob':
      return await storeBlob(parts, request)
    case 'parts':
      return await storeParts(parts, request, version.content.parts)
    case 'none':
    case 'probe':
      throw new Error('there is no content to store')
    default:
      return version.content satisfies never
  }
}

async function storeBlob(parts: ObjectParts, request: StoreRequest): Promise<StoredContent> {
  const { bucket, version } = request
  const { written, sum } = await writeAndReadBack(parts, request, { lengthBytes: version.size, expected: sumOfBlob(version) })
  const binding = { kind: 'version', bucketId: bucket.id, key: version.key, versionId: version.id } as const
  return {
    content: { kind: 'blob', blob: written.ref },
    encryption: written.dataKey === undefined ? undefined : sealDataKey(parts.keyring, written.dataKey, binding),
    refs: [written.ref],
    proof: proofOf([sum]),
  }
}

async function storeParts(
  parts: ObjectParts,
  request: StoreRequest,
  layout: (WireVersion['content'] & { kind: 'parts' })['parts'],
): Promise<StoredContent> {
  const { bucket, version } = request
  const blobSet = parts.ids.issue()
  const stored: Part[] = []
  const sums: BlobSum[] = []
  try {
    for (const { number, size, etag, checksum, lastModifiedMs } of layout) {
      const expected = sumOfPart({ etag, ...(checksum === undefined ? {} : { checksum }) })
      const { written, sum } = await writeAndReadBack(parts, request, { lengthBytes: size, expected })
      sums.push(sum)
      const binding = { kind: 'part', bucketId: bucket.id, key: version.key, blobSet, number } as const
      stored.push({
        number,
        blob: written.ref,
        size,
        etag,
        lastModifiedMs,
        ...(checksum === undefined ? {} : { checksum }),
        ...(written.dataKey === undefined ? {} : { encryption: sealDataKey(parts.keyring, written.dataKey, binding) }),
      })
    }
  } catch (error) {
    await parts.blobs.remove(stored.map(({ blob }) => blob))
    throw error
  }
  return {
    content: { kind: 'parts', blobSet, parts: stored },
    // Each part has a seal of its own.
    encryption: stored.some(({ encryption }) => encryption !== undefined) ? { algorithm: 'AES256', sealedKey: '' } : undefined,
    refs: stored.map(({ blob }) => blob),
    proof: proofOf(sums),
  }
}

async function writeAndReadBack(
  parts: ObjectParts,
  { bucket, version, incoming, signal }: StoreRequest,
  { lengthBytes, expected }: { readonly lengthBytes: number; readonly expected: BlobSum },
): Promise<{ readonly written: WrittenBlob; readonly sum: BlobSum }> {
  // The destination's default is for what came in clear; what was encrypted stays so.
  const encrypt = version.record.isEncrypted || isEncrypted(parts, bucket, undefined)
  const written = await parts.blobs.write(incoming.next(lengthBytes), { encrypt, lengthBytes, signal })
  try {
    const sum = await readBack(parts, written, { algorithm: expected.algorithm, signal })
    if (sum.value !== expected.value) {
      throw new ReadBackMismatch(`The destination read back ${sum.algorithm} ${sum.value}, and the source has ${expected.value}.`)
    }
    return { written, sum }
  } catch (error) {
    await parts.blobs.remove([written.ref])
    if (error instanceof BlobCorrupt || error instanceof BlobMissing) throw new ReadBackMismatch(error.message, { cause: error })
    throw error
  }
}

const wholeMaxBytes = 1024 * 1024

async function readBack(
  { blobs, hashing }: ObjectParts,
  { ref, lengthBytes, dataKey }: WrittenBlob,
  { algorithm, signal }: { readonly algorithm: BlobSum['algorithm']; readonly signal: AbortSignal },
): Promise<BlobSum> {
  const key = dataKey === undefined ? {} : { dataKey }
  if (lengthBytes <= wholeMaxBytes) {
    const bytes = lengthBytes === 0 ? Buffer.alloc(0) : await blobs.readWhole(ref, { lengthBytes, ...key, signal })
    return { algorithm, value: encoded(algorithm, hashing.digest(hashName(algorithm), bytes)) }
  }
  const hasher = hashing.hasher(hashName(algorithm))
  for await (const piece of blobs.read(ref, { lengthBytes, ...key, signal, reuseBuffers: true })) hasher.update(piece)
  return { algorithm, value: encoded(algorithm, hasher.digest()) }
}

/**
 * The proof of a version that stood here before: its bytes are read and summed as if they had just come.
 * @throws ReadBackMismatch; ContentGone
 */
export async function proveStanding(parts: ObjectParts, version: ObjectVersion, signal: AbortSignal): Promise<string> {
  if (version.isDeleteMarker) return markerProof
  const layout = await layoutOf(parts, version)
  const pieces =
    layout === undefined
      ? [{ size: version.size, sum: sumOfBlob(version) }]
      : layout.map((part) => ({ size: part.size, sum: sumOfPart(part) }))
  try {
    const content = await openContent(parts, version, { signal, reuseBuffers: true })
    const chunks = Buffer.isBuffer(content) ? [content] : content
    return proofOf(await sumPieces(parts.hashing, chunks, pieces))
  } catch (error) {
    const isRot = error instanceof BlobCorrupt || error instanceof BlobMissing || error instanceof ContentDamaged
    if (isRot) throw new ReadBackMismatch(error.message, { cause: error })
    throw error
  }
}

/** What the rows say of a version that stands here: for changes that bring no content, and for what was read back on its way to a tier. */
export async function proofByRows(parts: ObjectParts, version: ObjectVersion): Promise<string> {
  if (version.isDeleteMarker) return markerProof
  const layout = await layoutOf(parts, version)
  return proofOf(layout === undefined ? [sumOfBlob(version)] : layout.map(sumOfPart))
}

async function layoutOf({ metadata }: ObjectParts, { blobSet }: ObjectVersion): Promise<readonly Part[] | undefined> {
  return blobSet === undefined ? undefined : await metadata.read(() => partsOf(blobSet, { afterNumber: 0, limit: partNumberMax }))
}

/** Sums bytes piece by piece: the parts of a version stand one behind the other in its content. */
async function sumPieces(
  hashing: Hashing,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  pieces: readonly { readonly size: number; readonly sum: BlobSum }[],
): Promise<readonly BlobSum[]> {
  const sums: BlobSum[] = []
  let current = begin(0)
  for await (const chunk of chunks) {
    let rest: Buffer = chunk
    while (rest.length > 0) {
      const taken = rest.subarray(0, current.left)
      current.hasher.update(taken)
      current.left -= taken.length
      rest = rest.subarray(taken.length)
      if (current.left === 0) end()
    }
  }
  // Empty pieces, and the empty object, have no chunk that would end them.
  while (sums.length < pieces.length) end()
  return sums

  function begin(index: number) {
    const { size, sum } = pieces[index] ?? { size: Number.POSITIVE_INFINITY, sum: { algorithm: 'MD5', value: '' } as const }
    return { left: size, algorithm: sum.algorithm, hasher: hashing.hasher(hashName(sum.algorithm)) }
  }
  function end(): void {
    sums.push({ algorithm: current.algorithm, value: encoded(current.algorithm, current.hasher.digest()) })
    current = begin(sums.length)
  }
}

function hashName(algorithm: BlobSum['algorithm']) {
  return algorithm === 'MD5' ? 'md5' : hashNameOf(algorithm)
}

function encoded(algorithm: BlobSum['algorithm'], digest: Buffer): string {
  return algorithm === 'MD5' ? digest.toString('hex') : digest.toString('base64')
}
