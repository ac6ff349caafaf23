/**
 * The product with one lie built in: a PUT is answered before its commit. It exists to show that the verifier finds what such a server loses.
 * The lie is put in from here, when the modules are loaded; the product has no switch for it.
 */
import { runWith } from './swap.ts'

await runWith({
  real: new URL('../../../src/metadata/sqlite/open.ts', import.meta.url),
  lying: new URL('./early-metadata.ts', import.meta.url),
})
