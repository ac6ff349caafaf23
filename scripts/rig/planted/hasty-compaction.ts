/** The product with one lie built in: a segment goes before its records' new places are committed. Put in from here, when the modules are loaded. */
import { runWith } from './swap.ts'

await runWith({
  real: new URL('../../../src/objects/compaction.ts', import.meta.url),
  lying: new URL('./hasty-engine.ts', import.meta.url),
})
