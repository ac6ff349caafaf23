/** Runs the command line as a process, and looks at what it does from outside. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const stub = fileURLToPath(new URL('./stub-farshore.ts', import.meta.url))
export const binary = fileURLToPath(new URL('../../bin/farshore.js', import.meta.url))

export interface Running {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Its exit code, or the signal that ended it. */
  readonly exit: Promise<number | string>
}

export function run(
  args: readonly string[],
  { entry = stub, environment = {} }: { entry?: string; environment?: Record<string, string> } = {},
): Running {
  const child = spawn(process.execPath, [entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/bin:/bin', ...environment },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    exit: once(child, 'close').then(([code, signal]: unknown[]) => (typeof code === 'number' ? code : String(signal))),
  }
}

/** Polls until it holds; the deadline is far beyond what a slow machine needs. */
export async function eventually<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const deadlineMs = performance.now() + 20_000
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadlineMs) throw new Error(`never happened: ${what}`)
    await sleep(25)
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The first of ports such that it and the given others above it are free now. */
export async function freePort(offsets: readonly number[] = [0, 1, 100, 101]): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const free = await Promise.all(offsets.map((offset) => isFree(port + offset)))
    if (free.every(Boolean)) return port
  }
  throw new Error('no free ports')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}
