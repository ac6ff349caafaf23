/** What is to happen to a version now, and what keeps it from happening: read from the rows of one moment. */
import type { Bucket } from '../../model/bucket.ts'
import type { LifecycleConfiguration, LifecycleFacts } from '../../model/lifecycle.ts'
import { type DueAction, dueAction } from '../../model/lifecycle-rules.ts'
import { countsNewer } from '../../model/lifecycle-watches.ts'
import { readRetention, removalRefusal } from '../../model/object-lock.ts'
import { headerStatus } from '../../model/replication-status.ts'
import type { ObjectVersion } from '../../model/version.ts'
import { type Steps, statement } from '../steps.ts'
import { text } from './columns.ts'
import type { HoldReason } from './lifecycle-again.ts'

export interface JudgeMoment {
  readonly nowMs: number
  /** The time of locks. */
  readonly lockMs: number
  readonly dayMs: number
}

export type Judgement =
  | { readonly kind: 'leave' }
  | ({ readonly kind: 'act' } & DueAction)
  /** `untilMs`: when it is worth another look. */
  | ({ readonly kind: 'hold'; readonly reason: HoldReason; readonly untilMs: number } & DueAction)

/** More newer versions than any rule can keep need not be counted. S3: NewerNoncurrentVersions is at most 100. */
const newerCountedMax = 101
/** At what does not say when it will be over. */
const looksADay = 24

/** Judges the versions of one bucket, in one transaction or query. */
export class Judge {
  readonly #bucket: Bucket
  readonly #configuration: LifecycleConfiguration
  readonly #moment: JudgeMoment
  readonly #countsNewer: boolean
  /** The newest noncurrent ids of keys that were asked for. */
  readonly #newest = new Map<string, Set<string>>()

  constructor(of: { readonly bucket: Bucket; readonly configuration: LifecycleConfiguration; readonly moment: JudgeMoment }) {
    this.#bucket = of.bucket
    this.#configuration = of.configuration
    this.#moment = of.moment
    this.#countsNewer = countsNewer(of.configuration)
  }

  *judge(version: ObjectVersion): Steps<Judgement> {
    const due = dueAction(this.#configuration, yield* this.#facts(version), this.#moment)
    if (due === undefined) return { kind: 'leave' }
    const hold = this.#holdOf(version, due)
    return hold === undefined ? { kind: 'act', ...due } : { kind: 'hold', ...hold, ...due }
  }

  /** The version is gone: it no longer counts for those behind it. */
  gone({ key, id }: ObjectVersion): void {
    this.#newest.get(key)?.delete(id)
  }

  *#facts(version: ObjectVersion): Steps<LifecycleFacts> {
    const { key, size, isLatest, isDeleteMarker, storageClass, lastModifiedMs, sinceMs } = version
    const isAlone = isLatest && isDeleteMarker && (yield* isOnlyVersion(version))
    const newerNoncurrent = isLatest || !this.#countsNewer ? 0 : yield* this.#newerThan(version)
    const tags = version.record.tags.value
    return {
      key,
      size,
      tags,
      isLatest,
      isDeleteMarker,
      storageClass,
      lastModifiedMs,
      sinceMs,
      newerNoncurrent,
      isOnlyVersion: isAlone,
    }
  }

  *#newerThan({ bucketId, key, id }: ObjectVersion): Steps<number> {
    let newest = this.#newest.get(key)
    if (newest === undefined) {
      const rows = yield statement(
        'SELECT id, seq FROM versions WHERE bucket_id = ?1 AND key = ?2 AND is_latest = 0 ORDER BY id LIMIT ?3',
        bucketId,
        key,
        newerCountedMax,
      )
      newest = new Set(rows.map((row) => text(row.id)))
      this.#newest.set(key, newest)
    }
    // Newer ids are lower.
    let newer = 0
    for (const one of newest) if (one < id) newer += 1
    return newer
  }

  #holdOf(version: ObjectVersion, { action }: DueAction): { readonly reason: HoldReason; readonly untilMs: number } | undefined {
    const { nowMs, lockMs, dayMs } = this.#moment
    const soonMs = nowMs + Math.ceil(dayMs / looksADay)
    const status = version.replication?.role === 'source' ? headerStatus(version.replication) : undefined
    if (status === 'PENDING' || status === 'FAILED') {
      const reason = status === 'PENDING' ? 'replication pending' : 'replication failed'
      return { reason, untilMs: soonMs }
    }
    if (!this.#takesAway(version, action)) return undefined
    const refusal = removalRefusal(version, { nowMs: lockMs, bypass: false })
    switch (refusal) {
      case undefined:
        return undefined
      case 'legalHold':
        return { reason: 'legal hold', untilMs: nowMs + dayMs }
      case 'unreadable':
        return { reason: 'unreadable lock', untilMs: nowMs + dayMs }
      case 'GOVERNANCE':
      case 'COMPLIANCE': {
        const retention = readRetention(version.record)
        const endMs = typeof retention === 'object' ? retention.untilMs : nowMs
        // By the time of locks it may end later than by that of the day.
        return { reason: 'retention', untilMs: endMs > nowMs ? endMs : soonMs }
      }
      default:
        return refusal satisfies never
    }
  }

  /** Whether the version is gone after it. A marker on top of it takes nothing away, unless both are the null version. */
  #takesAway(version: ObjectVersion, { kind }: DueAction['action']): boolean {
    if (kind === 'remove') return true
    const { versioning } = this.#bucket
    return kind === 'expire' && (versioning === 'Unversioned' || (versioning === 'Suspended' && version.isNull))
  }
}

/** @param version  of the key */
function* isOnlyVersion({ bucketId, key }: ObjectVersion): Steps<boolean> {
  const rows = yield statement('SELECT id, seq FROM versions WHERE bucket_id = ?1 AND key = ?2 ORDER BY id LIMIT 2', bucketId, key)
  return rows.length === 1
}
