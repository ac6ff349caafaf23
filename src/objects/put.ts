/** PutObject's heart: bytes before the row, the row before the answer. */
import type { MadeVersion, NewVersion } from '../metadata/tables/versions.ts'
import type { Grant } from '../model/acl.ts'
import type { Bucket } from '../model/bucket.ts'
import type { ChecksumAlgorithm } from '../model/checksums.ts'
import type { WriteConditions } from '../model/conditions.ts'
import type { Retention } from '../model/object-lock.ts'
import type { StorageClass } from '../model/storage-class.ts'
import type { Tag } from '../model/tags.ts'
import type { SystemMetadata, UserMetadata } from '../model/user-metadata.ts'
import type { VersionRecord } from '../model/version.ts'
import { type ContentClaims, type ContentSource, type StoredContent, storeContent } from './content.ts'
import type { ObjectParts } from './parts.ts'
import { sealDataKey } from './seals.ts'
import { withNewIds } from './version-ids.ts'

/** What an object carries beside its bytes. */
export interface ObjectAttributes {
  /** Canonical id. */
  readonly ownerId: string
  readonly storageClass: StorageClass
  readonly system: SystemMetadata
  readonly user: UserMetadata
  readonly tags: readonly Tag[]
  /** [] stands for the owner alone. */
  readonly acl: readonly Grant[]
  /** What the request asks for; undefined leaves it to the bucket, and then to the deployment. */
  readonly encryption?: 'AES256' | undefined
  /** Undefined leaves it to the bucket. */
  readonly retention?: Retention | undefined
  readonly legalHold?: boolean | undefined
}

export interface PutRequest {
  readonly bucket: Bucket
  readonly key: string
  readonly attributes: ObjectAttributes
  readonly claims: ContentClaims
  /** To keep when the claim does not name one. */
  readonly algorithm?: ChecksumAlgorithm | undefined
  readonly conditions?: WriteConditions | undefined
  readonly signal: AbortSignal
}

/**
 * Stores an object. It is there, whole and durable, when this resolves; otherwise nothing of it is.
 * @throws S3Error as the body and the conditions decide
 */
export async function putObject(parts: ObjectParts, request: PutRequest, source: ContentSource): Promise<MadeVersion> {
  const content = await storeContent(parts, source, {
    claims: request.claims,
    algorithm: request.claims.checksum?.algorithm ?? request.algorithm ?? 'CRC64NVME',
    encrypt: isEncrypted(parts, request.bucket, request.attributes.encryption),
    signal: request.signal,
  })
  return await commitContent(parts, request, content)
}

/** Makes the version of content that is stored; removes the content when the version is refused. */
export async function commitContent(
  parts: ObjectParts,
  request: Pick<PutRequest, 'bucket' | 'key' | 'attributes' | 'conditions'>,
  content: StoredContent,
): Promise<MadeVersion> {
  try {
    return await withNewIds(parts.ids, (newId) =>
      parts.metadata.commit({
        tx: 'putVersion',
        version: newVersion(parts, { ...request, id: newId(request.key), content }),
        ...(request.conditions === undefined ? {} : { conditions: request.conditions }),
      }),
    )
  } catch (error) {
    await dropUncommitted(parts, [content.blob.ref])
    throw error
  }
}

/** Request, bucket, deployment: the first that speaks decides. */
export function isEncrypted({ encryptByDefault }: ObjectParts, bucket: Bucket, requested: 'AES256' | undefined): boolean {
  return requested !== undefined || bucket.settings.encryption !== undefined || encryptByDefault
}

function newVersion(
  { keyring, tiers }: ObjectParts,
  of: Pick<PutRequest, 'bucket' | 'key' | 'attributes'> & { readonly id: string; readonly content: StoredContent },
): NewVersion {
  const { bucket, key, attributes, id, content } = of
  const { dataKey } = content.blob
  return {
    bucketId: bucket.id,
    key,
    id,
    size: content.size,
    etag: content.md5,
    storageClass: attributes.storageClass,
    leaves: tiers.tierFor(attributes.storageClass) !== undefined,
    blob: content.blob.ref,
    record: {
      ownerId: attributes.ownerId,
      system: attributes.system,
      user: attributes.user,
      checksum: content.checksum,
      tags: { stamp: id, value: attributes.tags },
      acl: { stamp: id, value: attributes.acl },
      ...lockOf(id, attributes),
      ...(dataKey === undefined
        ? {}
        : { encryption: sealDataKey(keyring, dataKey, { kind: 'version', bucketId: bucket.id, key, versionId: id }) }),
    },
  }
}

/** The lock that a version is made with, as far as its request says. */
export function lockOf(
  id: string,
  { retention, legalHold }: Pick<ObjectAttributes, 'retention' | 'legalHold'>,
): Pick<VersionRecord, 'retention' | 'legalHold'> {
  return {
    ...(retention !== undefined && { retention: { stamp: id, value: retention } }),
    ...(legalHold !== undefined && { legalHold: { stamp: id, value: legalHold } }),
  }
}

/**
 * Removes the blobs of a commit that was refused. NOTE: when the engine is fenced or closed, rows may survive although their commit failed: the bytes
 * stay then, and the next start's sweep decides by the rows that do.
 */
export async function dropUncommitted(
  { metadata, blobs }: Pick<ObjectParts, 'metadata' | 'blobs'>,
  refs: readonly string[],
): Promise<void> {
  const { state } = metadata.status()
  if (state === 'open' || state === 'full') await blobs.remove(refs)
}
