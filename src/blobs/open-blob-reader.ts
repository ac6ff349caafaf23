/** Reads blobs beside whoever writes them, or while nobody does: changes nothing in the folder. */
import { BlobReads } from './blob-reads.ts'
import { BufferPool } from './buffer-pool.ts'
import { codeOf } from './errors.ts'
import { type FileOps, nodeFileOps } from './file-ops.ts'
import { fileFolders, foldersOf } from './folders.ts'
import { OpenFiles } from './open-files.ts'
import { Pins } from './pins.ts'
import { blobOfFileName, fileRef, segmentOfFileName, segmentPrefix } from './ref.ts'
import type { BlobRef, BlobStore } from './store.ts'

const pieceBytes = 1024 * 1024
const buffersKept = 8
const segmentsOpenMax = 64

/** A file of the blob folders. */
export interface StoredFile {
  readonly kind: 'file' | 'segment' | 'temporary'
  /** Of a file: its ref; of a segment: what the refs of its records begin with. Otherwise its name. */
  readonly ref: BlobRef
  readonly sizeBytes: number
  readonly modifiedMs: number
}

export interface BlobReader extends Pick<BlobStore, 'read' | 'readWhole'> {
  /** Names of all files, one folder at a time. */
  folders(): AsyncIterable<readonly Pick<StoredFile, 'kind' | 'ref'>[]>
  /** Undefined when it went meanwhile. */
  factsOf(file: Pick<StoredFile, 'kind' | 'ref'>): Promise<StoredFile | undefined>
  close(): Promise<void>
}

export function openBlobReader({ directory, ops = nodeFileOps }: { readonly directory: string; readonly ops?: FileOps }): BlobReader {
  const folders = foldersOf(directory)
  const segments = new OpenFiles({ ops, keptMax: segmentsOpenMax })
  const pool = new BufferPool({ sizeBytes: pieceBytes, keptMax: buffersKept })
  const reads = new BlobReads({ ops, folders, pool, pins: new Pins(), segments })
  return {
    read: (ref, options) => reads.read(ref, options),
    readWhole: (ref, options) => reads.readWhole(ref, options),
    async *folders() {
      yield (await namesIn(ops, folders.tmp)).map((ref) => ({ kind: 'temporary' as const, ref }))
      const ids = (await namesIn(ops, folders.segments)).map(segmentOfFileName).filter((id) => id !== undefined)
      yield ids.map((id) => ({ kind: 'segment' as const, ref: segmentPrefix(id) }))
      for (const folder of fileFolders) {
        const blobs = (await namesIn(ops, `${folders.files}/${folder}`)).map(blobOfFileName).filter((blob) => blob !== undefined)
        yield blobs.map((blob) => ({ kind: 'file' as const, ref: fileRef(blob) }))
      }
    },
    async factsOf({ kind, ref }) {
      const path = {
        temporary: `${folders.tmp}/${ref}`,
        segment: `${folders.segments}/${ref.slice(1, -1)}`,
        file: `${folders.files}/${ref.slice(10, 12)}/${ref.slice(1)}`,
      }[kind]
      return await ops.stat(path).then(
        (facts) => ({ kind, ref, ...facts }),
        () => undefined,
      )
    },
    async close() {
      reads.close()
      await segments.close()
    },
  }
}

async function namesIn(ops: FileOps, folder: string): Promise<readonly string[]> {
  try {
    return await ops.readdir(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
