/** Segments as files: which there are, how large, and their records taken from one and put into another. */
import { asBlobError, BlobCorrupt, BlobMissing, codeOf } from './errors.ts'
import { type FileOps, readFully } from './file-ops.ts'
import { type Folders, segmentPath } from './folders.ts'
import type { OpenFiles } from './open-files.ts'
import { headerBytes, recordBytesOf, takenRecord } from './record.ts'
import { type BlobRef, placeOf, type SegmentId, segmentOfFileName, segmentPrefix } from './ref.ts'
import { groupLimitBytes, type SegmentWriter } from './segment-writer.ts'

/** Stats at a time: as many as the thread pool has threads. */
const statsAtOnce = 4
/** Most records are smaller, and are read in one go. */
const firstReadBytes = 16 * 1024

export interface SegmentFile {
  readonly id: SegmentId
  /** The text that the refs of all its records begin with, and no others. */
  readonly prefix: string
  readonly fileBytes: number
  /** When it was last written to, by the file system's clock. */
  readonly modifiedMs: number
}

export interface MovedRecord {
  readonly ref: BlobRef
  readonly storedBytes: number
}

export interface SegmentFilesParts {
  readonly ops: FileOps
  readonly folders: Folders
  readonly openSegments: OpenFiles
  readonly writer: SegmentWriter
}

export class SegmentFiles {
  readonly #parts: SegmentFilesParts

  constructor(parts: SegmentFilesParts) {
    this.#parts = parts
  }

  async list(): Promise<readonly SegmentFile[]> {
    const { ops, folders } = this.#parts
    const ids = (await ops.readdir(folders.segments)).map(segmentOfFileName).filter((id) => id !== undefined)
    const found: SegmentFile[] = []
    for (let at = 0; at < ids.length; at += statsAtOnce) {
      const some = await Promise.all(ids.slice(at, at + statsAtOnce).map((id) => this.#factsOf(id)))
      found.push(...some.filter((file) => file !== undefined))
    }
    return found.sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
  }

  /**
   * Copies a record to where this start writes. Resolves when the copy would survive a power cut.
   * @throws BlobCorrupt | BlobMissing when it is not what was written; DiskFull | BlobIoError | BlobStoreClosed
   */
  async copy(ref: BlobRef): Promise<MovedRecord> {
    const place = placeOf(ref)
    if (place?.kind !== 'record') throw new BlobCorrupt({ ref, reason: 'it is no record of a segment' })
    const record = takenRecord(await this.#bytesOf(ref, { path: segmentPath(this.#parts.folders, place), offset: place.offset }), ref)
    return { ref: await this.#parts.writer.append(record), storedBytes: record.storedBytes }
  }

  async #factsOf(id: SegmentId): Promise<SegmentFile | undefined> {
    const { ops, folders } = this.#parts
    try {
      const { sizeBytes, modifiedMs } = await ops.stat(segmentPath(folders, id))
      return { id, prefix: segmentPrefix(id), fileBytes: sizeBytes, modifiedMs }
    } catch (error) {
      // It went meanwhile.
      if (codeOf(error) === 'ENOENT') return undefined
      throw asBlobError(error, 'look at a segment')
    }
  }

  async #bytesOf(ref: BlobRef, { path, offset }: { readonly path: string; readonly offset: number }): Promise<Buffer> {
    const { ops, openSegments } = this.#parts
    const file = await openSegments.acquire(path).catch((error: unknown) => {
      throw codeOf(error) === 'ENOENT' ? new BlobMissing(ref) : asBlobError(error, `open the segment of blob ${ref}`)
    })
    try {
      const first = Buffer.allocUnsafe(firstReadBytes)
      const count = await readFully(ops, { fd: file.fd, into: first, position: offset })
      const length = count < headerBytes ? undefined : recordBytesOf(first)
      if (length === undefined || length > groupLimitBytes) throw new BlobCorrupt({ ref, reason: 'there is no record at its place' })
      if (length <= count) return first.subarray(0, length)
      const rest = Buffer.allocUnsafe(length)
      first.copy(rest, 0, 0, count)
      const more = await readFully(ops, { fd: file.fd, into: rest.subarray(count), position: offset + count })
      if (count + more < length) throw new BlobCorrupt({ ref, reason: 'the segment is too short' })
      return rest
    } catch (error) {
      throw error instanceof BlobCorrupt ? error : asBlobError(error, `read blob ${ref}`)
    } finally {
      openSegments.release(file)
    }
  }
}
