/** Builds the web console into `build/console`, unless what is there was made of the same sources. `--out DIR` builds it elsewhere, always. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
const web = join(root, 'src/console/web')
const { values } = parseArgs({ options: { out: { type: 'string' } } })
const outDir = values.out === undefined ? join(root, 'build/console') : values.out
/** Of the sources that it was made of: kept beside the build, and served to nobody. */
const stampFile = `${outDir}.sources`

const sources = digest()
const standing = await readFile(stampFile, 'utf8').catch(() => '')
if (values.out !== undefined || standing !== sources) {
  await build({ configFile: join(web, 'vite.config.ts'), logLevel: 'warn', build: { outDir } })
  if (values.out === undefined) await writeFile(stampFile, sources)
}

/** Of all that the build is made of, the versions of packages included. */
function digest(): string {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')))
  const files = readdirSync(web, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(`\0${path.slice(root.length)}\0`).update(readFileSync(path))
  }
  return hash.digest('hex')
}
