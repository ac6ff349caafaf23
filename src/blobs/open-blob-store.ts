/** Puts the blob store together on a folder. */
import { BlobReads } from './blob-reads.ts'
import { type BlobLog, BlobRemovals } from './blob-removals.ts'
import { BlobWrites } from './blob-writes.ts'
import { BufferPool } from './buffer-pool.ts'
import { BlobStoreClosed } from './errors.ts'
import { type FileOps, nodeFileOps } from './file-ops.ts'
import { type Folders, fileFolders, foldersOf, prepareFolders } from './folders.ts'
import { OpenFiles } from './open-files.ts'
import { patientOps } from './patient-ops.ts'
import { Pins } from './pins.ts'
import { recordBytes } from './record.ts'
import { bootMax, segmentOfFileName } from './ref.ts'
import { Room } from './room.ts'
import { SegmentFiles } from './segment-files.ts'
import { SegmentLedger } from './segment-ledger.ts'
import { groupLimitBytes, SegmentWriter } from './segment-writer.ts'
import type { BlobStore } from './store.ts'
import { Sweeper } from './sweep.ts'

export interface BlobStoreOptions {
  /** Absolute path; made when it is not there. */
  readonly directory: string
  /** This start's number, 1 to 2^32 - 1, higher than any before on this folder: it keeps names of one start apart from all others. */
  readonly boot: number
  /** Default 64 MiB. */
  readonly segmentLimitBytes?: number
  /** Blobs up to this length become records of a segment. Default 128 KiB; at most 512 KiB. */
  readonly smallLimitBytes?: number
  /** Free space that files must leave on the disk. Default 0. */
  readonly reserveBytes?: number
  /** Default true. False: others have the folder open already, under other numbers. */
  readonly isFirst?: boolean
  readonly log?: BlobLog
  readonly ops?: FileOps
}

const defaultSegmentLimitBytes = 64 * 1024 * 1024
const segmentMaxBytes = 1024 ** 3
const defaultSmallLimitBytes = 128 * 1024
const smallMaxBytes = groupLimitBytes / 2
const pieceBytes = 1024 * 1024
const buffersKept = 32
const segmentsOpenMax = 256
/** A descriptor of a segment that another process unlinked keeps its bytes on the disk: so long at most. */
const forgetEveryMs = 20_000

/**
 * @throws RangeError for numbers out of their limits, or when the folder has segments of this or a later boot
 * @throws what the file system says when the folder cannot be used
 */
export async function openBlobStore(options: BlobStoreOptions): Promise<BlobStore> {
  const { boot, log, ops = patientOps(nodeFileOps) } = options
  const segmentLimitBytes = options.segmentLimitBytes ?? defaultSegmentLimitBytes
  const smallLimitBytes = options.smallLimitBytes ?? defaultSmallLimitBytes
  checkLimits({ boot, segmentLimitBytes, smallLimitBytes })
  const folders = foldersOf(options.directory)
  await prepareFolders(ops, folders)
  if (options.isFirst !== false) await checkBoot(ops, { folders, boot })

  const pool = new BufferPool({ sizeBytes: pieceBytes, keptMax: buffersKept })
  const pins = new Pins()
  const openSegments = new OpenFiles({ ops, keptMax: segmentsOpenMax })
  const removals = new BlobRemovals({ ops, folders, pins, segments: openSegments, boot, log })
  const ledger = new SegmentLedger({ onAllFreed: (id) => removals.unlinkSegmentSoon(id) })
  const onLeftover = (path: string): void => removals.addLeftover(path)
  const segments = new SegmentWriter({ ops, folder: folders.segments, boot, segmentLimitBytes, ledger, onLeftover })
  const room = new Room({ ops, folder: folders.tmp, reserveBytes: options.reserveBytes ?? 0 })
  const files = { ops, pool, boot, room, tmpFolder: folders.tmp, filesFolder: folders.files, onLeftover }
  const writes = new BlobWrites({ segments, files, smallLimitBytes })
  const reads = new BlobReads({ ops, folders, pool, pins, segments: openSegments })
  const segmentFiles = new SegmentFiles({ ops, folders, openSegments, writer: segments })
  const forgetting = setInterval(() => void openSegments.forgetUnlinked(), forgetEveryMs)
  // Nobody waits for it: it does not keep a process alive.
  forgetting.unref()
  const sweeper = new Sweeper({
    ops,
    boot,
    folders,
    fileFolders,
    unlinkFile: (ref) => removals.unlinkFile(ref),
    unlinkSegment: (id) => removals.unlinkSegment(id),
  })
  let closing: Promise<void> | undefined

  return {
    write: (source, writeOptions) => writes.write(source, writeOptions),
    read: (ref, streamOptions) => reads.read(ref, streamOptions),
    readWhole: (ref, readOptions) => reads.readWhole(ref, readOptions),
    async remove(refs) {
      if (closing !== undefined) throw new BlobStoreClosed()
      await removals.remove(refs, ledger)
    },
    async sweep(questions, sweepOptions = {}) {
      if (closing !== undefined) throw new BlobStoreClosed()
      await removals.retryLeftovers()
      return sweeper.sweep(questions, sweepOptions)
    },
    segments: () => segmentFiles.list(),
    isSealed: (id) => !segments.isCurrent(id),
    seal: (id) => segments.seal(id),
    async copyRecord(ref) {
      if (closing !== undefined) throw new BlobStoreClosed()
      return segmentFiles.copy(ref)
    },
    async removeSegment(id) {
      if (closing !== undefined) throw new BlobStoreClosed()
      await removals.unlinkSegment(id)
      ledger.gone(id)
    },
    freeBytes: () => ops.freeBytes(folders.root),
    status: () => ({
      boot,
      segments: ledger.segments,
      segmentBytes: ledger.bytes,
      queuedBytes: segments.queuedBytes,
      writesInFlight: writes.inFlight,
      readers: pins.readers,
      leftovers: removals.leftovers,
    }),
    close() {
      closing ??= closeAll()
      return closing
    },
  }

  async function closeAll(): Promise<void> {
    clearInterval(forgetting)
    reads.close()
    await writes.close()
    await removals.close()
    await openSegments.close()
  }
}

function checkLimits(limits: { boot: number; segmentLimitBytes: number; smallLimitBytes: number }): void {
  const { boot, segmentLimitBytes, smallLimitBytes } = limits
  if (!Number.isInteger(boot) || boot < 1 || boot > bootMax) throw new RangeError(`boot is a whole number from 1 to ${bootMax}`)
  if (!(smallLimitBytes >= 0 && smallLimitBytes <= smallMaxBytes)) throw new RangeError(`smallLimitBytes is 0 to ${smallMaxBytes}`)
  const leastBytes = recordBytes({ lengthBytes: smallLimitBytes, isEncrypted: true })
  if (!(segmentLimitBytes >= leastBytes && segmentLimitBytes <= segmentMaxBytes)) {
    throw new RangeError(`segmentLimitBytes is ${leastBytes} to ${segmentMaxBytes}`)
  }
}

/** A boot number used twice would give two records one name. A folder from a later time than its rows (a restored backup) is met here. */
async function checkBoot(ops: FileOps, { folders, boot }: { folders: Folders; boot: number }): Promise<void> {
  for (const name of await ops.readdir(folders.segments)) {
    const other = segmentOfFileName(name)?.boot
    if (other !== undefined && other >= boot)
      throw new RangeError(`${folders.root} has blobs of start ${other}; start ${boot} comes after it`)
  }
}
