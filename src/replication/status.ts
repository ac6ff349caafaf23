/** How replication stands, for people and their tools: each rule with its counters, each failed version with its reason. */
import type { Metadata } from '../metadata/engine.ts'
import { replicatingBuckets } from '../metadata/tables/buckets.ts'
import { failedTasks, type LinkStatus, linkStatuses } from '../metadata/tables/settlements.ts'
import type { TaskId } from '../metadata/tables/tasks.ts'
import { parseBucketArn } from '../model/arn.ts'
import type { Bucket } from '../model/bucket.ts'
import type { WorkerStatus } from './worker.ts'

export interface RuleStatus {
  readonly region: string
  readonly bucket: string
  readonly ruleId: string
  readonly destination: { readonly bucket: string; readonly region: string }
  readonly pendingOperations: number
  readonly pendingBytes: number
  /** Of the version that waits longest; 0 when none does. */
  readonly oldestPendingAgeMs: number
  readonly failed: number
  /** `at` in ISO 8601. It may be over: what counts is what is pending and failed. */
  readonly lastError: { readonly code: string; readonly message: string; readonly at: string } | null
}

export interface FailedObject {
  readonly region: string
  readonly bucket: string
  readonly key: string
  readonly versionId: string
  readonly ruleId: string
  readonly destination: { readonly bucket: string; readonly region: string }
  readonly reason: string
  readonly message: string
  readonly attempts: number
  /** ISO 8601. */
  readonly nextAttemptAt: string
}

export interface FailedPage {
  readonly objects: readonly FailedObject[]
  /** Where the next page begins; absent when this was the last. */
  readonly next?: string
}

export interface StatusParts {
  readonly metadata: Metadata
  readonly self: string
  readonly clock: { nowMs(): number }
  readonly workers: readonly { status(): WorkerStatus }[]
}

const failedPageMax = 1000

/** Every rule that is configured, and every one that still has something pending or failed. */
export async function ruleStatuses(parts: StatusParts): Promise<readonly RuleStatus[]> {
  const { metadata, clock } = parts
  const links = await metadata.read(linkStatuses)
  const buckets = await metadata.read(replicatingBuckets)
  const configured = buckets.flatMap(configuredLinks)
  const isConfigured = (link: LinkStatus): boolean => configured.some((one) => isSameLink(one, link))
  const shown = [
    ...configured.map((one) => links.find((link) => isSameLink(one, link)) ?? one),
    ...links.filter((link) => !isConfigured(link) && link.pendingOperations + link.failed > 0),
  ]
  return shown.map((link) => ({
    region: parts.self,
    bucket: link.bucket,
    ruleId: link.ruleId,
    destination: { bucket: link.destinationName, region: link.region },
    pendingOperations: link.pendingOperations,
    pendingBytes: link.pendingBytes,
    oldestPendingAgeMs: link.oldestPendingMs === undefined ? 0 : Math.max(0, clock.nowMs() - link.oldestPendingMs),
    failed: link.failed,
    lastError: lastErrorOf(parts, link),
  }))
}

/** @param after  `next` of the page before @throws RangeError when it is none */
export async function failedPage({ metadata, self }: StatusParts, after: string | undefined): Promise<FailedPage> {
  const from = after === undefined ? {} : { after: decodePlace(after) }
  const tasks = await metadata.read(() => failedTasks({ ...from, limit: failedPageMax }))
  const last = tasks.at(-1)
  return {
    objects: tasks.map((task) => ({
      region: self,
      bucket: task.bucket,
      key: task.key,
      versionId: task.versionId,
      ruleId: task.ruleId,
      destination: { bucket: task.destinationName, region: task.region },
      reason: task.reason ?? '',
      message: task.message ?? '',
      attempts: task.attempts,
      nextAttemptAt: new Date(task.nextAttemptMs).toISOString(),
    })),
    ...(last !== undefined && tasks.length === failedPageMax ? { next: encodePlace(last) } : {}),
  }
}

/** What each rule of a bucket is before it has had work. */
function configuredLinks(bucket: Bucket): readonly LinkStatus[] {
  const { replication } = bucket.settings
  if (replication === undefined) return []
  return replication.configuration.Rule.flatMap((rule) => {
    const destinationName = parseBucketArn(rule.Destination.Bucket) ?? ''
    const destination = Object.hasOwn(replication.destinations, destinationName) ? replication.destinations[destinationName] : undefined
    if (destination === undefined) return []
    const counters = { pendingOperations: 0, pendingBytes: 0, failed: 0 }
    const names = { bucketId: bucket.id, bucket: bucket.name, ruleId: rule.ID, destinationName }
    return [{ ...names, destination: destination.bucketId, region: destination.region, ...counters }]
  })
}

function isSameLink(one: LinkStatus, other: LinkStatus): boolean {
  return one.bucketId === other.bucketId && one.destination === other.destination && one.ruleId === other.ruleId
}

/** The last fault of the whole way to the region is this rule's too, while it has something to send. */
function lastErrorOf({ workers }: StatusParts, link: LinkStatus): RuleStatus['lastError'] {
  const own = link.lastError
  const ofRegion = workers.map((worker) => worker.status()).find(({ region }) => region === link.region)?.lastFault ?? undefined
  const shared = link.pendingOperations > 0 && (ofRegion?.atMs ?? 0) > (own?.atMs ?? 0) ? ofRegion : undefined
  const last = shared ?? own
  return last === undefined ? null : { code: last.code, message: last.message, at: new Date(last.atMs).toISOString() }
}

function encodePlace({ bucketId, key, versionId, destination }: TaskId): string {
  return Buffer.from(JSON.stringify([bucketId, key, versionId, destination]), 'utf8').toString('base64url')
}

function decodePlace(text: string): TaskId {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (Array.isArray(place) && place.length === 4 && place.every((one) => typeof one === 'string')) {
      const [bucketId, key, versionId, destination] = place
      return { bucketId, key, versionId, destination }
    }
  } catch {
    // Said below, as for everything else that is no place.
  }
  throw new RangeError('`after` is not the end of a page')
}
