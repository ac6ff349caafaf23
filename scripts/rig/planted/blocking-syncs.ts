/** The product with one lie built in: the sync of the journal blocks the thread. Put in from here, when the modules are loaded. */
import { runWith } from './swap.ts'

await runWith({ real: new URL('../../../src/metadata/sqlite/io.ts', import.meta.url), lying: new URL('./blocking-io.ts', import.meta.url) })
