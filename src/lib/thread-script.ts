/** The script of a thread: the same file is TypeScript in the clone and JavaScript in the package. */

/** @param name  of a file without its extension @param beside  `import.meta.url` of a file in the same folder */
export function threadScript(name: string, beside: string): URL {
  return new URL(`./${name}.${beside.endsWith('.ts') ? 'ts' : 'js'}`, beside)
}
