/** Makes the shim from its source, where there is a compiler. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const source = fileURLToPath(new URL('./shim.c', import.meta.url))
const compileMaxMs = 60_000

export type Built = { readonly library: string } | { readonly skipped: string }

export async function buildShim(folder: string): Promise<Built> {
  if (process.platform !== 'linux') return { skipped: `the shim is for Linux, and this is ${process.platform}` }
  const library = join(folder, 'shim.so')
  const run = promisify(execFile)
  try {
    await run('gcc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl', '-lpthread'], { timeout: compileMaxMs })
    return { library }
  } catch (error) {
    // A compiler that refuses the source is a fault of ours; one that is not there is not.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // execFile's errors carry a code
    return { skipped: 'there is no gcc to build the shim with' }
  }
}
