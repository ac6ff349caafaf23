/** The product with one lie built in: the sync of the journal blocks the thread. Put in from here, when the modules are loaded. */
import { registerHooks } from 'node:module'

const real = new URL('../../../src/metadata/sqlite/io.ts', import.meta.url).href
const lying = new URL('./blocking-io.ts', import.meta.url).href

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    return resolved.url === real && context.parentURL !== lying ? { ...resolved, url: lying } : resolved
  },
})
const { main } = await import('../../../src/main.ts')
await main()
