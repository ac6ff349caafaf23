/** The engine that empties segments, without its waits: and a segment goes when its records are copied, not when their new places are committed. */
import type { Engine } from '../../../src/lib/engine.ts'
import type { Metadata } from '../../../src/metadata/engine.ts'
import type { Command, Outcome, TransactionName } from '../../../src/metadata/transactions.ts'
import { type CompactionParts, createCompaction as createReal } from '../../../src/objects/compaction.ts'
import { quick } from './quick.ts'

export function createCompaction(parts: CompactionParts): Engine {
  return quick(createReal({ ...parts, metadata: hasty(parts) }))
}

function hasty({ metadata, blobs }: CompactionParts): Metadata {
  let retired = ''
  return {
    boot: metadata.boot,
    read: (query) => metadata.read(query),
    remembered: (query) => metadata.remembered(query),
    waitBeyond: (seq, signal) => metadata.waitBeyond(seq, signal),
    status: () => metadata.status(),
    close: () => metadata.close(),
    async commit<Name extends TransactionName>(command: Command<Name>): Promise<Outcome<Name>> {
      if ('segment' in command) retired = String(command.segment)
      const gone = command.tx === 'moveBlobs' ? (await blobs.segments()).find(({ prefix }) => prefix === retired) : undefined
      if (gone !== undefined) await blobs.removeSegment(gone.id)
      return await metadata.commit(command)
    },
  }
}
