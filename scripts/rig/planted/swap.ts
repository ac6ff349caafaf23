/** Runs the product with one of its modules taken for another, which lies; that one still gets the real module. The product has no switch for it. */
import { registerHooks } from 'node:module'

/** @param modules  as URLs */
export async function runWith(modules: { readonly real: URL; readonly lying: URL }): Promise<void> {
  const real = modules.real.href
  const lying = modules.lying.href
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      return resolved.url === real && context.parentURL !== lying ? { ...resolved, url: lying } : resolved
    },
  })
  const { main } = await import('../../../src/main.ts')
  await main()
}
