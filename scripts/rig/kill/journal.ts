/**
 * What a region must hold: every intent before it is sent, every acknowledgement when it came.
 * It lives outside the region, in the process of the rig, which nobody kills: what is in its memory is as safe as a synced file.
 */
import { createHash } from 'node:crypto'
import type { Random } from '../../../test/limits/random.ts'

/** What a client may later ask back of an object. The bytes are a stretch of the pool. */
export interface Content {
  readonly offset: number
  readonly size: number
  readonly etag: string
  /** x-amz-meta-note: tells every intent from every other. */
  readonly note: string
  readonly contentType: string
  /** Sorted `name=value`, joined by `&`. */
  readonly tags: string
}

/** Absent: there is no such object. */
export type State = Content | 'absent'

/** A key of an unversioned bucket. */
export interface PlainKey {
  readonly key: string
  settled: State
  /** What it may be as well, because nobody knows whether the last intent was carried out. */
  pending: State | undefined
}

export interface Version {
  readonly id: string
  readonly content: Content | 'marker'
}

export type VersionIntent =
  | { readonly kind: 'add'; readonly content: Content | 'marker' }
  /** In place of the null version, wherever it stands, if there is one; it becomes the newest. */
  | { readonly kind: 'replace'; readonly content: Content | 'marker' }
  | { readonly kind: 'remove'; readonly id: string }
  | { readonly kind: 'change'; readonly id: string; readonly content: Content }

/** The id of the version that a write without versions makes; there is one at most. */
export const nullId = 'null'

/** A key of a versioned bucket, or of one whose versioning is suspended now and then. */
export interface VersionedKey {
  readonly bucket: string
  readonly key: string
  /** Newest first. */
  versions: readonly Version[]
  pending: VersionIntent | undefined
  /** Those that were read back as they are in `versions`. */
  read: ReadonlySet<Version>
}

const poolBytes = 8 * 1024 * 1024

export class Journal {
  readonly plain = new Map<string, PlainKey>()
  readonly versioned = new Map<string, VersionedKey>()
  /** Upload ids whose abort was acknowledged. */
  readonly aborted = new Set<string>()
  /** When each acknowledgement came, by `performance.now()`. */
  readonly acknowledgedMs: number[] = []
  readonly violations: string[] = []
  /** Whether the bucket of which that is true at times makes no versions now. */
  isSuspended = false
  readonly #pool: Buffer
  readonly #versionIds = new Set<string>()
  #notes = 0

  constructor(random: Random) {
    this.#pool = random.bytes(poolBytes)
  }

  newContent(random: Random, size: number): Content {
    const offset = random.below(poolBytes - size)
    return {
      offset,
      size,
      etag: md5(this.#pool.subarray(offset, offset + size)).toString('hex'),
      note: String(this.#notes++),
      contentType: random.pick(['text/plain', 'image/png', 'application/x-thing']),
      tags: random.oneIn(3) ? randomTags(random) : '',
    }
  }

  bytesOf({ offset, size }: Pick<Content, 'offset' | 'size'>): Buffer {
    return this.#pool.subarray(offset, offset + size)
  }

  acknowledged(): void {
    this.acknowledgedMs.push(performance.now())
  }

  /** Every version id that a region gives is a new one. */
  versionIdGiven(id: string | undefined, key: string): string {
    if (id === undefined || id === nullId) this.violations.push(`${key}: a versioned write was acknowledged without a version id`)
    else if (this.#versionIds.has(id)) this.violations.push(`${key}: version id ${id} was given twice`)
    else this.#versionIds.add(id)
    return id ?? ''
  }

  /** While versioning is suspended there is only this one. */
  nullIdGiven(id: string | undefined, key: string): string {
    if (id !== nullId) this.violations.push(`${key}: a write was acknowledged with version id ${id} while versioning is suspended`)
    return nullId
  }

  acknowledgedSince(ms: number): number {
    return this.acknowledgedMs.filter((at) => at >= ms).length
  }
}

export function randomTags(random: Random): string {
  return `kind=${random.below(1000)}&of=${random.below(1000)}`
}

/** The null version goes, if there is one, and another is the newest; all others stay. */
export function withNull(versions: readonly Version[], content: Content | 'marker'): readonly Version[] {
  return [{ id: nullId, content }, ...versions.filter(({ id }) => id !== nullId)]
}

export function md5(data: Buffer): Buffer {
  return createHash('md5').update(data).digest()
}
