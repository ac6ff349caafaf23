import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { errorTable } from '../src/model/errors.ts'
import {
  type Arrows,
  environmentReaders,
  importsOf,
  moduleState,
  operationNames,
  type SourceFile,
  tooLong,
  untestedOperations,
  wrongArrows,
  wrongErrorCodes,
  wrongPackages,
  wrongReadmes,
} from './tidy/checks.ts'

/** lib ← model ← { metadata, blobs } ← objects ← operations · admin ← app; access and control: model, metadata; s3: model, access. */
const arrows: Arrows = {
  lib: [],
  model: ['lib'],
  config: ['lib', 'model'],
  metadata: ['lib', 'model'],
  blobs: ['lib', 'model'],
  tiers: ['lib', 'model'],
  objects: ['lib', 'model', 'metadata', 'blobs', 'tiers'],
  access: ['lib', 'model', 'metadata'],
  peers: ['lib', 'model'],
  control: ['lib', 'model', 'metadata', 'access', 'peers'],
  s3: ['lib', 'model', 'access'],
  operations: ['lib', 'model', 'access', 'objects', 'control', 's3'],
  iam: ['lib', 'model', 'access', 'control', 's3'],
  replication: ['lib', 'model', 'metadata', 'blobs', 'objects', 'control', 'peers'],
  lifecycle: ['lib', 'model', 'metadata', 'objects'],
  archive: ['lib', 'model', 'metadata', 'blobs', 'tiers', 'objects'],
  scrub: ['lib', 'model', 'metadata', 'blobs', 'objects'],
  check: ['lib', 'model', 'metadata', 'blobs', 'objects'],
  admin: ['lib', 'model', 'access', 'metadata', 'blobs', 'objects', 'control', 's3', 'replication', 'lifecycle', 'archive', 'tiers'],
  console: ['lib', 'model', 's3'],
  region: [
    'lib',
    'model',
    'config',
    'metadata',
    'blobs',
    'objects',
    'access',
    'control',
    'peers',
    's3',
    'operations',
    'iam',
    'replication',
    'scrub',
    'tiers',
    'lifecycle',
    'archive',
  ],
  cli: ['lib', 'config'],
  'app.ts': [
    'lib',
    'model',
    'config',
    'metadata',
    'blobs',
    'objects',
    'control',
    'peers',
    's3',
    'replication',
    'region',
    'admin',
    'console',
    'tiers',
    'lifecycle',
    'archive',
  ],
  'main.ts': ['lib', 'config', 'cli', 'check', 'app.ts'],
}

const packagePlaces: Readonly<Record<string, readonly string[]>> = {
  fastify: ['src/s3/', 'src/admin/'],
  '@fastify/busboy': ['src/s3/'],
  'fast-xml-parser': ['src/s3/'],
  'better-sqlite3': ['src/metadata/', 'src/lib/folder-lock.ts'],
  commander: ['src/cli/'],
  undici: ['src/peers/', 'src/tiers/', 'src/console/'],
  yaml: ['src/config/', 'src/cli/'],
}

/** Codes that clients know and that an operation which is still missing will throw. */
const reservedCodes: readonly string[] = []

const root = fileURLToPath(new URL('..', import.meta.url))

function filesBelow(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: path.slice(root.length), text: readFileSync(path, 'utf8') }))
}

/** The console's pages run in a browser, and are a world of their own. */
const webFolder = 'src/console/web/'
const everything = filesBelow('src')
const sources = everything.filter(({ path }) => !path.startsWith(webFolder))
const web = everything.filter(({ path }) => path.startsWith(webFolder))
const tests = filesBelow('test')
const folders = readdirSync(join(root, 'src')).filter((name) => statSync(join(root, 'src', name)).isDirectory())

describe('the sources', () => {
  it('import only along the arrows between the layers', () => {
    expect(wrongArrows(sources, arrows)).toEqual([])
  })

  it('have nothing in common with the pages of the console', () => {
    const leaves = web.flatMap(({ path, text }) =>
      importsOf(text)
        .filter((specifier) => specifier.startsWith('.') && !join(path, '..', specifier).startsWith(webFolder))
        .map((specifier) => `${path} must not import ${specifier}`),
    )
    expect(web.length).toBeGreaterThan(20)
    expect(leaves).toEqual([])
  })

  it('import SQL, HTTP and XML packages only in the layers that know them', () => {
    expect(wrongPackages(sources, packagePlaces)).toEqual([])
  })

  it('read the environment in src/config alone', () => {
    expect(environmentReaders(sources)).toEqual([])
  })

  it('keep no state at module level', () => {
    expect(moduleState(sources)).toEqual([])
  })

  it('have at most 400 lines a file', () => {
    expect(tooLong([...everything, ...tests, ...filesBelow('scripts')])).toEqual([])
  })

  it('have a README of at most 40 lines in each folder', () => {
    const readmes = folders.flatMap((folder) => {
      const file = join(root, 'src', folder, 'README.md')
      return statSync(file, { throwIfNoEntry: false }) === undefined ? [] : [[folder, readFileSync(file, 'utf8')] as const]
    })
    expect(wrongReadmes(folders, Object.fromEntries(readmes))).toEqual([])
  })

  it('have a test that names it for every operation', () => {
    const operations = sources.filter(({ path }) => path.startsWith('src/operations/'))
    expect(operations.flatMap(operationNames).length).toBeGreaterThan(0)
    const tested = tests.filter(({ path }) => path.startsWith('test/operations/'))
    expect(untestedOperations(operations, tested)).toEqual([])
  })

  it('throw the error codes of the table, and all of them', () => {
    const users = sources.filter(({ path }) => path !== 'src/model/errors.ts')
    expect(wrongErrorCodes(users, Object.keys(errorTable), reservedCodes)).toEqual([])
  })
})

describe('the checks themselves', () => {
  const file = (path: string, text: string): SourceFile => ({ path, text })

  it('see every form of import, and none in a comment', () => {
    const text = `import a from 'a'\nimport type { B } from './b.ts'\nimport {\n  c,\n} from './c.ts'\nimport './d.ts'
      export { e } from './e.ts'\nconst f = await import('./f.ts')\n// import g from './g.ts'\n/* from './h.ts' */`
    expect(importsOf(text)).toEqual(['a', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts'])
  })

  it('refuse an import against the arrows, also of a type, and a layer that is not known', () => {
    const bad = [
      file('src/model/x.ts', "import type { Y } from '../metadata/y.ts'"),
      file('src/metadata/tables/x.ts', "import { y } from '../../blobs/y.ts'"),
      file('src/objects/x.ts', "import { y } from '../s3/y.ts'"),
      file('src/lib/x.ts', "import { y } from '../../test/y.ts'"),
      file('src/new/x.ts', ''),
    ]
    expect(wrongArrows(bad, arrows)).toHaveLength(bad.length)
    expect(wrongArrows([file('src/metadata/tables/x.ts', "import { y } from '../../model/y.ts'\nimport '../z.ts'")], arrows)).toEqual([])
  })

  it('refuse a package where it does not belong', () => {
    expect(wrongPackages([file('src/objects/x.ts', "import fastify from 'fastify'")], packagePlaces)).toHaveLength(1)
    expect(wrongPackages([file('src/s3/x.ts', "import fastify from 'fastify'")], packagePlaces)).toEqual([])
  })

  it.each([
    'process.env.X',
    'process .env',
    "process['env']",
    'const { env } = process',
    'process?.env',
    "import { env } from 'node:process'",
  ])('see that %s reads the environment', (text) => {
    expect(environmentReaders([file('src/cli/x.ts', text)])).toHaveLength(1)
    expect(environmentReaders([file('src/config/x.ts', text)])).toEqual([])
  })

  it('do not take other words for the environment', () => {
    expect(environmentReaders([file('src/cli/x.ts', '// process.env\nprocess.envelope; context.environment')])).toEqual([])
  })

  it.each(['let x = 1', 'export let x', 'const x = new Map<string, number>()', 'const x: string[] = []', 'export const cache = {}'])(
    'see the state in %s',
    (text) => {
      expect(moduleState([file('src/lib/x.ts', `const a = 1\n${text}\n`)])).toHaveLength(1)
    },
  )

  it('allow constants and state inside of functions', () => {
    const text =
      "const x = new Map([['a', 1]])\nconst y = { a: 1 }\nconst none: ReadonlyMap<string, string> = new Map()\nfunction f() {\n  let z = 1\n  const m = new Map()\n}\n"
    expect(moduleState([file('src/lib/x.ts', text)])).toEqual([])
  })

  it('count lines', () => {
    expect(tooLong([file('src/x.ts', 'a\n'.repeat(400)), file('src/y.ts', 'a\n'.repeat(401))])).toEqual(['src/y.ts has 401 lines'])
  })

  it('miss the test of an operation, by its own name or its command', () => {
    const operations = ['PutObject', 'GetObject', 'HeadObject'].map((name) =>
      file(`src/operations/${name}.ts`, `export const ${name} = operation({\n  name: '${name}',`),
    )
    const tested = [file('test/operations/x.test.ts', "new PutObjectCommand({}); describe('GetObject', () => {}); HeadObjects")]
    expect(untestedOperations(operations, tested)).toEqual(['HeadObject'])
  })

  it('see error codes that are unknown, unused or reserved in vain', () => {
    const files = [file('src/x.ts', "throw new S3Error('Unknown'); throw new S3Error('Used'); code: 'Kept'")]
    expect(wrongErrorCodes(files, ['Used', 'Unused', 'Kept', 'Later'], ['Later', 'Kept'])).toEqual([
      'Unknown is thrown and not in the table',
      'Unused is in the table and nothing uses it',
      'Kept is reserved and used',
    ])
  })

  it('miss a README, and see one too long', () => {
    expect(wrongReadmes(['a', 'b', 'c'], { b: 'x\n'.repeat(41), c: 'x\n'.repeat(40) })).toEqual([
      'src/a has no README.md',
      'src/b/README.md has 41 lines',
    ])
  })
})
