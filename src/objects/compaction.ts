/**
 * The engine that empties segments which are mostly dead: what still lives in one is copied elsewhere, then the file goes.
 *
 *     retire ── copy, synced ── change the refs that are still the same, synced ── garbage ── no reader left ── unlink
 *
 * Killed anywhere in between it leaves copies that no row knows, which are dead bytes of their segment, or refs to copies that are synced.
 */
import { BlobCorrupt, BlobMissing } from '../blobs/errors.ts'
import { recordBytes } from '../blobs/record.ts'
import { segmentPrefix } from '../blobs/ref.ts'
import type { BlobStore, SegmentFile, SegmentId } from '../blobs/store.ts'
import type { Clock } from '../lib/clock.ts'
import { type Engine, type EngineLog, sleep } from '../lib/engine.ts'
import type { Pace } from '../lib/pace.ts'
import type { Metadata } from '../metadata/engine.ts'
import { type BlobMove, isSegmentHeld, type LiveRecord, liveRecords } from '../metadata/tables/segments.ts'
import type { SegmentWatch } from './segment-watch.ts'

/** Copied between two commits; they share a few writes and syncs. */
const batchBytes = 512 * 1024
const batchRecordsMax = 256
/** Rows looked at in one turn of the event loop: about two milliseconds. */
const lookRows = 500
/** Looking takes at most a fifth of a core. */
const restPerWork = 4
const listEveryMs = 60_000
/** Soon enough that deleted bytes are back within a minute. */
const pollMs = 2000
/** A segment that is still written to is ended early when it is mostly dead and at least so large. */
const sealFromBytes = 1024 * 1024
/** What was written into a segment just sealed has this long to be committed; afterwards it is refused and sent again. */
const settleMs = 10_000

export interface CompactionParts {
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly watch: SegmentWatch
  /** For bytes copied. */
  readonly pace: Pace
  readonly clock: Clock
  readonly log: EngineLog
  /** How a record is found broken before its segment goes. The segment then stays until nothing refers to it. */
  readonly onBroken?: (blob: string, reason: string) => Promise<void>
  /** With several writers in one folder. Default: this one writes its own segments, and every other is over. */
  readonly writers?: SegmentWriters
  /** Default 10 s. */
  readonly settleMs?: number
}

export interface SegmentWriters {
  /** Whether the writer of this number has ended: it will append nothing, and nothing that it wrote is still to be committed. */
  isOver(boot: number): boolean
  /** Asks whoever writes to a segment to begin another. */
  seal(segment: SegmentId): Promise<void>
}

export function createCompaction(parts: CompactionParts): Engine {
  return new Compaction(parts)
}

class Compaction implements Engine {
  readonly name = 'compaction'
  readonly #parts: CompactionParts
  readonly #writers: SegmentWriters
  /** Emptied; they go when the last reader of what was in them is done. */
  readonly #emptied = new Map<string, SegmentFile>()
  /** Ended at our wish, while their writers live. */
  readonly #sealed = new Set<string>()
  #listedMs = Number.NEGATIVE_INFINITY
  #movedBytes = 0
  #removedBytes = 0
  #removedSegments = 0

  constructor(parts: CompactionParts) {
    this.#parts = parts
    const { blobs, metadata } = parts
    this.#writers = parts.writers ?? { isOver: (boot) => boot !== metadata.boot, seal: (segment) => blobs.seal(segment) }
  }

  status(): Readonly<Record<string, unknown>> {
    const counts = { movedBytes: this.#movedBytes, removedBytes: this.#removedBytes, removedSegments: this.#removedSegments }
    return { ...this.#parts.watch.totals(), ...counts, waitingForReaders: this.#emptied.size }
  }

  async work(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const { watch } = this.#parts
    await this.#listWhenDue()
    for (const file of this.#emptied.values()) await this.#removeWhenFree(file)
    const mostlyDead = watch.leastLive((file) => this.#mayEmpty(file))
    if (mostlyDead !== undefined) {
      await this.#empty(mostlyDead, signal)
      return 'busy'
    }
    const toLook = watch.nextToLook()
    if (toLook === undefined) return 'idle'
    await this.#lookInto(toLook, signal)
    return 'busy'
  }

  wait(signal: AbortSignal): Promise<void> {
    return sleep(pollMs, signal)
  }

  async #listWhenDue(): Promise<void> {
    const { blobs, watch } = this.#parts
    const nowMs = performance.now()
    if (!watch.needsListing && nowMs - this.#listedMs < listEveryMs) return
    const isFirst = this.#listedMs === Number.NEGATIVE_INFINITY
    if (isFirst) await this.#forgetRetired()
    watch.listed(await blobs.segments())
    for (const file of this.#emptied.values()) watch.forget(file)
    this.#listedMs = nowMs
  }

  async #forgetRetired(): Promise<void> {
    // Every lower number is of an earlier start, whoever else writes now.
    const before = segmentPrefix({ boot: this.#parts.metadata.boot, segment: 0 })
    await this.#parts.metadata.commit({ tx: 'forgetRetired', before })
  }

  #mayEmpty(file: SegmentFile): boolean {
    if (this.#writers.isOver(file.id.boot)) return true
    if (!this.#isSealed(file)) return file.fileBytes >= sealFromBytes
    return this.#parts.clock.nowMs() - file.modifiedMs >= (this.#parts.settleMs ?? settleMs)
  }

  /** A writer has one segment at a time: one that it was asked to end, or that has a newer beside it, is not written to. */
  #isSealed({ id, prefix }: SegmentFile): boolean {
    const { watch, metadata, blobs } = this.#parts
    if (this.#writers.isOver(id.boot) || this.#sealed.has(prefix)) return true
    return id.boot === metadata.boot ? blobs.isSealed(id) : watch.hasNewer(id)
  }

  async #lookInto(file: SegmentFile, signal: AbortSignal): Promise<void> {
    const { watch } = this.#parts
    watch.looking(file)
    let liveBytes = 0
    let records = 0
    for await (const page of this.#livePages(file, { limit: lookRows, signal })) {
      records += page.length
      for (const { size, isEncrypted } of page) liveBytes += recordBytes({ lengthBytes: size, isEncrypted })
    }
    watch.looked(file, { liveBytes, records })
  }

  async #empty(file: SegmentFile, signal: AbortSignal): Promise<void> {
    const { metadata, watch } = this.#parts
    if (!this.#isSealed(file)) {
      await this.#writers.seal(file.id)
      this.#sealed.add(file.prefix)
      watch.lookAgain(file)
      return
    }
    await metadata.commit({ tx: 'retireSegment', segment: file.prefix })
    for await (const page of this.#livePages(file, { limit: batchRecordsMax, signal })) await this.#movePage(page, signal)
    watch.forget(file)
    this.#emptied.set(file.prefix, file)
    await this.#removeWhenFree(file)
  }

  async #movePage(page: readonly LiveRecord[], signal: AbortSignal): Promise<void> {
    let batch: LiveRecord[] = []
    let bytes = 0
    for (const record of page) {
      batch.push(record)
      bytes += record.size
      if (bytes < batchBytes) continue
      await this.#move(batch, signal)
      batch = []
      bytes = 0
    }
    await this.#move(batch, signal)
  }

  async #move(records: readonly LiveRecord[], signal: AbortSignal): Promise<void> {
    const { metadata, blobs, pace } = this.#parts
    const copies = await Promise.allSettled(records.map(({ blob }) => blobs.copyRecord(blob)))
    const moves: BlobMove[] = []
    const failures: { readonly blob: string; readonly error: unknown }[] = []
    let bytes = 0
    for (const [index, copy] of copies.entries()) {
      const blob = records[index]?.blob ?? ''
      if (copy.status === 'rejected') failures.push({ blob, error: copy.reason })
      else {
        moves.push({ from: blob, to: copy.value.ref })
        bytes += copy.value.storedBytes
      }
    }
    if (moves.length > 0) await metadata.commit({ tx: 'moveBlobs', moves })
    this.#movedBytes += bytes
    for (const failure of failures) await this.#copyFailed(failure)
    await pace.spend(bytes, signal)
  }

  /** Only what is not what was written is left behind; a disk that refuses ends this piece of work. */
  async #copyFailed({ blob, error }: { readonly blob: string; readonly error: unknown }): Promise<void> {
    if (!(error instanceof BlobCorrupt || error instanceof BlobMissing)) throw error
    this.#parts.log.warn({ blob, err: error }, 'a record is broken and keeps its segment')
    await this.#parts.onBroken?.(blob, error.message)
  }

  async #removeWhenFree(file: SegmentFile): Promise<void> {
    const { metadata, blobs, watch } = this.#parts
    // NOTE: the query answers only when what it saw is durable, so nothing goes to which a power cut could lead back.
    if (await metadata.read(() => isSegmentHeld(file.prefix))) return
    await blobs.removeSegment(file.id)
    this.#emptied.delete(file.prefix)
    this.#sealed.delete(file.prefix)
    watch.forget(file)
    this.#removedSegments += 1
    this.#removedBytes += file.fileBytes
  }

  async *#livePages(
    { prefix }: SegmentFile,
    { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
  ): AsyncGenerator<readonly LiveRecord[]> {
    for (let after: string | undefined = prefix; after !== undefined; ) {
      signal.throwIfAborted()
      const from: string = after
      const beganMs = performance.now()
      const page = await this.#parts.metadata.read(() => liveRecords({ segment: prefix, after: from, limit }))
      const workMs = performance.now() - beganMs
      yield page
      after = page.length < limit ? undefined : page.at(-1)?.blob
      if (after !== undefined) await sleep(workMs * restPerWork, signal)
    }
  }
}
