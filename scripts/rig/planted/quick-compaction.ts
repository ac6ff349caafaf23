/** The product with shorter waits: compaction looks for work all the time. Put in from here, when the modules are loaded. */
import { runWith } from './swap.ts'

await runWith({
  real: new URL('../../../src/objects/compaction.ts', import.meta.url),
  lying: new URL('./quick-engine.ts', import.meta.url),
})
