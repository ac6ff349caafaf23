/** What the source's side forbids: the destination knows neither the policy of the source bucket nor who owns what is in it. */
import { isOrderedId } from '../lib/hybrid-clock.ts'
import type { Task } from '../metadata/tables/tasks.ts'
import { objectAclAllows } from '../model/acl-permissions.ts'
import { parseRoleArn } from '../model/arn.ts'
import type { Bucket } from '../model/bucket.ts'
import { readLegalHold, readRetention } from '../model/object-lock.ts'
import type { PolicyDocument } from '../model/policy-document.ts'
import { sourcePolicyRefusal } from '../model/replication-permission.ts'
import type { FailureReason } from '../model/replication-reasons.ts'
import type { VersionRecord } from '../model/version.ts'

export interface SourceSide {
  readonly bucket: Bucket
  /** Of the bucket, read; undefined: it has none. */
  readonly policy: PolicyDocument | undefined
  readonly version: {
    readonly isDeleteMarker: boolean
    readonly record: Pick<VersionRecord, 'ownerId' | 'acl' | 'retention' | 'legalHold'>
  }
  readonly task: Pick<Task, 'key' | 'isContent'>
  readonly nowMs: number
}

/** Why a version may not leave, if it may not. */
export function sourceRefusal({ bucket, policy, version, task, nowMs }: SourceSide): FailureReason | undefined {
  const { key, isContent } = task
  const arn = bucket.settings.replication?.configuration.Role ?? ''
  const named = parseRoleArn(arn)
  if (policy !== undefined && named !== undefined) {
    const source = { bucket: bucket.name, key, ownerId: bucket.ownerId }
    const refusal = sourcePolicyRefusal({ policy, role: { ...named, arn }, source, isContent, lock: version.record, nowMs })
    if (refusal !== undefined) return refusal
  }
  // What the row of a lock does not say cannot be sent, and a version without its lock must not be.
  const { retention, legalHold } = version.record
  if (readRetention(version.record) === 'unreadable' || !isStamped(retention)) return 'SrcGetRetentionNotPermitted'
  if (readLegalHold(version.record) === 'unreadable' || !isStamped(legalHold)) return 'SrcGetLegalHoldNotPermitted'
  return isContent && !isReadable(bucket, version) ? 'SrcGetObjectNotPermitted' : undefined
}

function isStamped(attribute: { readonly stamp: unknown } | undefined): boolean {
  return attribute === undefined || (typeof attribute.stamp === 'string' && isOrderedId(attribute.stamp))
}

/**
 * With ACLs on, what another account owns is copied only when it lets the bucket's owner read it and its ACL.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
 */
function isReadable({ ownerId, settings }: Bucket, { record, isDeleteMarker }: SourceSide['version']): boolean {
  if (isDeleteMarker || settings.ownership === 'BucketOwnerEnforced' || record.ownerId === ownerId) return true
  const asker = { canonicalId: ownerId, isIdentified: true, ignoresPublic: settings.publicAccessBlock?.IgnorePublicAcls === true }
  return ['s3:GetObject', 's3:GetObjectAcl'].every((action) => objectAclAllows(record.acl.value, asker, action))
}
