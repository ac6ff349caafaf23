/** Deleting and changing what stands: one command each, judged inside its transaction. */
import type { AttributeChange, DeleteOne } from '../metadata/tables/versions.ts'
import type { Bucket } from '../model/bucket.ts'
import type { Deleted, ObjectVersion } from '../model/version.ts'
import type { ObjectParts } from './parts.ts'
import type { VersionAddress } from './read.ts'
import { withNewIds } from './version-ids.ts'

export interface DeleteRequest extends VersionAddress {
  /** Who owns a delete marker that this makes: a canonical id. */
  readonly ownerId: string
  readonly ifMatch?: string | undefined
  /** The caller asked to bypass GOVERNANCE, and may. */
  readonly bypass?: boolean
}

/** Without a version id: a delete marker on top, or in an unversioned bucket the object gone. With one: that version gone for good. */
export function deleteObject({ metadata, ids }: Pick<ObjectParts, 'metadata' | 'ids'>, request: DeleteRequest): Promise<Deleted> {
  const { bucket, key, versionId, ownerId } = request
  const condition = request.ifMatch === undefined ? {} : { ifMatch: request.ifMatch }
  if (versionId !== undefined) {
    return metadata.commit({ tx: 'deleteVersion', bucketId: bucket.id, key, versionId, bypass: request.bypass === true, ...condition })
  }
  return withNewIds(ids, (newId) =>
    metadata.commit({ tx: 'deleteObject', bucketId: bucket.id, key, id: newId(key), ownerId, ...condition }),
  )
}

export interface DeleteManyRequest {
  readonly bucket: Bucket
  readonly ownerId: string
  readonly objects: readonly {
    readonly key: string
    readonly versionId?: string | undefined
    readonly ifMatch?: string | undefined
    readonly bypass?: boolean
  }[]
}

/** Many deletions in one commit; outcomes in the order of the request. */
export function deleteMany(
  { metadata, ids }: Pick<ObjectParts, 'metadata' | 'ids'>,
  request: DeleteManyRequest,
): Promise<readonly (Deleted | { readonly code: string; readonly message: string })[]> {
  return withNewIds(ids, (newId) => {
    const deletions = request.objects.map(({ key, versionId, ifMatch, bypass = false }): DeleteOne => {
      const common = { bucketId: request.bucket.id, key, ...(ifMatch === undefined ? {} : { ifMatch }) }
      if (versionId !== undefined) return { kind: 'version', versionId, bypass, ...common }
      return { kind: 'object', id: newId(key), ownerId: request.ownerId, ...common }
    })
    return metadata.commit({ tx: 'deleteMany', deletions })
  })
}

/** Changes tags, ACL or lock of a version, the one that was judged and no other. @returns the version as it stands now @throws S3Error OperationAborted */
export function setAttribute(
  { metadata, ids }: Pick<ObjectParts, 'metadata' | 'ids'>,
  { judged, ...address }: VersionAddress & { readonly judged: ObjectVersion },
  change: AttributeChange,
): Promise<ObjectVersion> {
  const { bucket, key, versionId } = address
  return withNewIds(ids, (newId) =>
    metadata.commit({
      tx: 'setAttribute',
      bucketId: bucket.id,
      key,
      stamp: newId(key),
      change,
      judgedId: judged.id,
      ...(versionId === undefined ? {} : { versionId }),
    }),
  )
}
