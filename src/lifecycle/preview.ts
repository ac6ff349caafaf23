/** What the next pass over a bucket would do, read as the pass reads it, with nothing written. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Steps } from '../metadata/steps.ts'
import { againAfter, isNoted, wholeKey } from '../metadata/tables/lifecycle-again.ts'
import { Judge } from '../metadata/tables/lifecycle-judge.ts'
import { type AgePlace, type AgeRange, agedVersions, judgedUntil, placeBehind } from '../metadata/tables/lifecycle-marks.ts'
import { partsBytes, uploadsBegunUntil } from '../metadata/tables/uploads.ts'
import { newestVersion, noncurrentFromOldest, versionByOrderedId } from '../metadata/tables/version-rows.ts'
import type { LifecycleAction } from '../model/lifecycle.ts'
import { agesOf, uploadExpiry } from '../model/lifecycle-rules.ts'
import { type ObjectVersion, publicVersionId } from '../model/version.ts'
import { type AgingBucket, type PassParts, rangesOf } from './pass.ts'

export interface PreviewEntry {
  readonly key: string
  /** Of an upload that is to be aborted: its id. */
  readonly versionId: string
  readonly action: LifecycleAction['kind'] | 'abort'
  /** Where a transition leads; null for the others. */
  readonly storageClass: string | null
  readonly ruleId: string
  readonly bytes: number
  /** Why it will not happen yet; null: it will. */
  readonly heldBack: string | null
}

/** Where the next page begins. `stage`: 0 what was noted, then the ages in their order, then uploads. */
export interface PreviewPlace {
  readonly stage: number
  readonly sinceMs: number
  readonly key: string
  readonly id: string
}

export interface PreviewPage {
  readonly entries: readonly PreviewEntry[]
  readonly next?: PreviewPlace
}

/** Versions that are looked at for one page, and in one turn of the event loop. */
const looksMax = 4096
const looksATurn = 128

interface Range {
  readonly range: AgeRange
  readonly from: AgePlace
}

interface Stage {
  readonly entries: readonly PreviewEntry[]
  /** Undefined: this stage is over. */
  readonly next: Omit<PreviewPlace, 'stage'> | undefined
}

/** @param page.limit  a page may have as many more as are looked at in one turn */
export async function previewPage(
  { metadata, clock, dayMs }: Pick<PassParts, 'metadata' | 'clock' | 'dayMs'>,
  of: AgingBucket,
  page: { readonly after?: PreviewPlace | undefined; readonly limit: number },
): Promise<PreviewPage> {
  // The midnight that comes: what is due today goes then, at the latest.
  const nowMs = (Math.floor(clock.nowMs() / dayMs) + 1) * dayMs
  const moment = { nowMs, lockMs: nowMs, dayMs }
  const entries: PreviewEntry[] = []
  const stages = rangesOf(of, moment)
  let place: PreviewPlace | undefined = page.after ?? { stage: 0, sinceMs: 0, key: '', id: '' }
  for (let looks = 0; looks < looksMax && entries.length < page.limit && place !== undefined; looks += looksATurn) {
    const { stage, ...after }: PreviewPlace = place
    const found: Stage = await metadata.read(function* () {
      const judge = new Judge({ bucket: of.bucket, configuration: of.rules, moment })
      const ranges: Range[] = []
      for (const range of stages) ranges.push({ range, from: placeBehind(yield* judgedUntil(range, of.configuration)) })
      if (stage === 0) return yield* notedStage({ of, ranges, judge, after, moment })
      const range = ranges[stage - 1]
      return yield* range === undefined
        ? uploadsStage(of, { ...moment, after })
        : ageStage({ range, earlier: ranges.slice(0, stage - 1), judge, after })
    })
    entries.push(...found.entries)
    if (found.next !== undefined) place = { stage, ...found.next }
    else place = stage <= stages.length ? { stage: stage + 1, sinceMs: 0, key: '', id: '' } : undefined
    await nextTurn()
  }
  return { entries, ...(place === undefined ? {} : { next: place }) }
}

function* ageStage(of: {
  readonly range: Range
  readonly earlier: readonly Range[]
  readonly judge: Judge
  readonly after: AgePlace
}): Steps<Stage> {
  const { range, earlier, judge } = of
  const after = of.after.sinceMs < range.from.sinceMs ? range.from : of.after
  const versions = yield* agedVersions(range.range, { after, limit: looksATurn })
  const entries: PreviewEntry[] = []
  for (const version of versions) {
    if (!earlier.some((one) => isWithin(one, version))) entries.push(...(yield* entriesOf(version, judge)))
  }
  const last = versions.at(-1)
  const isOver = last === undefined || versions.length < looksATurn
  return { entries, next: isOver ? undefined : { sinceMs: last.sinceMs, key: last.key, id: last.id } }
}

/** What was put off, and keys that changed; of these what is within no range, where it would be named again. */
function* notedStage(of: {
  readonly of: AgingBucket
  readonly ranges: readonly Range[]
  readonly judge: Judge
  readonly after: AgePlace
  readonly moment: { readonly nowMs: number; readonly dayMs: number }
}): Steps<Stage> {
  const bucketId = of.of.bucket.id
  const noted = yield* againAfter({ bucketId, key: of.after.key, id: of.after.id }, notedATurn)
  const { noncurrent } = agesOf(of.of.rules, of.moment)
  const agedUntilMs = Math.max(...noncurrent.map(({ dueUntilMs }) => dueUntilMs))
  const entries: PreviewEntry[] = []
  for (const { key, id } of noted) {
    const versions = id === wholeKey ? yield* ofKey({ bucketId, key, agedUntilMs }) : [yield* versionByOrderedId(bucketId, key, id)]
    for (const version of versions) {
      if (version === undefined || of.ranges.some((range) => isWithin(range, version))) continue
      entries.push(...(yield* entriesOf(version, of.judge)))
    }
  }
  const last = noted.at(-1)
  return { entries, next: last === undefined || noted.length < notedATurn ? undefined : { sinceMs: 0, key: last.key, id: last.id } }
}

const notedATurn = 16
/** Of one key: more are found by the pass, and not named here. */
const ofKeyMax = 64

function* ofKey(of: { readonly bucketId: string; readonly key: string; readonly agedUntilMs: number }): Steps<readonly ObjectVersion[]> {
  const newest = yield* newestVersion(of.bucketId, of.key)
  const oldest = yield* noncurrentFromOldest({ ...of, limit: ofKeyMax })
  const found = [...(newest === undefined ? [] : [newest]), ...oldest.filter(({ sinceMs }) => sinceMs <= of.agedUntilMs)]
  const unnoted: ObjectVersion[] = []
  // What was put off by itself is named where that is read.
  for (const version of found) if (!(yield* isNoted(version))) unnoted.push(version)
  return unnoted
}

function* uploadsStage(
  { bucket, rules }: AgingBucket,
  of: { readonly nowMs: number; readonly dayMs: number; readonly after: AgePlace },
): Steps<Stage> {
  const untilMs = Math.max(-1, ...agesOf(rules, of).uploads.map(({ dueUntilMs }) => dueUntilMs))
  const after = { initiatedMs: of.after.sinceMs, id: of.after.id }
  const uploads = yield* uploadsBegunUntil({ bucketId: bucket.id, untilMs, after, limit: notedATurn })
  const entries: PreviewEntry[] = []
  for (const { id, key, initiatedMs } of uploads) {
    const expiry = uploadExpiry(rules, { key, initiatedMs }, of)
    if (expiry === undefined || expiry.dueMs > of.nowMs) continue
    const bytes = yield* partsBytes(id)
    entries.push({ key, versionId: id, action: 'abort', storageClass: null, ruleId: expiry.ruleId, bytes, heldBack: null })
  }
  const last = uploads.at(-1)
  const isOver = last === undefined || uploads.length < notedATurn
  return { entries, next: isOver ? undefined : { sinceMs: last.initiatedMs, key: '', id: last.id } }
}

function* entriesOf(version: ObjectVersion, judge: Judge): Steps<readonly PreviewEntry[]> {
  const judgement = yield* judge.judge(version)
  if (judgement.kind === 'leave') return []
  const { action, ruleId } = judgement
  const heldBack = judgement.kind === 'hold' ? judgement.reason : null
  // What was removed counts no more for those behind it, as in the pass.
  if (action.kind === 'remove' && heldBack === null) judge.gone(version)
  return [
    {
      key: version.key,
      versionId: publicVersionId(version),
      action: action.kind,
      storageClass: action.kind === 'transition' ? action.storageClass : null,
      ruleId,
      bytes: version.size,
      heldBack,
    },
  ]
}

function isWithin({ range, from }: Range, version: ObjectVersion): boolean {
  if (version.isLatest === (range.scope === 'noncurrent') || (range.scope === 'markers' && !version.isDeleteMarker)) return false
  return version.sinceMs >= from.sinceMs && version.sinceMs <= range.dueUntilMs
}
