/** Lifecycle of a region, composed: the engine, and what can be told of it. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Engine } from '../lib/engine.ts'
import { agingBuckets, bucketByName } from '../metadata/tables/buckets.ts'
import { heldBack } from '../metadata/tables/lifecycle-again.ts'
import { configurationName, type LifecycleCounts, type LifecyclePass, passOf } from '../metadata/tables/lifecycle-marks.ts'
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { type EngineParts, LifecycleEngine } from './engine.ts'
import { type PreviewPage, type PreviewPlace, previewPage } from './preview.ts'

export type { PreviewPlace } from './preview.ts'

/** Held back versions that are counted for one bucket. */
const heldMax = 10_000
const bucketsMax = 1000

export interface BucketLifecycle {
  readonly bucket: string
  readonly state: 'waiting' | 'passing' | 'passed' | 'failed'
  /** Of the last pass, and what was done since it began; null before the first. */
  readonly pass: (LifecycleCounts & { readonly startedMs: number; readonly endedMs: number | null }) | null
  /** Versions that are due and left alone, by reason. */
  readonly held: Readonly<Record<string, number>>
  /** Whether more than these were not counted. */
  readonly isMoreHeld: boolean
  /** Why the last pass ended before its time, and when it is tried again. */
  readonly failure: { readonly reason: string; readonly untilMs: number } | null
}

export interface LifecycleStatus {
  readonly dayMs: number
  /** The midnight that comes, at which every bucket is looked at. */
  readonly nextPassMs: number
  /** When something that was put off is looked at; null: there is nothing. */
  readonly nextAgainMs: number | null
  readonly buckets: readonly BucketLifecycle[]
  /** Buckets with rules beyond those that are listed. */
  readonly unlisted: number
}

export interface Lifecycle {
  readonly engines: readonly Engine[]
  status(): Promise<LifecycleStatus>
  /** @throws S3Error NoSuchBucket, NoSuchLifecycleConfiguration */
  preview(bucketName: string, page: { readonly after?: PreviewPlace | undefined; readonly limit: number }): Promise<PreviewPage>
}

export function createLifecycle(parts: EngineParts): Lifecycle {
  const { metadata, dayMs } = parts
  const engine = new LifecycleEngine(parts)
  return {
    engines: [engine],
    async status() {
      const { nextPassMs, nextAgainMs = null, passingId } = engine.next()
      const found = await metadata.read(() => agingBuckets())
      const buckets: BucketLifecycle[] = []
      for (const bucket of found.slice(0, bucketsMax)) {
        buckets.push(await statusOf(bucket, passingId === bucket.id))
        // What is durable is answered within a turn: others have theirs in between.
        await nextTurn()
      }
      return { dayMs, nextPassMs, nextAgainMs, buckets, unlisted: Math.max(0, found.length - bucketsMax) }
    },
    async preview(bucketName, page) {
      const bucket = await metadata.read(() => bucketByName(bucketName))
      if (bucket === undefined || bucket.state !== 'active') throw new S3Error('NoSuchBucket', { details: { BucketName: bucketName } })
      const rules = bucket.settings.lifecycle
      if (rules === undefined) throw new S3Error('NoSuchLifecycleConfiguration', { details: { BucketName: bucketName } })
      return await previewPage(parts, { bucket, rules, configuration: configurationName(rules) }, page)
    },
  }

  async function statusOf(bucket: Bucket, isPassing: boolean): Promise<BucketLifecycle> {
    const pass = await metadata.read(() => passOf(bucket.id))
    const held = await metadata.read(() => heldBack(bucket.id, heldMax))
    const failure = engine.failureOf(bucket.id) ?? null
    const state = isPassing ? 'passing' : failure !== null ? 'failed' : pass?.endedMs === undefined ? 'waiting' : 'passed'
    return {
      bucket: bucket.name,
      state,
      pass: pass === undefined ? null : countsOf(pass),
      held: held.reasons,
      isMoreHeld: held.seen === heldMax,
      failure,
    }
  }
}

function countsOf(pass: LifecyclePass): NonNullable<BucketLifecycle['pass']> {
  const { startedMs, endedMs = null, expired, removed, transitioned, aborted, freedBytes, movedBytes } = pass
  return { startedMs, endedMs, expired, removed, transitioned, aborted, freedBytes, movedBytes }
}
