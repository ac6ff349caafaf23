import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FolderLocked, lockFolder } from '../../src/lib/folder-lock.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-lock-'))
})

afterEach(() => rm(folder, { recursive: true }))

const moduleUrl = new URL('../../src/lib/folder-lock.ts', import.meta.url).href

/** A process that holds the lock until it dies. */
async function holder(): Promise<ReturnType<typeof spawn>> {
  const script = `const { lockFolder } = await import(${JSON.stringify(moduleUrl)})
    const lock = lockFolder(${JSON.stringify(folder)})
    process.stdout.write('held')
    setInterval(() => lock, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

describe('a folder lock', () => {
  it('is refused to another process while it is held, and free at once when the holder is killed', async () => {
    const child = await holder()
    expect(() => lockFolder(folder)).toThrow(FolderLocked)
    child.kill('SIGKILL')
    await once(child, 'exit')
    lockFolder(folder).release()
  })

  it('is refused to the same process too, until it is released', () => {
    const lock = lockFolder(folder)
    expect(() => lockFolder(folder)).toThrow(/is in use by another farshore process/)
    lock.release()
    lockFolder(folder).release()
  })

  it('lets different folders be held side by side', async () => {
    const other = await mkdtemp(join(tmpdir(), 'farshore-lock-'))
    const locks = [lockFolder(folder), lockFolder(other)]
    for (const lock of locks) lock.release()
    await rm(other, { recursive: true })
  })
})
