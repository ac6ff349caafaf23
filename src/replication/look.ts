/** Replication as somebody looks at it who wonders: what waits, how one version stands, and "try it now". */
import type { Clock } from '../lib/clock.ts'
import type { Metadata } from '../metadata/engine.ts'
import { bucketByName } from '../metadata/tables/buckets.ts'
import { tasksOfVersion, type WaitingPlace, waitingTasks } from '../metadata/tables/task-lists.ts'
import type { Task } from '../metadata/tables/tasks.ts'
import { newestVersion, versionById } from '../metadata/tables/version-rows.ts'
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { headerStatus, type ReplicationHeader } from '../model/replication-status.ts'
import { type ObjectVersion, publicVersionId } from '../model/version.ts'

export interface LookParts {
  readonly metadata: Metadata
  readonly clock: Clock
}

/** What is left to do for a version at one destination. Times are ISO 8601. */
export interface TaskView {
  readonly key: string
  readonly versionId: string
  readonly ruleId: string
  readonly destination: { readonly bucket: string; readonly region: string }
  readonly state: 'waiting' | 'failed'
  /** Bytes still to be sent; 0 when only attributes are. */
  readonly bytes: number
  readonly queuedAt: string
  readonly attempts: number
  /** Null: as soon as it can be. */
  readonly nextAttemptAt: string | null
  /** Of the last attempt; null when nothing went wrong. */
  readonly lastError: { readonly code: string; readonly message: string } | null
}

export interface QueuePage {
  readonly tasks: readonly TaskView[]
  readonly next?: WaitingPlace
}

export interface VersionView {
  readonly bucket: string
  readonly key: string
  readonly versionId: string
  readonly isDeleteMarker: boolean
  readonly writtenAt: string
  /** As HEAD says it; null: no rule chose it. */
  readonly status: ReplicationHeader | null
  /** Where a replica came from. */
  readonly source: { readonly region: string; readonly bucket: string } | null
  readonly destinations: readonly {
    readonly bucket: string
    readonly status: 'PENDING' | 'COMPLETED' | 'FAILED'
    readonly ruleId: string
    /** Null when nothing is left to do. */
    readonly task: TaskView | null
  }[]
}

/** Of one commit: the event loop is not held. */
const retryMax = 500
const retryCommitsMax = 40

/** @throws S3Error NoSuchBucket */
export async function queuePage(
  { metadata, clock }: LookParts,
  of: { readonly bucket: string; readonly ruleId?: string | undefined; readonly after?: WaitingPlace | undefined; readonly limit: number },
): Promise<QueuePage> {
  const tasks = await metadata.read(function* () {
    const bucket = found(yield* bucketByName(of.bucket), of.bucket)
    return yield* waitingTasks({ ...of, bucketId: bucket.id })
  })
  const last = tasks.at(-1)
  const nowMs = clock.nowMs()
  return {
    tasks: tasks.map((task) => taskView(task, nowMs)),
    ...(last !== undefined && tasks.length === of.limit && { next: placeOf(last) }),
  }
}

/** @throws S3Error NoSuchBucket | NoSuchKey | NoSuchVersion */
export async function versionView(
  { metadata, clock }: LookParts,
  of: { readonly bucket: string; readonly key: string; readonly versionId?: string | undefined },
): Promise<VersionView> {
  const { bucket, version, tasks } = await metadata.read(function* () {
    const bucket = found(yield* bucketByName(of.bucket), of.bucket)
    const version = yield* versionOf(bucket, of)
    return { bucket, version, tasks: yield* tasksOfVersion({ ...version, versionId: version.id }) }
  })
  const { replication } = version
  const nowMs = clock.nowMs()
  return {
    bucket: bucket.name,
    key: version.key,
    versionId: publicVersionId(version),
    isDeleteMarker: version.isDeleteMarker,
    writtenAt: isoOf(version.lastModifiedMs),
    status: headerStatus(replication) ?? null,
    source: replication?.role === 'replica' ? { region: replication.sourceRegion, bucket: replication.sourceBucket } : null,
    destinations: Object.entries(replication?.role === 'source' ? replication.destinations : {}).map(([name, { status, ruleId }]) => {
      const task = tasks.find(({ destinationName }) => destinationName === name)
      return { bucket: name, status, ruleId, task: task === undefined ? null : taskView(task, nowMs) }
    }),
  }
}

/** Makes failed tasks due: of a version, of a rule, or of a bucket. @throws as `versionView` */
export async function retryNow(
  { metadata }: LookParts,
  of: {
    readonly bucket: string
    readonly ruleId?: string | undefined
    readonly key?: string | undefined
    readonly versionId?: string | undefined
  },
): Promise<{ readonly retried: number }> {
  const { key, ruleId } = of
  const { bucketId, versionId } = await metadata.read(function* () {
    const bucket = found(yield* bucketByName(of.bucket), of.bucket)
    return {
      bucketId: bucket.id,
      versionId: key === undefined ? undefined : (yield* versionOf(bucket, { key, versionId: of.versionId })).id,
    }
  })
  if (key !== undefined && versionId !== undefined) return await metadata.commit({ tx: 'retryVersion', bucketId, key, versionId })
  let retried = 0
  for (let i = 0; i < retryCommitsMax; i++) {
    const done = await metadata.commit({ tx: 'retryFailed', bucketId, limit: retryMax, ...(ruleId !== undefined && { ruleId }) })
    retried += done.retried
    if (done.retried < retryMax) break
  }
  return { retried }
}

function* versionOf(bucket: Bucket, of: { readonly key: string; readonly versionId?: string | undefined }) {
  const { key, versionId } = of
  const version: ObjectVersion | undefined =
    versionId === undefined ? yield* newestVersion(bucket.id, key) : yield* versionById(bucket.id, key, versionId)
  if (version === undefined) throw new S3Error(versionId === undefined ? 'NoSuchKey' : 'NoSuchVersion')
  return version
}

function found(bucket: Bucket | undefined, name: string): Bucket {
  if (bucket === undefined || bucket.state !== 'active') throw new S3Error('NoSuchBucket', { details: { BucketName: name } })
  return bucket
}

function taskView(task: Task, nowMs: number): TaskView {
  const { reason, message } = task
  return {
    key: task.key,
    versionId: task.versionId,
    ruleId: task.ruleId,
    destination: { bucket: task.destinationName, region: task.region },
    state: task.state,
    bytes: task.contentBytes,
    queuedAt: isoOf(task.createdMs),
    attempts: task.attempts,
    nextAttemptAt: task.nextAttemptMs <= nowMs ? null : isoOf(task.nextAttemptMs),
    lastError: reason === undefined ? null : { code: reason, message: message ?? '' },
  }
}

function placeOf({ destination, ruleId, createdMs, key, versionId }: Task): WaitingPlace {
  return { destination, ruleId, createdMs, key, versionId }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}
