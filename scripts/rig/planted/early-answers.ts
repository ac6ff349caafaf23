/**
 * The product with one lie built in: a PUT is answered before its commit. It exists to show that the verifier finds what such a server loses.
 * The lie is put in from here, when the modules are loaded; the product has no switch for it.
 */
import { registerHooks } from 'node:module'

const real = new URL('../../../src/metadata/sqlite/open.ts', import.meta.url).href
const lying = new URL('./early-metadata.ts', import.meta.url).href

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    return resolved.url === real && context.parentURL !== lying ? { ...resolved, url: lying } : resolved
  },
})
const { main } = await import('../../../src/main.ts')
await main()
