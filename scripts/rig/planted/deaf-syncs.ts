/** The product with one lie built in: a failed sync of the journal is taken for a success. Put in from here, when the modules are loaded. */
import { runWith } from './swap.ts'

await runWith({ real: new URL('../../../src/metadata/sqlite/io.ts', import.meta.url), lying: new URL('./deaf-io.ts', import.meta.url) })
