/** Multipart uploads: parts are blobs of their own, and completing an upload copies nothing. */

import { partsOf, uploadById } from '../metadata/tables/uploads.ts'
import type { MadeVersion } from '../metadata/tables/versions.ts'
import type { Bucket } from '../model/bucket.ts'
import { compositeValue } from '../model/checksums.ts'
import type { WriteConditions } from '../model/conditions.ts'
import { combineCrc, isCrcAlgorithm } from '../model/crc-combine.ts'
import { S3Error } from '../model/errors.ts'
import { multipartEtag } from '../model/etag.ts'
import { objectMaxBytes, partMinBytes, partNumberMax } from '../model/limits.ts'
import type { Initiator, Upload, UploadOutcome, UploadRecord } from '../model/upload.ts'
import type { Part, StoredChecksum } from '../model/version.ts'
import { type ContentClaims, type ContentSource, hashNameOf, storeContent } from './content.ts'
import type { ObjectParts } from './parts.ts'
import { dropUncommitted, isEncrypted, lockOf, type ObjectAttributes } from './put.ts'
import { sealDataKey } from './seals.ts'
import { withNewIds } from './version-ids.ts'

/** Which upload: it belongs to one bucket and key. */
export interface UploadAddress {
  readonly bucket: Bucket
  readonly key: string
  readonly uploadId: string
}

/** Begins an upload, under an id of its own. */
export async function createUpload(
  parts: ObjectParts,
  request: {
    readonly bucket: Bucket
    readonly key: string
    readonly initiator?: Initiator
    readonly attributes: ObjectAttributes
    readonly checksum: UploadRecord['checksum']
  },
): Promise<{ readonly uploadId: string; readonly initiatedMs: number; readonly record: UploadRecord }> {
  const { bucket, key, initiator, attributes, checksum } = request
  const { encryption, ...kept } = attributes
  const record: UploadRecord = {
    ...kept,
    ...(initiator !== undefined && { initiator }),
    checksum,
    isEncrypted: isEncrypted(parts, bucket, encryption),
  }
  const uploadId = parts.ids.issue()
  const { initiatedMs } = await parts.metadata.commit({ tx: 'createUpload', id: uploadId, bucketId: bucket.id, key, record })
  return { uploadId, initiatedMs, record }
}

/** @throws S3Error NoSuchUpload */
export async function findUpload({ metadata }: ObjectParts, { bucket, key, uploadId }: UploadAddress): Promise<Upload> {
  const upload = await metadata.read(() => uploadById({ bucketId: bucket.id, key, uploadId }))
  return upload
}

/** An upload that still takes parts. @throws S3Error NoSuchUpload */
export async function findOpenUpload(parts: ObjectParts, address: UploadAddress): Promise<Upload> {
  const upload = await findUpload(parts, address)
  if (upload.state !== 'open') throw new S3Error('NoSuchUpload', { details: { UploadId: upload.id } })
  return upload
}

/** Stores a part, in place of one of the same number. @throws S3Error NoSuchUpload, and as the body decides */
export async function putPart(
  parts: ObjectParts,
  request: UploadAddress & { readonly number: number; readonly claims: ContentClaims; readonly signal: AbortSignal },
  source: ContentSource,
): Promise<{ readonly upload: Upload; readonly part: Part }> {
  const upload = await findOpenUpload(parts, request)
  const { algorithm } = upload.record.checksum
  const content = await storeContent(parts, source, {
    claims: request.claims,
    algorithm,
    encrypt: upload.record.isEncrypted,
    signal: request.signal,
  })
  const { bucket, key, number } = request
  const { dataKey } = content.blob
  const part: Omit<Part, 'lastModifiedMs'> = {
    number,
    blob: content.blob.ref,
    size: content.size,
    etag: content.md5,
    checksum: content.checksum,
    ...(dataKey === undefined
      ? {}
      : { encryption: sealDataKey(parts.keyring, dataKey, { kind: 'part', bucketId: bucket.id, key, blobSet: upload.id, number }) }),
  }
  try {
    const { lastModifiedMs } = await parts.metadata.commit({ tx: 'putPart', bucketId: bucket.id, key, uploadId: upload.id, part })
    return { upload, part: { ...part, lastModifiedMs } }
  } catch (error) {
    await dropUncommitted(parts, [content.blob.ref])
    throw error
  }
}

/** One `<Part>` of a CompleteMultipartUpload. ETag without quotes. */
export interface ChosenPart {
  readonly PartNumber: number
  readonly ETag: string
  readonly checksums: readonly Pick<StoredChecksum, 'algorithm' | 'value'>[]
}

export interface CompleteRequest extends UploadAddress {
  readonly chosen: readonly ChosenPart[]
  /** The checksum of the whole, when the client says it. */
  readonly checksum?: Pick<StoredChecksum, 'algorithm' | 'value'> | undefined
  readonly checksumType?: StoredChecksum['type'] | undefined
  /** x-amz-mp-object-size */
  readonly objectSize?: number | undefined
  readonly conditions?: WriteConditions | undefined
}

/**
 * Turns an upload into a version. Asked again with the same parts, it answers the same.
 * @throws S3Error NoSuchUpload, MalformedXML, InvalidPartOrder, InvalidPart, EntityTooSmall, EntityTooLarge, InvalidRequest, BadDigest, and as the conditions decide
 */
export async function completeUpload(parts: ObjectParts, request: CompleteRequest): Promise<UploadOutcome> {
  const upload = await findUpload(parts, request)
  const asked = JSON.stringify(request.chosen.map(({ PartNumber, ETag }) => [PartNumber, ETag]))
  if (upload.outcome !== undefined) return repeatedOutcome(upload, asked)
  const standing = await parts.metadata.read(() => partsOf(upload.id, { afterNumber: 0, limit: partNumberMax }))
  const chosen = chooseParts(upload, request.chosen, standing)
  const size = chosen.reduce((sum, part) => sum + part.size, 0)
  if (size > objectMaxBytes) throw new S3Error('EntityTooLarge', { details: { ProposedSize: size, MaxSizeAllowed: objectMaxBytes } })
  if (request.objectSize !== undefined && request.objectSize !== size) {
    throw new S3Error('InvalidRequest', { message: 'The provided x-amz-mp-object-size does not match the size of the parts.' })
  }
  const checksum = checksumOf(parts, upload, chosen)
  checkClaim(request, upload, checksum)
  const etag = multipartEtag(chosen.map((part) => part.etag))
  const made = await commitComplete(parts, { request, upload, chosen, size, etag, checksum, asked }).catch(async (error: unknown) => {
    if (!(error instanceof S3Error) || error.code !== 'NoSuchUpload') throw error
    // Another request completed it meanwhile: a client that repeats itself did not wait for the first answer.
    return repeatedOutcome(await findUpload(parts, request), asked)
  })
  if ('asked' in made) return made
  return {
    versionId: made.version.isNull ? 'null' : made.version.id,
    isVersioned: made.isVersioned,
    etag,
    asked,
    checksum,
    isEncrypted: upload.record.isEncrypted,
  }
}

/** What the first of several equal requests answered. @throws S3Error NoSuchUpload when another list of parts was completed */
function repeatedOutcome({ id, outcome }: Upload, asked: string): UploadOutcome {
  if (outcome?.asked === asked) return outcome
  throw new S3Error('NoSuchUpload', { details: { UploadId: id } })
}

function commitComplete(
  { metadata, ids, tiers }: ObjectParts,
  of: {
    readonly request: CompleteRequest
    readonly upload: Upload
    readonly chosen: readonly Part[]
    readonly size: number
    readonly etag: string
    readonly checksum: StoredChecksum
    readonly asked: string
  },
): Promise<MadeVersion> {
  const { request, upload, chosen, size, etag, checksum, asked } = of
  const { record } = upload
  return withNewIds(ids, (newId) => {
    const id = newId(request.key)
    return metadata.commit({
      tx: 'completeUpload',
      uploadId: upload.id,
      parts: chosen.map(({ number, etag, size }) => ({ number, etag, size })),
      outcome: { etag, asked, checksum, isEncrypted: record.isEncrypted },
      version: {
        bucketId: request.bucket.id,
        key: request.key,
        id,
        size,
        etag,
        storageClass: record.storageClass,
        leaves: tiers.tierFor(record.storageClass) !== undefined,
        blobSet: upload.id,
        partCount: chosen.length,
        record: {
          ownerId: record.ownerId,
          system: record.system,
          user: record.user,
          checksum,
          tags: { stamp: id, value: record.tags },
          acl: { stamp: id, value: record.acl },
          ...lockOf(id, record),
          // Each part has a seal of its own.
          ...(record.isEncrypted ? { encryption: { algorithm: 'AES256', sealedKey: '' } as const } : {}),
        },
      },
      ...(request.conditions === undefined ? {} : { conditions: request.conditions }),
    })
  })
}

/** The stored parts that the client names, judged. */
function chooseParts(upload: Upload, chosen: readonly ChosenPart[], standing: readonly Part[]): readonly Part[] {
  if (chosen.length === 0 || chosen.length > partNumberMax) throw new S3Error('MalformedXML')
  const byNumber = new Map(standing.map((part) => [part.number, part]))
  let previous = 0
  for (const { PartNumber } of chosen) {
    if (PartNumber <= previous) throw new S3Error('InvalidPartOrder', { details: { UploadId: upload.id } })
    previous = PartNumber
  }
  const found = chosen.map((wanted) => {
    const part = byNumber.get(wanted.PartNumber)
    if (part === undefined || part.etag !== wanted.ETag) throw invalidPart(upload, wanted)
    checkPartChecksum(upload, wanted, part)
    return part
  })
  const small = found.slice(0, -1).find(({ size }) => size < partMinBytes)
  if (small === undefined) return found
  throw new S3Error('EntityTooSmall', {
    details: { ETag: small.etag, MinSizeAllowed: partMinBytes, ProposedSize: small.size, PartNumber: small.number },
  })
}

function checkPartChecksum(upload: Upload, wanted: ChosenPart, part: Part): void {
  const { algorithm, type, isGiven } = upload.record.checksum
  // One of another algorithm than the upload's was checked with the part; it is not kept, so it cannot be compared here.
  const named = wanted.checksums.find((checksum) => checksum.algorithm === algorithm)
  if (named === undefined) {
    if (!isGiven || type !== 'COMPOSITE') return
    throw new S3Error('InvalidRequest', {
      message: `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`,
    })
  }
  if (named.value !== part.checksum?.value) throw invalidPart(upload, wanted)
}

function checksumOf({ hashing }: ObjectParts, upload: Upload, chosen: readonly Part[]): StoredChecksum {
  const { algorithm, type } = upload.record.checksum
  const checksumValue = (part: Part): string => {
    if (part.checksum?.algorithm !== algorithm) throw new Error(`part ${part.number} of upload ${upload.id} has no ${algorithm}`)
    return part.checksum.value
  }
  if (type === 'FULL_OBJECT' && isCrcAlgorithm(algorithm)) {
    const value = combineCrc(
      algorithm,
      chosen.map((part) => ({ valueBase64: checksumValue(part), lengthBytes: part.size })),
    )
    return { algorithm, type, value }
  }
  const digest = (bytes: Uint8Array): Buffer => hashing.digest(hashNameOf(algorithm), bytes)
  return { algorithm, type, value: compositeValue(chosen.map(checksumValue), digest) }
}

function checkClaim(request: CompleteRequest, upload: Upload, checksum: StoredChecksum): void {
  if (request.checksumType !== undefined && request.checksumType !== checksum.type) {
    throw new S3Error('InvalidRequest', {
      message: `The upload was created using the ${upload.record.checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    })
  }
  if (request.checksum === undefined || request.checksum.algorithm !== checksum.algorithm) return
  // A composite value may be given with or without the number of parts.
  if (request.checksum.value === checksum.value || `${request.checksum.value}-${request.chosen.length}` === checksum.value) return
  throw new S3Error('BadDigest', { message: `The ${checksum.algorithm} you specified did not match the calculated checksum.` })
}

/** @throws S3Error NoSuchUpload */
export async function abortUpload({ metadata }: ObjectParts, { bucket, key, uploadId }: UploadAddress): Promise<void> {
  await metadata.commit({ tx: 'abortUpload', bucketId: bucket.id, key, uploadId })
}

/** One page of an upload's parts, and the upload. @throws S3Error NoSuchUpload */
export async function listParts(
  parts: ObjectParts,
  address: UploadAddress,
  page: { readonly afterNumber: number; readonly limit: number },
): Promise<{ readonly upload: Upload; readonly parts: readonly Part[]; readonly isTruncated: boolean }> {
  const upload = await findOpenUpload(parts, address)
  const found = await parts.metadata.read(() => partsOf(upload.id, { ...page, limit: page.limit + 1 }))
  return { upload, parts: found.slice(0, page.limit), isTruncated: found.length > page.limit && page.limit > 0 }
}

function invalidPart(upload: Upload, wanted: ChosenPart): S3Error {
  return new S3Error('InvalidPart', { details: { UploadId: upload.id, PartNumber: wanted.PartNumber, ETag: wanted.ETag } })
}
