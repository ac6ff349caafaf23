/**
 * What lifecycle does, a bounded batch to a transaction. What is looked at, what is done and how far it came are one commit: a crash between two of
 * them loses nothing and does nothing twice.
 */
import type { Bucket } from '../../model/bucket.ts'
import type { LifecycleConfiguration } from '../../model/lifecycle.ts'
import { agesOf, type LifecycleNow, uploadExpiry } from '../../model/lifecycle-rules.ts'
import type { ObjectVersion } from '../../model/version.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { bucketById } from './buckets.ts'
import { number, text } from './columns.ts'
import { Acts, actsMax, endActs, type MarkerIds } from './lifecycle-acts.ts'
import { type Again, againDue, dropAgain, keyJudged } from './lifecycle-again.ts'
import {
  type AgePlace,
  type AgeRange,
  agedVersions,
  closePass,
  configurationName,
  countDone,
  judgedUntil,
  openPass,
  passOf,
  placeBehind,
  setMark,
} from './lifecycle-marks.ts'
import { abortUpload, partsBytes } from './uploads.ts'
import { aboveAllIds, newestVersion, noncurrentFromOldest, versionByOrderedId } from './version-rows.ts'

/** Rules, and the rows that were judged by them, must be of one time. */
interface OfConfiguration {
  readonly bucketId: string
  /** Name of the configuration that the caller knows. */
  readonly configuration: string
}

/** `stale`: the bucket is gone, or has other rules by now; nothing was done. */
export type AgeOutcome = { readonly state: 'stale' } | { readonly state: 'done' } | { readonly state: 'more'; readonly after: AgePlace }

/** Judges the next versions at an age, and moves its mark behind them. @throws VersionIdBehind */
function* applyLifecycle(
  input: { readonly range: AgeRange; readonly after?: AgePlace; readonly configuration: string; readonly dayMs: number } & MarkerIds,
  context: TransactionContext,
): Steps<AgeOutcome> {
  const { configuration, dayMs } = input
  const found = yield* underConfiguration({ bucketId: input.range.bucketId, configuration })
  // A pass whose rules went and came back does not go on: it has marks no more.
  const pass = yield* passOf(input.range.bucketId)
  if (found === undefined || pass?.configuration !== configuration) return { state: 'stale' }
  const judgedMs = yield* judgedUntil(input.range, configuration)
  const dueUntilMs = dueUntil(found.configuration, input.range, { nowMs: context.nowMs, dayMs })
  if (dueUntilMs === undefined) return { state: 'done' }
  // What is written in this millisecond may be written after this.
  const range = { ...input.range, dueUntilMs: Math.min(dueUntilMs, context.nowMs - 1) }
  const acts = new Acts({ ...input, ...found, dayMs }, context)
  const after = input.after ?? placeBehind(judgedMs)
  const versions = yield* agedVersions(range, { after, limit: acts.looksMax })
  let last: ObjectVersion | undefined
  for (const version of versions) {
    if (acts.isFull) break
    yield* acts.take(version)
    last = version
  }
  yield* endActs(acts)
  const isAll = last === versions.at(-1) && versions.length < acts.looksMax
  const { sinceMs, key, id } = last ?? after
  // The last one's millisecond may have more.
  yield* setMark(range, { judgedMs: isAll ? range.dueUntilMs : sinceMs - 1, configuration }, context)
  return isAll ? { state: 'done' } : { state: 'more', after: { sinceMs, key, id } }
}

/** How far a range goes at the time of the commit: the clock may have been put back since it was asked for. Undefined: nothing has that age. */
function dueUntil(configuration: LifecycleConfiguration, { scope, age, dueUntilMs }: AgeRange, now: LifecycleNow): number | undefined {
  const ages = agesOf(configuration, now)
  const due = (scope === 'noncurrent' ? ages.noncurrent : ages.current).find((one) => one.age === age)
  return due && Math.min(dueUntilMs, due.dueUntilMs)
}

/** Judges again what is due for it, in all buckets, the oldest first. @returns how many were looked at @throws VersionIdBehind */
function* applyLifecycleAgain(
  input: { readonly dayMs: number } & MarkerIds,
  context: TransactionContext,
): Steps<{ readonly looked: number; readonly isMore: boolean }> {
  const due = yield* againDue(context.nowMs, actsMax)
  const acts = new Map<string, Acts | undefined>()
  let looked = 0
  // Ids are shared out: whoever takes one leaves the rest.
  const share = Math.floor(input.ids.length / Math.max(1, new Set(due.map(({ bucketId }) => bucketId)).size))
  for (const again of due) {
    if (!acts.has(again.bucketId)) {
      const found = yield* agingBucket(again.bucketId)
      const ids = input.ids.slice(share * acts.size, share * (acts.size + 1))
      acts.set(again.bucketId, found && new Acts({ ...input, ...found, ids }, context))
    }
    const ofBucket = acts.get(again.bucketId)
    if (ofBucket?.isFull) break
    looked += 1
    yield* judgeAgain(again, ofBucket)
  }
  yield* endActs(...[...acts.values()].filter((ofBucket) => ofBucket !== undefined))
  return { looked, isMore: looked < due.length || due.length === actsMax }
}

function* judgeAgain(again: Again, acts: Acts | undefined): Steps<void> {
  const version = acts && (yield* versionByOrderedId(again.bucketId, again.key, again.id))
  if (acts === undefined || version === undefined) yield* dropAgain(again)
  else if ((yield* acts.take(version)) === 'left') yield* dropAgain(again)
}

export type KeyOutcome = { readonly state: 'done' } | { readonly state: 'more'; readonly beforeId: string }

/**
 * Judges all of a key: the current version, then the others from the oldest to the first that has no age at which something is due.
 * @param input.seq  of the row that asked for it
 * @throws VersionIdBehind
 */
function* applyLifecycleToKey(
  input: {
    readonly bucketId: string
    readonly key: string
    readonly seq: number
    /** Where an earlier step left off. */
    readonly beforeId?: string
    readonly dayMs: number
  } & MarkerIds,
  context: TransactionContext,
): Steps<KeyOutcome> {
  const { bucketId, key, beforeId, dayMs } = input
  const found = yield* agingBucket(bucketId)
  if (found !== undefined) {
    const acts = new Acts({ ...input, ...found }, context)
    const newest = beforeId === undefined ? yield* newestVersion(bucketId, key) : undefined
    if (newest !== undefined) yield* acts.take(newest)
    const { noncurrent } = agesOf(found.configuration, { nowMs: context.nowMs, dayMs })
    const agedUntilMs = Math.max(...noncurrent.map(({ dueUntilMs }) => dueUntilMs)) + skewMaxMs
    const last = yield* judgeOldest({ bucketId, key, beforeId, agedUntilMs }, acts)
    yield* endActs(acts)
    if (last !== undefined) return { state: 'more', beforeId: last }
  }
  yield* keyJudged(input)
  return { state: 'done' }
}

/** @returns the last that was judged, when there may be more */
function* judgeOldest(
  of: { readonly bucketId: string; readonly key: string; readonly beforeId: string | undefined; readonly agedUntilMs: number },
  acts: Acts,
): Steps<string | undefined> {
  const versions = yield* noncurrentFromOldest({ ...of, limit: acts.looksMax })
  let last: string | undefined
  for (const version of versions) {
    if (version.sinceMs > of.agedUntilMs) return undefined
    if (acts.isFull) return last ?? of.beforeId ?? aboveAllIds
    yield* acts.take(version)
    last = version.id
  }
  return versions.length < acts.looksMax ? undefined : last
}

/** Versions stand in the order of their ids, and clocks of regions differ: by more than this no id is believed. */
const skewMaxMs = 15 * 60 * 1000

/** Ends an upload that is older than the rules allow. @returns false when it is not, or is over */
function* abortAgedUpload(
  input: { readonly bucketId: string; readonly key: string; readonly uploadId: string; readonly dayMs: number },
  context: TransactionContext,
): Steps<boolean> {
  const found = yield* agingBucket(input.bucketId)
  const [row] = yield statement('SELECT bucket_id, key, state, initiated_ms, seq FROM uploads WHERE id = ?1', input.uploadId)
  if (found === undefined || row?.state !== 'open' || text(row.bucket_id) !== input.bucketId || text(row.key) !== input.key) return false
  const expiry = uploadExpiry(found.configuration, { key: input.key, initiatedMs: number(row.initiated_ms) }, input)
  if (expiry === undefined || expiry.dueMs > context.nowMs) return false
  const freedBytes = yield* partsBytes(input.uploadId)
  yield* abortUpload(input, context)
  const none = { expired: 0, removed: 0, transitioned: 0, movedBytes: 0 }
  yield* countDone(input.bucketId, { ...none, aborted: 1, freedBytes }, context)
  return true
}

/** Begins a pass or goes on with it. @returns false when the configuration is no longer that */
function* beginLifecyclePass(input: OfConfiguration & { readonly dueMs: number }, context: TransactionContext): Steps<boolean> {
  if ((yield* underConfiguration(input)) === undefined) return false
  yield* openPass(input, context)
  return true
}

function* endLifecyclePass(input: OfConfiguration & { readonly dueMs: number }, context: TransactionContext): Steps<void> {
  yield* closePass(input, context)
}

/** Forgets what is known of a bucket that has no rules any more. @returns whether there is more */
function* forgetLifecycle(input: { readonly bucketId: string; readonly limit: number }): Steps<{ readonly isMore: boolean }> {
  if ((yield* agingBucket(input.bucketId)) !== undefined) return { isMore: false }
  const [row] = yield statement(
    `DELETE FROM lifecycle_again WHERE (bucket_id, key, id) IN (SELECT bucket_id, key, id FROM lifecycle_again WHERE bucket_id = ?1 LIMIT ?2)`,
    input.bucketId,
    input.limit,
  )
  if (number(row?.changes) === input.limit) return { isMore: true }
  yield statement('DELETE FROM lifecycle_marks WHERE bucket_id = ?1', input.bucketId)
  yield statement('DELETE FROM lifecycle_passes WHERE bucket_id = ?1', input.bucketId)
  return { isMore: false }
}

export const lifecycleTransactions = {
  applyLifecycle,
  applyLifecycleAgain,
  applyLifecycleToKey,
  abortAgedUpload,
  beginLifecyclePass,
  endLifecyclePass,
  forgetLifecycle,
} as const

interface Aging {
  readonly bucket: Bucket
  readonly configuration: LifecycleConfiguration
}

function* agingBucket(bucketId: string): Steps<Aging | undefined> {
  const bucket = yield* bucketById(bucketId)
  const configuration = bucket?.settings.lifecycle
  return bucket?.state === 'active' && configuration !== undefined ? { bucket, configuration } : undefined
}

function* underConfiguration(of: OfConfiguration): Steps<Aging | undefined> {
  const found = yield* agingBucket(of.bucketId)
  return found !== undefined && configurationName(found.configuration) === of.configuration ? found : undefined
}
