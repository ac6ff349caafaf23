/** Files to which no row leads. A killed process leaves some, and a start sweeps them: they cost space and nothing else. */
import type { BlobReader, StoredFile } from '../blobs/open-blob-reader.ts'
import type { MetadataReader } from '../metadata/sqlite/open-reader.ts'
import { isSegmentHeld } from '../metadata/tables/segments.ts'
import { referencedBlobs } from '../metadata/tables/version-rows.ts'
import type { Collector } from './report.ts'

const questionRefsMax = 256
/** What is younger may be a write under way. */
const youngMs = 600_000

export async function countOrphans(of: {
  readonly reader: MetadataReader
  readonly blobs: BlobReader
  readonly collector: Collector
  readonly nowMs: number
  readonly signal: AbortSignal
}): Promise<void> {
  for await (const names of of.blobs.folders()) {
    for (let at = 0; at < names.length; at += questionRefsMax) {
      of.signal.throwIfAborted()
      for (const file of unreferenced(of.reader, names.slice(at, at + questionRefsMax))) {
        const facts = await of.blobs.factsOf(file)
        if (facts === undefined || of.nowMs - facts.modifiedMs < youngMs) continue
        of.collector.checked.orphanFiles += 1
        of.collector.checked.orphanBytes += facts.sizeBytes
      }
    }
  }
}

type Named = Pick<StoredFile, 'kind' | 'ref'>

function unreferenced(reader: MetadataReader, files: readonly Named[]): readonly Named[] {
  const known = reader.read(() => referencedBlobs(files.flatMap(({ kind, ref }) => (kind === 'file' ? [ref] : []))))
  return files.filter(({ kind, ref }) => {
    if (kind === 'segment') return !reader.read(() => isSegmentHeld(ref))
    return kind === 'temporary' || !known.has(ref)
  })
}
