/**
 * Appends records to this start's segment. Whatever arrives in one turn of the event loop, or while a sync runs, shares the next write and
 * sync.
 * NOTE: after a failed write or sync the kernel may have dropped pages that a later sync would call clean, so such a segment is never
 * written again.
 */
import { asBlobError, BlobStoreClosed } from './errors.ts'
import { closeQuietly, type FileOps, syncFolder, writeFully } from './file-ops.ts'
import { type BlobRecord, encodeRecord } from './record.ts'
import { type BlobRef, recordRef, type SegmentId, segmentFileName } from './ref.ts'
import type { SegmentLedger } from './segment-ledger.ts'

/** One write at most; also what a group's buffer holds. */
export const groupLimitBytes = 1024 * 1024
/** Waiting records above this make writers wait. */
const queueLimitBytes = 8 * 1024 * 1024
// A write inside the file's length needs no journal commit of the file system: 125 µs against 190. So a small group writes zeros ahead
// with it.
const zeroAheadBytes = 256 * 1024
const zeroAheadGroupBytes = 64 * 1024

export interface SegmentWriterOptions {
  readonly ops: FileOps
  readonly folder: string
  readonly boot: number
  readonly segmentLimitBytes: number
  readonly ledger: SegmentLedger
  /** Told of a path that could not be unlinked after a failure, to be tried again later. */
  readonly onLeftover: (path: string) => void
}

interface Waiting {
  readonly record: BlobRecord
  readonly resolve: (ref: BlobRef) => void
  readonly reject: (error: Error) => void
}

interface Segment {
  readonly id: SegmentId
  readonly fd: number
  sizeBytes: number
  /** Length of the file, zeros ahead included. */
  fileBytes: number
}

export class SegmentWriter {
  readonly #options: SegmentWriterOptions
  readonly #buffer = Buffer.allocUnsafeSlow(groupLimitBytes + zeroAheadBytes)
  #queue: Waiting[] = []
  #queuedBytes = 0
  #current: Segment | undefined
  #nextSegment = 0
  #draining: Promise<void> | undefined
  #groupTaken = Promise.withResolvers<void>()
  #isClosed = false
  #isToSeal = false
  #sealed = Promise.withResolvers<void>()
  /** From before its file is there until nothing more will be written to it. */
  #isNewestOpen = false

  constructor(options: SegmentWriterOptions) {
    this.#options = options
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Resolves when the record would survive a power cut. */
  async append(record: BlobRecord, signal?: AbortSignal): Promise<BlobRef> {
    while (this.#queuedBytes >= queueLimitBytes) {
      await this.#groupTaken.promise
      signal?.throwIfAborted()
    }
    if (this.#isClosed) throw new BlobStoreClosed()
    return new Promise((resolve, reject) => {
      this.#queue.push({ record, resolve, reject })
      this.#queuedBytes += record.storedBytes
      this.#draining ??= endOfTurn().then(() => this.#drain())
    })
  }

  /** Whether this segment is still written to. */
  isCurrent(id: SegmentId): boolean {
    return this.#isNewestOpen && id.boot === this.#options.boot && id.segment === this.#nextSegment - 1
  }

  /** Lets the next record begin another segment, if it is this one that is written to. */
  async seal(id: SegmentId): Promise<void> {
    // What is being written ends first; whatever is queued behind it goes on meanwhile.
    while (this.isCurrent(id)) {
      if (this.#draining === undefined) await this.#seal()
      else {
        this.#isToSeal = true
        // Under a steady load the queue is never empty.
        await Promise.race([this.#draining, this.#sealed.promise])
      }
    }
  }

  /** Writes what waits, then closes the segment. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#draining
    await this.#seal()
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#sealIfFull()
      const group = this.#takeGroup()
      try {
        this.#current ??= await this.#openSegment()
        const refs = await this.#writeGroup(this.#current, group)
        for (const [index, { resolve }] of group.entries()) resolve(refs[index] ?? '')
      } catch (error) {
        const failure = asBlobError(error, 'write to a segment')
        await this.#seal()
        for (const { reject } of group) reject(failure)
      }
    }
    this.#draining = undefined
  }

  #takeGroup(): readonly Waiting[] {
    const room = Math.min(groupLimitBytes, this.#options.segmentLimitBytes - (this.#current?.sizeBytes ?? 0))
    let bytes = 0
    let count = 0
    for (const { record } of this.#queue) {
      if (bytes + record.storedBytes > room) break
      bytes += record.storedBytes
      count += 1
    }
    const group = this.#queue.slice(0, count)
    this.#queue = this.#queue.slice(count)
    this.#queuedBytes -= bytes
    this.#groupTaken.resolve()
    this.#groupTaken = Promise.withResolvers()
    return group
  }

  async #writeGroup(segment: Segment, group: readonly Waiting[]): Promise<readonly BlobRef[]> {
    const { ops, segmentLimitBytes, ledger } = this.#options
    let bytes = 0
    const refs = group.map(({ record }) => {
      const ref = recordRef(segment.id, segment.sizeBytes + bytes)
      encodeRecord(record, { ref, into: this.#buffer, at: bytes })
      bytes += record.storedBytes
      return ref
    })
    const endBytes = segment.sizeBytes + bytes
    const zeros = bytes <= zeroAheadGroupBytes && endBytes > segment.fileBytes ? Math.min(zeroAheadBytes, segmentLimitBytes - endBytes) : 0
    this.#buffer.fill(0, bytes, bytes + zeros)
    await writeFully(ops, { fd: segment.fd, from: this.#buffer.subarray(0, bytes + zeros), position: segment.sizeBytes })
    await ops.fdatasync(segment.fd)
    segment.sizeBytes = endBytes
    segment.fileBytes = Math.max(segment.fileBytes, endBytes + zeros)
    ledger.wrote(segment.id, { records: group.length, bytes })
    return refs
  }

  async #openSegment(): Promise<Segment> {
    const { ops, folder, boot, ledger } = this.#options
    const id = { boot, segment: this.#nextSegment }
    this.#nextSegment += 1
    this.#isNewestOpen = true
    const path = `${folder}/${segmentFileName(id)}`
    const fd = await ops.open(path, 'create')
    try {
      await syncFolder(ops, folder)
    } catch (error) {
      await closeQuietly(ops, fd)
      await ops.unlink(path).catch(() => this.#options.onLeftover(path))
      throw error
    }
    ledger.opened(id)
    return { id, fd, sizeBytes: 0, fileBytes: 0 }
  }

  async #sealIfFull(): Promise<void> {
    const next = this.#queue[0]
    if (this.#current === undefined || next === undefined) return
    if (this.#isToSeal || this.#current.sizeBytes + next.record.storedBytes > this.#options.segmentLimitBytes) await this.#seal()
  }

  async #seal(): Promise<void> {
    this.#isNewestOpen = false
    this.#isToSeal = false
    this.#sealed.resolve()
    this.#sealed = Promise.withResolvers()
    const segment = this.#current
    if (segment === undefined) return
    this.#current = undefined
    await closeQuietly(this.#options.ops, segment.fd)
    this.#options.ledger.sealed(segment.id)
  }
}

/** Requests that arrive in the same turn of the event loop are then in the same group. Costs a lone one nothing it could notice. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
