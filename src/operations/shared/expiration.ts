/** What answers tell of a bucket's lifecycle rules: when an object expires, and when an open upload is aborted. */
import type { LifecycleFacts } from '../../model/lifecycle.ts'
import { expiryOf, uploadExpiry } from '../../model/lifecycle-rules.ts'
import type { ObjectVersion } from '../../model/version.ts'
import type { OperationContext } from '../../s3/define.ts'
import type { ReplyHeaders } from '../../s3/reply.ts'
import { httpTime } from '../../s3/xml/write.ts'

type Asked = Pick<OperationContext, 'bucket' | 'services'>

/** `x-amz-expiration` of a current object; nothing of any other version. */
export function expirationHeader({ bucket, services }: Asked, version: ObjectVersion): ReplyHeaders {
  const { lifecycle } = bucket.settings
  if (lifecycle === undefined || !version.isLatest) return {}
  const expiry = expiryOf(lifecycle, factsOfCurrent(version), { dayMs: services.defaults.lifecycleDayMs })
  if (expiry === undefined || expiry.dueMs > dateMaxMs) return {}
  return { 'x-amz-expiration': `expiry-date="${httpTime(expiry.dueMs)}", rule-id="${encodeURIComponent(expiry.ruleId)}"` }
}

/** `x-amz-abort-date` and `x-amz-abort-rule-id` of an open upload. */
export function abortHeaders({ bucket, services }: Asked, upload: { readonly key: string; readonly initiatedMs: number }): ReplyHeaders {
  const { lifecycle } = bucket.settings
  const expiry = lifecycle && uploadExpiry(lifecycle, upload, { dayMs: services.defaults.lifecycleDayMs })
  if (expiry === undefined || expiry.dueMs > dateMaxMs) return {}
  return { 'x-amz-abort-date': httpTime(expiry.dueMs), 'x-amz-abort-rule-id': encodeURIComponent(expiry.ruleId) }
}

/** Later dates cannot be written as HTTP writes them. */
const dateMaxMs = Date.UTC(9999, 11, 31)

/** How many other versions there are matters only to markers and noncurrent ones. */
function factsOfCurrent(version: ObjectVersion): LifecycleFacts {
  const { key, size, isLatest, isDeleteMarker, storageClass, lastModifiedMs, sinceMs, record } = version
  return {
    ...{ key, size, isLatest, isDeleteMarker, storageClass, lastModifiedMs, sinceMs },
    tags: record.tags.value,
    newerNoncurrent: 0,
    isOnlyVersion: false,
  }
}
