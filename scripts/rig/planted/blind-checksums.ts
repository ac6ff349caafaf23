/**
 * One lie for the product, loaded before it in each of its threads (`--import`): the checksums of its blobs are all the same.
 */
import { registerHooks } from 'node:module'

const blobs = new URL('../../../src/blobs/', import.meta.url).href
const lying = new URL('./blind-zlib.ts', import.meta.url).href

registerHooks({
  resolve(specifier, context, next) {
    const isTheirs = specifier === 'node:zlib' && context.parentURL?.startsWith(blobs) === true
    return isTheirs ? { url: lying, shortCircuit: true } : next(specifier, context)
  },
})
