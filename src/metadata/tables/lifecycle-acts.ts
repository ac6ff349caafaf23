/** Does what is due to versions of one bucket, within one transaction: each is judged with the rows and rules as they are there. */
import { isNewer } from '../../lib/hybrid-clock.ts'
import type { Bucket } from '../../model/bucket.ts'
import type { LifecycleAction, LifecycleConfiguration } from '../../model/lifecycle.ts'
import { countsNewer } from '../../model/lifecycle-watches.ts'
import { type ObjectVersion, VersionIdBehind } from '../../model/version.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { dropAgain, holdBack } from './lifecycle-again.ts'
import { Judge } from './lifecycle-judge.ts'
import { countDone, type LifecycleCounts } from './lifecycle-marks.ts'
import { enqueueMove } from './moves.ts'
import { makeMarker, removeForGood, removeVersion } from './versions.ts'

/** Ids for markers: as many as a transaction may make, and for keys that were found to be ahead of the clock those above theirs. */
export interface MarkerIds {
  readonly ids: readonly string[]
  readonly idsOf?: readonly (readonly [key: string, id: string])[]
}

/** In one transaction: of versions that are acted on, of others that are looked at, and of rows of parts that go with them. */
export const actsMax = 64
const looksMax = 256
/** Where newer versions are counted a look costs more. */
const countingLooksMax = 128
/** Rules that are asked in one transaction, of all versions together: a thousand of them take 0.2 to 4 ms a version. */
const askedRulesMax = 8192
const partsMax = 2000

/** Ends a transaction's acts. @throws VersionIdBehind with all keys whose marker is behind, so that one more try is enough */
export function* endActs(...all: readonly Acts[]): Steps<void> {
  const behind = new Map(all.flatMap((acts) => [...acts.behind]))
  if (behind.size > 0) throw new VersionIdBehind(behind)
  for (const acts of all) yield* acts.count()
}

export class Acts {
  readonly bucket: Bucket
  readonly configuration: LifecycleConfiguration
  readonly looksMax: number
  readonly #judge: Judge
  readonly #context: TransactionContext
  readonly #ids: string[]
  readonly #idsOf: ReadonlyMap<string, string>
  readonly #behind = new Map<string, string>()
  readonly #done = { expired: 0, removed: 0, transitioned: 0, aborted: 0, freedBytes: 0, movedBytes: 0 } satisfies LifecycleCounts
  #looked = 0
  #acted = 0
  #parts = 0

  constructor(
    of: { readonly bucket: Bucket; readonly configuration: LifecycleConfiguration; readonly dayMs: number } & MarkerIds,
    context: TransactionContext,
  ) {
    this.bucket = of.bucket
    this.configuration = of.configuration
    const fitting = Math.max(1, Math.floor(askedRulesMax / of.configuration.Rule.length))
    this.looksMax = Math.min(countsNewer(of.configuration) ? countingLooksMax : looksMax, fitting)
    this.#context = context
    this.#ids = [...of.ids]
    this.#idsOf = new Map(of.idsOf)
    const { nowMs, lockMs } = context
    this.#judge = new Judge({ ...of, moment: { nowMs, lockMs, dayMs: of.dayMs } })
  }

  /** Whether this transaction has done enough. */
  get isFull(): boolean {
    return this.#looked >= this.looksMax || this.#acted >= actsMax || this.#parts >= partsMax || this.#ids.length === 0
  }

  /** Judges a version and does what is due, or puts it off. */
  *take(version: ObjectVersion): Steps<'left' | 'held' | 'acted'> {
    this.#looked += 1
    const judgement = yield* this.#judge.judge(version)
    switch (judgement.kind) {
      case 'leave':
        return 'left'
      case 'hold':
        yield* holdBack(version, { reason: judgement.reason, dueMs: judgement.untilMs }, this.#context)
        return 'held'
      case 'act': {
        if (!(yield* this.#act(version, judgement.action))) return 'left'
        this.#acted += 1
        yield* dropAgain(version)
        return 'acted'
      }
      default:
        return judgement satisfies never
    }
  }

  /** Keys whose marker was behind: nothing was done to them. */
  get behind(): ReadonlyMap<string, string> {
    return this.#behind
  }

  *count(): Steps<void> {
    yield* countDone(this.bucket.id, this.#done, this.#context)
  }

  *#act(version: ObjectVersion, action: LifecycleAction): Steps<boolean> {
    switch (action.kind) {
      case 'expire':
        return yield* this.#expire(version)
      case 'remove':
        yield* removeForGood({ bucket: this.bucket, version }, this.#context)
        this.#gone(version)
        this.#done.removed += 1
        return true
      case 'transition':
        return yield* this.#transition(version, action)
      default:
        return action satisfies never
    }
  }

  *#expire(version: ObjectVersion): Steps<boolean> {
    const { bucket } = this
    if (bucket.versioning === 'Unversioned') {
      yield* removeVersion({ bucket, version }, this.#context)
      this.#gone(version)
    } else {
      const id = this.#idsOf.get(version.key) ?? this.#ids.shift() ?? version.id
      if (!isNewer(id, version.id)) {
        this.#behind.set(version.key, version.id)
        return false
      }
      yield* makeMarker({ bucket, newest: version, key: version.key, id, ownerId: bucket.ownerId, madeBy: 'lifecycle' }, this.#context)
      if (bucket.versioning === 'Suspended' && version.isNull) this.#gone(version)
    }
    this.#done.expired += 1
    return true
  }

  *#transition(version: ObjectVersion, { storageClass }: LifecycleAction & { kind: 'transition' }): Steps<boolean> {
    const [waiting] = yield statement(
      `SELECT storage_class, seq FROM moves WHERE bucket_id = ?1 AND key = ?2 AND id = ?3 AND kind = 'store'`,
      version.bucketId,
      version.key,
      version.id,
    )
    if (waiting?.storage_class === storageClass) return false
    yield* enqueueMove(version, { kind: 'store', storageClass, dueMs: this.#context.nowMs }, this.#context)
    this.#done.transitioned += 1
    this.#done.movedBytes += version.size
    return true
  }

  #gone(version: ObjectVersion): void {
    this.#judge.gone(version)
    this.#parts += version.partCount ?? 0
    this.#done.freedBytes += version.size
  }
}
