/**
 * Which segment is worth emptying. Looking into one costs a read of all its rows, so that this happens only when enough of it may have been
 * freed since the last look; rows of an earlier start's segments are looked at once.
 */
import type { SegmentFile, SegmentId } from '../blobs/store.ts'
import { segmentOfRef } from '../model/segments.ts'

/** Below this share of live bytes a segment is emptied: the disk holds at most twice what is live, and each byte is moved once for each freed. */
const emptyBelowShare = 0.5
/** A segment is looked at again when this share of its records was freed. */
const lookAgainShare = 0.05

/** What a look into a segment found. */
export interface SegmentUse {
  readonly liveBytes: number
  readonly records: number
}

interface Watched {
  file: SegmentFile
  use: SegmentUse | undefined
  /** Records freed since the last look. */
  freed: number
  isToLook: boolean
}

export class SegmentWatch {
  readonly #segments = new Map<string, Watched>()
  /** Freed in segments that no listing has shown yet. */
  readonly #unlisted = new Set<string>()
  /** Number of the newest segment of each writer. */
  readonly #newest = new Map<number, number>()
  #isListed = false

  /** Segments of this listing are known, all others gone. Those of the first one may have lost anything before. */
  listed(files: readonly SegmentFile[]): void {
    const present = new Set(files.map(({ prefix }) => prefix))
    for (const prefix of this.#segments.keys()) if (!present.has(prefix)) this.#segments.delete(prefix)
    for (const file of files) {
      const known = this.#segments.get(file.prefix)
      if (known !== undefined) relisted(known, file)
      else this.#segments.set(file.prefix, { file, use: undefined, freed: 0, isToLook: !this.#isListed || this.#unlisted.has(file.prefix) })
    }
    this.#newest.clear()
    for (const { id } of files) this.#newest.set(id.boot, Math.max(id.segment, this.#newest.get(id.boot) ?? id.segment))
    this.#unlisted.clear()
    this.#isListed = true
  }

  /** Whether something was freed in a segment that is not known. */
  get needsListing(): boolean {
    return this.#unlisted.size > 0
  }

  /** Whether its writer has begun another segment since. */
  hasNewer({ boot, segment }: SegmentId): boolean {
    return segment < (this.#newest.get(boot) ?? segment)
  }

  freed(refs: readonly string[]): void {
    for (const ref of refs) {
      const prefix = segmentOfRef(ref)
      if (prefix === undefined) continue
      const watched = this.#segments.get(prefix)
      if (watched === undefined) this.#unlisted.add(prefix)
      else {
        watched.freed += 1
        watched.isToLook ||= watched.freed >= freedBeforeNextLook(watched)
      }
    }
  }

  /** The segment to look into next: the one that lost most. */
  nextToLook(): SegmentFile | undefined {
    let next: Watched | undefined
    for (const watched of this.#segments.values()) {
      if (watched.isToLook && (next === undefined || watched.freed > next.freed)) next = watched
    }
    return next?.file
  }

  /** Freed while one looked counts from now on. */
  looking(file: SegmentFile): void {
    const watched = this.#segments.get(file.prefix)
    if (watched === undefined) return
    watched.freed = 0
    watched.isToLook = false
  }

  looked(file: SegmentFile, use: SegmentUse): void {
    const watched = this.#segments.get(file.prefix)
    if (watched !== undefined) watched.use = use
  }

  /** The segment with the least live share, among those that are mostly dead and that `mayEmpty`. */
  leastLive(mayEmpty: (file: SegmentFile) => boolean): SegmentFile | undefined {
    let least: { readonly file: SegmentFile; readonly share: number } | undefined
    for (const { file, use } of this.#segments.values()) {
      const share = use === undefined ? 1 : shareOf(file, use)
      if (share < emptyBelowShare && share < (least?.share ?? 1) && mayEmpty(file)) least = { file, share }
    }
    return least?.file
  }

  /** Whatever is known of it is old. */
  lookAgain(file: SegmentFile): void {
    const watched = this.#segments.get(file.prefix)
    if (watched === undefined) return
    watched.use = undefined
    watched.isToLook = true
  }

  /** It is no longer for us to look at. */
  forget(file: SegmentFile): void {
    this.#segments.delete(file.prefix)
  }

  /** Segments known, and bytes in them that nothing refers to, as far as one has looked. */
  totals(): { readonly segments: number; readonly bytes: number; readonly deadBytes: number } {
    let bytes = 0
    let deadBytes = 0
    for (const { file, use } of this.#segments.values()) {
      bytes += file.fileBytes
      if (use !== undefined) deadBytes += Math.max(0, file.fileBytes - use.liveBytes)
    }
    return { segments: this.#segments.size, bytes, deadBytes }
  }
}

/** A look into a segment that has grown since says nothing of its share. */
function relisted(watched: Watched, file: SegmentFile): void {
  if (file.fileBytes !== watched.file.fileBytes && watched.use !== undefined) {
    watched.use = undefined
    watched.isToLook = true
  }
  watched.file = file
}

function shareOf({ fileBytes }: SegmentFile, { liveBytes }: SegmentUse): number {
  return fileBytes === 0 ? 0 : liveBytes / fileBytes
}

/** As many as could bring it below the share, were they of usual size; and not each time for a few. */
function freedBeforeNextLook({ file, use }: Watched): number {
  if (use === undefined || use.records === 0) return 1
  const surplusBytes = use.liveBytes - file.fileBytes * emptyBelowShare
  const untilMostlyDead = (surplusBytes / use.liveBytes) * use.records
  return Math.max(1, untilMostlyDead, use.records * lookAgainShare)
}
