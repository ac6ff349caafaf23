/** What the admin API tells of lifecycle, with times as people read them. */
import type { BucketLifecycle, Lifecycle, PreviewPlace } from '../lifecycle/lifecycle.ts'
import { S3Error } from '../model/errors.ts'

export interface LifecycleReport {
  readonly region: string
  readonly daySeconds: number
  /** The midnight that comes, at which every bucket with rules is looked at. */
  readonly nextPassAt: string
  /** When something that was put off is looked at; null: there is nothing. */
  readonly nextLookAt: string | null
  readonly buckets: readonly ReportedBucket[]
  /** Buckets with rules beyond those that are listed. */
  readonly unlisted: number
}

interface ReportedBucket extends Pick<BucketLifecycle, 'bucket' | 'state' | 'held' | 'isMoreHeld'> {
  readonly pass:
    | (Omit<NonNullable<BucketLifecycle['pass']>, 'startedMs' | 'endedMs'> & { startedAt: string; endedAt: string | null })
    | null
  readonly failure: { readonly reason: string; readonly nextAttemptAt: string } | null
}

export type LifecyclePreview = Awaited<ReturnType<Lifecycle['preview']>>

export interface LifecycleView {
  report(): Promise<LifecycleReport>
  /** @throws S3Error InvalidArgument (no bucket named), NoSuchBucket, NoSuchLifecycleConfiguration */
  preview(bucket: unknown, page: { readonly after: PreviewPlace | undefined; readonly limit: number }): Promise<LifecyclePreview>
}

export function createLifecycleView({ lifecycle, region }: { readonly lifecycle: Lifecycle; readonly region: string }): LifecycleView {
  return {
    async report() {
      const { dayMs, nextPassMs, nextAgainMs, buckets, unlisted } = await lifecycle.status()
      return {
        region,
        daySeconds: dayMs / 1000,
        nextPassAt: timeOf(nextPassMs),
        nextLookAt: nextAgainMs === null ? null : timeOf(nextAgainMs),
        buckets: buckets.map(reported),
        unlisted,
      }
    },
    async preview(bucket, page) {
      if (typeof bucket !== 'string' || bucket === '') throw new S3Error('InvalidArgument', { message: 'bucket names no bucket.' })
      return await lifecycle.preview(bucket, page)
    },
  }
}

function reported({ pass, failure, ...bucket }: BucketLifecycle): ReportedBucket {
  return { ...bucket, pass: pass && passOf(pass), failure: failure && { reason: failure.reason, nextAttemptAt: timeOf(failure.untilMs) } }
}

function passOf({ startedMs, endedMs, ...counts }: NonNullable<BucketLifecycle['pass']>): ReportedBucket['pass'] {
  return { startedAt: timeOf(startedMs), endedAt: endedMs === null ? null : timeOf(endedMs), ...counts }
}

/** ISO 8601. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
