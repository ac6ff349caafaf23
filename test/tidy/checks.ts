/** What a machine can hold the sources to. Each check takes files and answers with what is wrong, in words. */
import { posix } from 'node:path'

export interface SourceFile {
  /** From the root of the repository: `src/lib/clock.ts`. */
  readonly path: string
  readonly text: string
}

const linesMax = 400
const readmeLinesMax = 40

/** Which folder of src may import which; itself always. A file that stands directly in src counts as a folder of its own. */
export type Arrows = Readonly<Record<string, readonly string[]>>

/** Imports against the arrows between the layers. */
export function wrongArrows(files: readonly SourceFile[], arrows: Arrows): string[] {
  return files.flatMap(({ path, text }) => {
    const from = layerOf(path)
    const allowed = arrows[from]
    if (allowed === undefined) return [`${path}: ${from} is no known layer`]
    return importsOf(text)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => posix.join(posix.dirname(path), specifier))
      .filter((target) => layerOf(target) !== from && !allowed.includes(layerOf(target)))
      .map((target) => `${path} must not import ${target}`)
  })
}

/** Which parts of src may import a package; packages that are not named are free. */
export function wrongPackages(files: readonly SourceFile[], places: Readonly<Record<string, readonly string[]>>): string[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text)
      .filter((specifier) => places[specifier] !== undefined && !places[specifier]?.some((place) => path.startsWith(place)))
      .map((specifier) => `${path} must not import ${specifier}`),
  )
}

/** The environment is read in src/config alone. */
export function environmentReaders(files: readonly SourceFile[]): string[] {
  const reads = /\bprocess\s*(\?\.|\.)\s*env\b|\bprocess\s*\[|\benv\b[^=;]*\}\s*=\s*process\b|from 'node:process'/
  return files
    .filter(({ path, text }) => !path.startsWith('src/config/') && reads.test(withoutComments(text)))
    .map(({ path }) => `${path} reads the environment`)
}

export function tooLong(files: readonly SourceFile[]): string[] {
  return files
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > linesMax)
    .map(({ path, lines }) => `${path} has ${lines} lines`)
}

/** State that outlives whoever was given it: a variable, or an empty collection waiting to be filled, beside the functions of a file. */
export function moduleState(files: readonly SourceFile[]): string[] {
  // A constant whose type says that it stays as it is, is none.
  const state =
    /^(?:export )?(?:let|var) |^(?:export )?const \w+(?:: (?!readonly |Readonly)[^=]+)? = (?:new (?:Map|Set|WeakMap|WeakSet)(?:<[^()]*>)?\(\)|\[\]|\{\})$/m
  return files.flatMap(({ path, text }) => {
    const found = state.exec(text)
    return found === null ? [] : [`${path} keeps state beside its functions: ${found[0]}`]
  })
}

/** Names of the operations in src/operations that no test names. */
export function untestedOperations(operations: readonly SourceFile[], tests: readonly SourceFile[]): string[] {
  const tested = new Set(tests.flatMap(({ text }) => text.match(/\b[A-Z]\w+/g) ?? []))
  return operations.flatMap(operationNames).filter((name) => !tested.has(`${name}`) && !tested.has(`${name}Command`))
}

export function operationNames({ text }: SourceFile): string[] {
  return [...text.matchAll(/\boperation(?:<[^>]*>)?\(\{\s*name: '(\w+)'/g)].map((match) => match[1] ?? '')
}

/** Codes that are thrown and not in the table, and codes of the table that nothing throws and nobody reserved. */
export function wrongErrorCodes(files: readonly SourceFile[], table: readonly string[], reserved: readonly string[]): string[] {
  const text = files.map((file) => file.text).join('\n')
  const thrown = [...text.matchAll(/new S3Error\(\s*'(\w+)'/g)].map((match) => match[1] ?? '')
  const quoted = new Set([...text.matchAll(/'(\w+)'/g)].map((match) => match[1] ?? ''))
  return [
    ...[...new Set(thrown)].filter((code) => !table.includes(code)).map((code) => `${code} is thrown and not in the table`),
    ...table.filter((code) => !quoted.has(code) && !reserved.includes(code)).map((code) => `${code} is in the table and nothing uses it`),
    ...reserved.filter((code) => quoted.has(code)).map((code) => `${code} is reserved and used`),
  ]
}

/** Each folder of src says what it is for, briefly. @param readmes  by folder */
export function wrongReadmes(folders: readonly string[], readmes: Readonly<Record<string, string>>): string[] {
  return folders.flatMap((folder) => {
    const text = readmes[folder]
    if (text === undefined) return [`src/${folder} has no README.md`]
    const lines = text.trimEnd().split('\n').length
    return lines > readmeLinesMax ? [`src/${folder}/README.md has ${lines} lines`] : []
  })
}

export function importsOf(text: string): string[] {
  const code = withoutComments(text)
  return [...code.matchAll(/(?:\bfrom|^\s*import|\bimport\()\s*'([^']+)'/gm)].map((match) => match[1] ?? '')
}

/** `src/model/arn.ts` → `model`, `src/app.ts` → `app.ts`, `test/x.ts` → `test` */
function layerOf(path: string): string {
  const [root, layer] = path.split('/')
  return root === 'src' ? (layer ?? '') : (root ?? '')
}

/** Good enough for imports and names: a `//` inside of a string may go too, which hides nothing that is looked for here. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}
