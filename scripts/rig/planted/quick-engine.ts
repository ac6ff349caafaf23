/** The engine that empties segments, without its waits. */
import type { Engine } from '../../../src/lib/engine.ts'
import { type CompactionParts, createCompaction as createReal } from '../../../src/objects/compaction.ts'
import { quick } from './quick.ts'

export function createCompaction(parts: CompactionParts): Engine {
  return quick(createReal(parts))
}
