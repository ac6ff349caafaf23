/** How replication stands, for people: every rule with its exact backlog, every failed version with its reason. */
import type { Clock } from '../lib/clock.ts'
import type { Metadata } from '../metadata/engine.ts'
import { replicatingBuckets } from '../metadata/tables/buckets.ts'
import { failedTasks, type LinkStatus, linkStatuses } from '../metadata/tables/settlements.ts'
import type { TaskId } from '../metadata/tables/tasks.ts'
import { parseBucketArn } from '../model/arn.ts'
import type { Bucket } from '../model/bucket.ts'

export interface RuleStatus {
  readonly region: string
  readonly bucket: string
  readonly ruleId: string
  readonly destination: { readonly bucket: string; readonly region: string }
  readonly pendingOperations: number
  readonly pendingBytes: number
  /** 0 when nothing is pending. */
  readonly oldestPendingAgeMs: number
  readonly failed: number
  /** The last thing that went wrong, also when it is mended by now. `at` is ISO 8601. */
  readonly lastError: { readonly code: string; readonly message: string; readonly at: string } | null
}

export interface FailedObject {
  readonly region: string
  readonly bucket: string
  readonly key: string
  readonly versionId: string
  readonly ruleId: string
  /** Name of the destination bucket. */
  readonly destination: string
  readonly reason: string
  readonly message: string
  readonly attempts: number
  /** ISO 8601. */
  readonly nextAttemptAt: string
}

export interface FailedPage {
  readonly objects: readonly FailedObject[]
  /** What the next page is asked for with; absent on the last. */
  readonly next?: TaskId
}

/** What stands between two regions at this moment. */
export interface LinkFault {
  readonly code: string
  readonly message: string
  readonly atMs: number
}

export interface StatusParts {
  readonly metadata: Metadata
  readonly self: string
  readonly clock: Clock
}

/** Every rule that is configured here, and every one that was and still has work. No scan of objects. */
export async function ruleStatuses({
  metadata,
  self,
  clock,
  faultOf,
}: StatusParts & { readonly faultOf: (region: string) => LinkFault | undefined }): Promise<readonly RuleStatus[]> {
  const { links, buckets } = await metadata.read(function* () {
    return { links: yield* linkStatuses(), buckets: yield* replicatingBuckets() }
  })
  const nowMs = clock.nowMs()
  const seen = new Set(links.map(linkName))
  const quiet = buckets.flatMap(linksOf).filter((link) => !seen.has(linkName(link)))
  const configured = new Set(buckets.flatMap(linksOf).map(linkName))
  const shown = links.filter((link) => configured.has(linkName(link)) || link.pendingOperations + link.failed > 0)
  return [...shown, ...quiet].map((link) => ({
    region: self,
    bucket: link.bucket,
    ruleId: link.ruleId,
    destination: { bucket: link.destinationName, region: link.region },
    pendingOperations: link.pendingOperations,
    pendingBytes: link.pendingBytes,
    oldestPendingAgeMs: link.oldestPendingMs === undefined ? 0 : Math.max(0, nowMs - link.oldestPendingMs),
    failed: link.failed,
    lastError: errorOf((link.pendingOperations > 0 ? faultOf(link.region) : undefined) ?? link.lastError),
  }))
}

/** Failed versions, `limit` at a time. */
export async function failedObjects(
  { metadata, self }: StatusParts,
  page: { readonly after?: TaskId; readonly limit: number },
): Promise<FailedPage> {
  const tasks = await metadata.read(() => failedTasks(page))
  const last = tasks.at(-1)
  return {
    objects: tasks.map((task) => ({
      region: self,
      bucket: task.bucket,
      key: task.key,
      versionId: task.versionId,
      ruleId: task.ruleId,
      destination: task.destinationName,
      reason: task.reason ?? '',
      message: task.message ?? '',
      attempts: task.attempts,
      nextAttemptAt: new Date(task.nextAttemptMs).toISOString(),
    })),
    ...(last === undefined || tasks.length < page.limit
      ? {}
      : { next: { bucketId: last.bucketId, key: last.key, versionId: last.versionId, destination: last.destination } }),
  }
}

function errorOf(error: LinkFault | undefined): RuleStatus['lastError'] {
  return error === undefined ? null : { code: error.code, message: error.message, at: new Date(error.atMs).toISOString() }
}

function linkName({ bucketId, destination, ruleId }: Pick<LinkStatus, 'bucketId' | 'destination' | 'ruleId'>): string {
  return JSON.stringify([bucketId, destination, ruleId])
}

/** The links of a bucket's rules, as they stand before their first work. */
function linksOf({ id, name, settings }: Bucket): readonly LinkStatus[] {
  const { replication } = settings
  if (replication === undefined) return []
  return replication.configuration.Rule.flatMap((rule) => {
    const destinationName = parseBucketArn(rule.Destination.Bucket) ?? rule.Destination.Bucket
    const destination = replication.destinations[destinationName]
    if (destination === undefined || rule.Status !== 'Enabled') return []
    return [
      {
        bucketId: id,
        bucket: name,
        ruleId: rule.ID,
        destination: destination.bucketId,
        destinationName,
        region: destination.region,
        pendingOperations: 0,
        pendingBytes: 0,
        failed: 0,
      },
    ]
  })
}
