/** Takes files away: those that rows have let go, those that nobody ever knew, and those that a failed write could not. */
import { asBlobError, codeOf } from './errors.ts'
import type { FileOps } from './file-ops.ts'
import { type Folders, filePath, segmentPath } from './folders.ts'
import type { OpenFiles } from './open-files.ts'
import type { Pins } from './pins.ts'
import { type BlobRef, placeOf, type SegmentId } from './ref.ts'
import type { SegmentLedger } from './segment-ledger.ts'

/** Unlinks at a time: as many as the thread pool has threads. */
const unlinksAtOnce = 4
/** Leftovers remembered; one beyond this waits for a later start's sweep. */
const leftoversMax = 10_000

export interface BlobLog {
  warn(fields: object, message: string): void
}

export interface BlobRemovalsParts {
  readonly ops: FileOps
  readonly folders: Folders
  readonly pins: Pins
  readonly segments: OpenFiles
  readonly boot: number
  readonly log: BlobLog | undefined
}

export class BlobRemovals {
  readonly #parts: BlobRemovalsParts
  readonly #leftovers = new Set<string>()
  readonly #background = new Set<Promise<void>>()

  constructor(parts: BlobRemovalsParts) {
    this.#parts = parts
  }

  get leftovers(): number {
    return this.#leftovers.size
  }

  async remove(refs: readonly BlobRef[], ledger: SegmentLedger): Promise<void> {
    const files: BlobRef[] = []
    for (const ref of refs) {
      const place = placeOf(ref)
      if (place?.kind === 'file') files.push(ref)
      // Segments of earlier starts are not counted: the sweep asks whether any row refers to them.
      else if (place?.kind === 'record' && place.boot === this.#parts.boot) ledger.freed(place, place.offset)
    }
    for (let at = 0; at < files.length; at += unlinksAtOnce) {
      await Promise.all(files.slice(at, at + unlinksAtOnce).map((ref) => this.unlinkFile(ref)))
    }
  }

  async unlinkFile(ref: BlobRef): Promise<void> {
    const place = placeOf(ref)
    if (place?.kind === 'file') await this.#unlinkWhenFree(filePath(this.#parts.folders, place))
  }

  async unlinkSegment(id: SegmentId): Promise<void> {
    await this.#unlinkWhenFree(segmentPath(this.#parts.folders, id))
  }

  /** The same, for a moment that cannot wait; a failure is logged and left to a later start's sweep. */
  unlinkSegmentSoon(id: SegmentId): void {
    this.#inBackground(this.unlinkSegment(id))
  }

  addLeftover(path: string): void {
    if (this.#leftovers.size < leftoversMax) this.#leftovers.add(path)
  }

  async retryLeftovers(): Promise<void> {
    for (const path of [...this.#leftovers]) {
      await this.#unlink(path).then(
        () => this.#leftovers.delete(path),
        () => undefined,
      )
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#background)
    await this.retryLeftovers()
  }

  async #unlinkWhenFree(path: string): Promise<void> {
    if (this.#parts.pins.defer(path, () => this.#inBackground(this.#unlink(path)))) return
    await this.#unlink(path)
  }

  async #unlink(path: string): Promise<void> {
    this.#parts.segments.forget(path)
    try {
      await this.#parts.ops.unlink(path)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw asBlobError(error, `unlink ${path}`)
    }
  }

  #inBackground(work: Promise<void>): void {
    const settled = work
      .catch((error: unknown) => this.#parts.log?.warn({ err: error }, 'blob file not unlinked'))
      .finally(() => this.#background.delete(settled))
    this.#background.add(settled)
  }
}
