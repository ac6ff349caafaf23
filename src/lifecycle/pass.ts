/** One pass over a bucket, in small steps: what has come of age since the last one, and what was noted for it. */
import type { Clock } from '../lib/clock.ts'
import type { HybridClock } from '../lib/hybrid-clock.ts'
import type { Metadata } from '../metadata/engine.ts'
import type { Steps } from '../metadata/steps.ts'
import { keysForPass } from '../metadata/tables/lifecycle-again.ts'
import { type AgePlace, type AgeRange, hasAged, judgedUntil, placeBehind } from '../metadata/tables/lifecycle-marks.ts'
import { uploadsBegunUntil } from '../metadata/tables/uploads.ts'
import type { Bucket } from '../model/bucket.ts'
import type { LifecycleConfiguration } from '../model/lifecycle.ts'
import { agesOf, uploadExpiry } from '../model/lifecycle-rules.ts'
import { isForMarkers } from '../model/lifecycle-watches.ts'
import { withMarkerIds } from './propose.ts'

export interface PassParts {
  readonly metadata: Metadata
  readonly ids: HybridClock
  readonly clock: Clock
  readonly dayMs: number
}

/** A bucket that has rules. */
export interface AgingBucket {
  readonly bucket: Bucket
  readonly rules: LifecycleConfiguration
  /** Tells its rules from others. */
  readonly configuration: string
}

const pageKeys = 64
const pageUploads = 64
const sweepsAfter = 2

/** Each step is at most one commit. Ends early when the bucket is gone or has other rules. */
export async function* passSteps(parts: PassParts, of: AgingBucket & { readonly dueMs: number }): AsyncGenerator<void, void> {
  const { metadata, clock, dayMs } = parts
  const { bucket, rules, configuration, dueMs } = of
  const pass = { bucketId: bucket.id, configuration, dueMs }
  if (!(await metadata.commit({ tx: 'beginLifecyclePass', ...pass }))) return
  yield
  yield* judgeKeys(parts, bucket.id)
  for (const range of rangesOf({ bucket, rules }, { nowMs: clock.nowMs(), dayMs })) {
    let after: AgePlace | undefined
    while (after !== undefined || (await metadata.read(() => hasUnjudged(range, configuration)))) {
      const from: { after?: AgePlace } = after === undefined ? {} : { after }
      const outcome = await withMarkerIds(parts.ids, (ids) =>
        metadata.commit({ tx: 'applyLifecycle', range, configuration, dayMs, ...from, ...ids }),
      )
      yield
      if (outcome.state === 'stale') return
      if (outcome.state === 'done') break
      after = outcome.after
    }
  }
  yield* abortUploads(parts, of)
  // What the pass itself has changed, and what that changed: old versions go, then the marker above them.
  for (let sweep = 0; sweep < sweepsAfter; sweep++) yield* judgeKeys(parts, bucket.id)
  await metadata.commit({ tx: 'endLifecyclePass', ...pass })
}

/** What has to be read, by age: the oldest ages first, for what is removed needs no transition. */
export function rangesOf(
  { bucket, rules }: Pick<AgingBucket, 'bucket' | 'rules'>,
  now: { readonly nowMs: number; readonly dayMs: number },
): readonly AgeRange[] {
  const { current, noncurrent } = agesOf(rules, now)
  const ofBucket = { bucketId: bucket.id }
  return [
    ...noncurrent.map((age): AgeRange => ({ ...ofBucket, ...age, scope: 'noncurrent' })),
    ...current.map((age): AgeRange => ({ ...ofBucket, ...age, scope: isForMarkers(rules, age) ? 'markers' : 'current' })),
  ].sort((a, b) => a.dueUntilMs - b.dueUntilMs)
}

/** NOTE: where nothing is new no mark moves either, so that a day on which nothing comes of age writes nothing. */
function* hasUnjudged(range: AgeRange, configuration: string): Steps<boolean> {
  const judgedMs = yield* judgedUntil(range, configuration)
  // The clock was put back: the mark goes with it, or what is written from now on would be behind it.
  if (judgedMs !== undefined && judgedMs > range.dueUntilMs) return true
  return yield* hasAged(range, placeBehind(judgedMs))
}

/** Once through the keys that were noted: one that changes all the time does not hold up the rest. */
async function* judgeKeys({ metadata, ids: clock, dayMs }: PassParts, bucketId: string): AsyncGenerator<void, void> {
  for (let afterKey = ''; ; ) {
    const from = afterKey
    const keys = await metadata.read(() => keysForPass(bucketId, { afterKey: from, limit: pageKeys }))
    for (const { key, seq } of keys) {
      let before: { beforeId?: string } | undefined = {}
      while (before !== undefined) {
        const going: { beforeId?: string } = before
        const outcome = await withMarkerIds(clock, (ids) =>
          metadata.commit({ tx: 'applyLifecycleToKey', bucketId, key, seq, dayMs, ...going, ...ids }),
        )
        yield
        before = outcome.state === 'more' ? { beforeId: outcome.beforeId } : undefined
      }
      afterKey = key
    }
    if (keys.length < pageKeys) return
  }
}

async function* abortUploads({ metadata, clock, dayMs }: PassParts, { bucket, rules }: AgingBucket): AsyncGenerator<void, void> {
  const nowMs = clock.nowMs()
  const untilMs = Math.max(...agesOf(rules, { nowMs, dayMs }).uploads.map(({ dueUntilMs }) => dueUntilMs))
  for (let after = { initiatedMs: 0, id: '' }; Number.isFinite(untilMs); ) {
    const from = after
    const uploads = await metadata.read(() => uploadsBegunUntil({ bucketId: bucket.id, untilMs, after: from, limit: pageUploads }))
    for (const { id: uploadId, key, initiatedMs } of uploads) {
      const expiry = uploadExpiry(rules, { key, initiatedMs }, { dayMs })
      if (expiry !== undefined && expiry.dueMs <= nowMs) {
        await metadata.commit({ tx: 'abortAgedUpload', bucketId: bucket.id, key, uploadId, dayMs })
        yield
      }
      after = { initiatedMs, id: uploadId }
    }
    if (uploads.length < pageUploads) return
    yield
  }
}
