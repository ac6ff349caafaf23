/** The engine that does what `moves` says is due, a few at a time. */
import { BlobCorrupt, BlobMissing } from '../blobs/errors.ts'
import { type Engine, sleep } from '../lib/engine.ts'
import { dueMoves, type Move, type MoveKind, nextDueMs } from '../metadata/tables/moves.ts'
import { versionByOrderedId } from '../metadata/tables/version-rows.ts'
import { isStoredStorageClass, needsRestore, type StorageClass, storageClasses } from '../model/storage-class.ts'
import { markBroken } from '../objects/broken.ts'
import { isTierAway } from '../objects/unavailable.ts'
import { TierCorrupt, TierMissing } from '../tiers/errors.ts'
import { CopyUnverified, SourceBroken, SourceFailed } from './copy-blob.ts'
import type { Work } from './parts.ts'
import { restoreMove } from './restore-move.ts'
import { storeMove } from './store-move.ts'

/** A move that failed waits so long before it is tried again, twice as long each time. */
const firstRetryMs = 1000
const retryMaxMs = 5 * 60 * 1000
/** Beside steady writes there is always something new: looks are this far apart. */
const gatherMs = 200
const pollMaxMs = 30_000
const reasonMaxChars = 500

interface Lane {
  readonly kind: MoveKind
  readonly storageClass: StorageClass
}

export interface MoverParts extends Work {
  /** Told when a copy came to nothing and something of it may be left in a tier. */
  readonly onLeft: () => void
}

export function createMover(parts: MoverParts): Engine {
  return new Mover(parts)
}

class Mover implements Engine {
  readonly name = 'mover'
  readonly #parts: MoverParts
  readonly #running = new Map<string, Promise<void>>()
  #seenSeq = 0
  /** Why a move could not even be put off. */
  #failure: unknown
  #done = { stored: 0, restored: 0, expired: 0 }
  #failed = 0

  constructor(parts: MoverParts) {
    this.#parts = parts
  }

  status(): Readonly<Record<string, unknown>> {
    return { ...this.#done, underWay: this.#running.size, failed: this.#failed }
  }

  async work(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const looked = new AbortController()
    try {
      const { metadata } = this.#parts
      this.#seenSeq = metadata.status().durableSeq
      await this.#fill(signal)
      if (this.#running.size === 0) return 'idle'
      const gathering = sleep(gatherMs, AbortSignal.any([signal, looked.signal]))
      await Promise.race([...this.#running.values(), gathering])
      return 'busy'
    } finally {
      looked.abort()
      // Nothing of it outlives the stores.
      if (signal.aborted) await Promise.allSettled(this.#running.values())
      this.#throwFailure()
    }
  }

  async wait(signal: AbortSignal): Promise<void> {
    const restMs = await this.#restMs()
    const ended = new AbortController()
    const until = AbortSignal.any([signal, ended.signal])
    const due = sleep(restMs, until)
    const grown = sleep(Math.min(gatherMs, restMs), until).then(() => this.#parts.metadata.waitBeyond(this.#seenSeq, until))
    try {
      await Promise.race([due, grown])
    } finally {
      ended.abort()
      due.catch(() => undefined)
      grown.catch(() => undefined)
    }
  }

  /** Begins what is due, as far as there is room. */
  async #fill(signal: AbortSignal): Promise<void> {
    const { metadata, clock, concurrency } = this.#parts
    const free = concurrency - this.#running.size
    if (free <= 0) return
    const open = lanes.filter((lane) => this.#laneRestMs(lane) === 0)
    const page = { nowMs: clock.nowMs(), limit: concurrency }
    const due = await metadata.read(function* () {
      const found: Move[][] = []
      for (const lane of open) found.push([...(yield* dueMoves({ ...lane, ...page }))])
      return found
    })
    for (const moves of due) this.#begin(moves, signal)
  }

  #begin(moves: readonly Move[], signal: AbortSignal): void {
    const { concurrency, breakers } = this.#parts
    for (const move of moves) {
      const name = JSON.stringify([move.bucketId, move.key, move.id])
      if (this.#running.size >= concurrency) return
      if (this.#running.has(name)) continue
      const tier = this.#writesTo(move)
      if (tier !== undefined && !breakers.mayTry(tier, 'write')) return
      const running = this.#run(move, signal).finally(() => this.#running.delete(name))
      this.#running.set(name, running)
    }
  }

  /** Never rejects. */
  async #run(move: Move, signal: AbortSignal): Promise<void> {
    try {
      await this.#perform(move, signal)
    } catch (error) {
      if (signal.aborted) return
      try {
        await this.#putOff(move, error)
      } catch (failure) {
        this.#failure ??= failure
      }
    }
  }

  async #perform(move: Move, signal: AbortSignal): Promise<void> {
    const { metadata, breakers } = this.#parts
    const { bucketId, key, id } = move
    switch (move.kind) {
      case 'store': {
        if ((await storeMove(this.#parts, move, signal)) === 'moved') this.#done.stored += 1
        const tier = this.#writesTo(move)
        if (tier !== undefined) breakers.worked(tier, 'write')
        return
      }
      case 'restore': {
        if ((await restoreMove(this.#parts, move, signal)) === 'restored') this.#done.restored += 1
        const tier = this.#readsFrom(move)
        if (tier !== undefined) breakers.worked(tier, 'read')
        return
      }
      case 'expire': {
        if ((await metadata.commit({ tx: 'expireRestore', bucketId, key, id })) === 'expired') this.#done.expired += 1
        return
      }
      default:
        return move.kind satisfies never
    }
  }

  /** A move that came to nothing: why, for whom to leave its tier alone, and when it is tried again. */
  async #putOff(move: Move, error: unknown): Promise<void> {
    const { metadata, clock, log } = this.#parts
    const { bucketId, key, id, kind } = move
    this.#failed += 1
    this.#blame(move, error)
    if (kind === 'store') this.#parts.onLeft()
    const verdict = await this.#verdict(move, error)
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, reasonMaxChars)
    await metadata.commit({ tx: 'postponeMove', bucketId, key, id, kind, dueMs: clock.nowMs() + verdict.restMs, reason })
    const fields = { bucketId, key, id, kind, storageClass: move.storageClass, err: error, restMs: verdict.restMs }
    if (verdict.isBroken) log.error(fields, 'the content of a version that was to be moved is damaged')
    else log.warn(fields, 'a version could not be moved and waits')
  }

  #blame(move: Move, error: unknown): void {
    const { breakers } = this.#parts
    if (error instanceof SourceFailed) {
      if (error.tier !== undefined && isTierAway(error.cause)) breakers.failed(error.tier, 'read')
      return
    }
    const tier = this.#writesTo(move)
    if (tier === undefined) return
    if (isTierAway(error) || error instanceof CopyUnverified || error instanceof TierCorrupt || error instanceof TierMissing)
      breakers.failed(tier, 'write')
    // It let somebody through, and that somebody met something else.
    else if (error instanceof SourceBroken) breakers.worked(tier, 'write')
  }

  async #verdict(move: Move, error: unknown): Promise<{ readonly restMs: number; readonly isBroken: boolean }> {
    const { metadata } = this.#parts
    const broken = brokenSource(error)
    if (broken === undefined) return { restMs: Math.min(retryMaxMs, firstRetryMs * 2 ** Math.min(move.attempts, 16)), isBroken: false }
    const version = await metadata.read(() => versionByOrderedId(move.bucketId, move.key, move.id))
    // Only an unchanged reference is rot: what was moved or deleted meanwhile is looked at again.
    const isBroken = version !== undefined && (version.isDamaged === true || (await markBroken(metadata, version, [broken])))
    return { restMs: isBroken ? retryMaxMs : 0, isBroken }
  }

  #writesTo({ kind, storageClass }: Lane): string | undefined {
    return kind === 'store' ? this.#parts.tiers.tierFor(storageClass)?.name : undefined
  }

  /** Where a configuration that changed has left bytes elsewhere, the move finds out by itself. */
  #readsFrom({ kind, storageClass }: Lane): string | undefined {
    return kind === 'restore' ? this.#parts.tiers.tierFor(storageClass)?.name : undefined
  }

  #laneRestMs(lane: Lane): number {
    const { breakers } = this.#parts
    const written = this.#writesTo(lane)
    if (written !== undefined) return breakers.restMs(written, 'write')
    const read = this.#readsFrom(lane)
    return read === undefined ? 0 : breakers.restMs(read, 'read')
  }

  /** Until the next may be due. */
  async #restMs(): Promise<number> {
    const { metadata, clock } = this.#parts
    const dues = await metadata.read(function* () {
      const found: { lane: Lane; dueMs: number }[] = []
      for (const lane of lanes) {
        const dueMs = yield* nextDueMs(lane.kind, lane.storageClass)
        if (dueMs !== undefined) found.push({ lane, dueMs })
      }
      return found
    })
    const nowMs = clock.nowMs()
    const rests = dues.map(({ lane, dueMs }) => Math.max(dueMs - nowMs, this.#laneRestMs(lane)))
    return Math.max(10, Math.min(pollMaxMs, ...rests))
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }
}

/** What is to be done for each class that has any: the copies first, for which somebody waits. */
const lanes: readonly Lane[] = [
  ...storageClasses.filter(needsRestore).map((storageClass) => ({ kind: 'restore', storageClass }) as const),
  ...storageClasses.filter(needsRestore).map((storageClass) => ({ kind: 'expire', storageClass }) as const),
  ...storageClasses.filter(isStoredStorageClass).map((storageClass) => ({ kind: 'store', storageClass }) as const),
]

function brokenSource(error: unknown) {
  if (error instanceof SourceBroken) return { described: error.described, reason: error.message }
  if (!(error instanceof SourceFailed)) return undefined
  const { cause, described } = error
  const isRot = cause instanceof BlobCorrupt || cause instanceof BlobMissing || cause instanceof TierCorrupt || cause instanceof TierMissing
  return isRot ? { described, reason: error.message } : undefined
}
