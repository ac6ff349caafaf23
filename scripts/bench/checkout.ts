/** Another commit of this repository in a folder of its own, to be measured beside the working tree. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Checkout {
  /** The program to start. */
  readonly program: string
  readonly commit: string
  remove(): void
}

const root = new URL('../..', import.meta.url).pathname

/** @throws Error when the revision is unknown */
export async function checkOut(revision: string): Promise<Checkout> {
  const commit = git('rev-parse', '--verify', `${revision}^{commit}`)
  const parent = await mkdtemp(join(tmpdir(), 'farshore-against-'))
  const folder = join(parent, 'farshore')
  git('worktree', 'add', '--detach', '--quiet', folder, commit)
  const remove = (): void => {
    git('worktree', 'remove', '--force', folder)
    rmSync(parent, { recursive: true })
  }
  try {
    provideModules(folder)
    return { program: join(folder, 'bin/farshore.js'), commit, remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** With the same lock file the packages are the same, and need no second installation. */
function provideModules(folder: string): void {
  const lock = (of: string): string => readFileSync(join(of, 'package-lock.json'), 'utf8')
  if (lock(root) === lock(folder) && existsSync(join(root, 'node_modules')))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  else execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
}

function git(...args: readonly string[]): string {
  return execFileSync('git', [...args], { cwd: root, encoding: 'utf8' }).trim()
}
