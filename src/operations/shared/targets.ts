/** What an access check of an object operation is about. */
import { isPrincipal } from '../../access/caller.ts'
import type { Tag } from '../../model/tags.ts'
import type { OperationContext, Target } from '../../s3/define.ts'

export function objectTarget({ bucket }: Pick<OperationContext, 'bucket'>, key: string, versionId?: string): Target {
  return { bucket, bucketName: bucket.name, key, versionId }
}

/** The object that a request writes; `tags` where no header says which. */
export function newObjectTarget({ bucket }: Pick<OperationContext, 'bucket'>, key: string, tags?: readonly Tag[]): Target {
  return { bucket, bucketName: bucket.name, key, isNew: true, ...(tags !== undefined && { tags }) }
}

export function bucketTarget({ bucket }: Pick<OperationContext, 'bucket'>): Target {
  return { bucket, bucketName: bucket.name, key: undefined }
}

/** Who owns what this caller makes in the bucket; a caller without an account leaves it to the bucket's owner. */
export function writerId({ caller, bucket }: Pick<OperationContext, 'caller' | 'bucket'>): string {
  const isOwners = bucket.settings.ownership === 'BucketOwnerEnforced'
  return isPrincipal(caller) && !isOwners ? caller.canonicalId : bucket.ownerId
}
