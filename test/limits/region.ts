/** One region as a process of its own: started from its settings, watched from outside, killed and started again on the same folder. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { accessKeyId, regionName, secretAccessKey } from './signer.ts'

const binary = fileURLToPath(new URL('../../bin/farshore.js', import.meta.url))
const startMaxMs = 30_000
const portAttemptsMax = 3
const logKeptChars = 256 * 1024

export interface RegionOptions {
  readonly folder: string
  /** Settings beside those that every test needs. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Default: the product's own. */
  readonly entry?: string
  /** Beside PATH. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface Region {
  readonly pid: number
  readonly port: number
  readonly dataFolder: string
  /** What it logged, the end of it. */
  log(): string
  isAlive(): boolean
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>
}

/** Starts a region and waits until it listens. @throws Error with its log when it ends instead */
export async function startRegion(options: RegionOptions): Promise<Region> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options)
    } catch (error) {
      // The port that a region finds free is anybody's for a moment, before its threads listen on it: a connection of another test may have it.
      if (attempt === portAttemptsMax || !String(error).includes('is taken by another process')) throw error
    }
  }
}

async function startOnce(options: RegionOptions): Promise<Region> {
  const launched = launchRegion(options)
  const { child, output } = launched
  const deadlineMs = performance.now() + startMaxMs
  while (!output.out.includes('\n')) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the region ended at its start:\n${output.err}`)
    if (performance.now() > deadlineMs) {
      child.kill('SIGKILL')
      throw new Error(`the region did not listen within ${startMaxMs} ms:\n${output.err}`)
    }
    await sleep(5)
  }
  // The line that `server --json` prints.
  const said = JSON.parse(output.out.slice(0, output.out.indexOf('\n'))) as { s3: string; pid: number }
  const ended = async (signal: NodeJS.Signals): Promise<number | null> => {
    const exit = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
    child.kill(signal)
    await exit
    return child.exitCode
  }
  return {
    pid: said.pid,
    port: Number(new URL(said.s3).port),
    dataFolder: join(options.folder, 'data'),
    log: () => output.err,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    kill: async () => void (await ended('SIGKILL')),
    stop: () => ended('SIGTERM'),
  }
}

/** Starts a region and does not wait for it: for those who kill it before it listens. */
export function launchRegion({ folder, settings = {}, entry = binary, environment = {} }: RegionOptions): {
  readonly child: ChildProcess
  readonly output: { out: string; err: string }
} {
  mkdirSync(join(folder, 'data'), { recursive: true })
  const file = join(folder, 'config.yaml')
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify({ ...standard, dataDirectory: join(folder, 'data'), ...settings }))
  const child = spawn(process.execPath, [entry, 'server', '--config', file, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/bin:/bin', ...environment },
  })
  const output = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    output.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output.err = (output.err + chunk.toString()).slice(-logKeptChars)
  })
  return { child, output }
}

const standard = {
  region: regionName,
  s3: { host: '127.0.0.1', port: 0 },
  admin: { host: '127.0.0.1', port: 0 },
  credentials: {
    accountId: '123456789012',
    canonicalId: 'c'.repeat(64),
    rootAccessKeyId: accessKeyId,
    rootSecretAccessKey: secretAccessKey,
    peeringSecret: 'the-peering-secret-of-these-tests',
  },
  // Warnings tell of a slow disk or a busy machine; errors are what no request may cause.
  log: { level: 'error' },
}

/** File descriptors that a process holds. Linux. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Memory of a process now and at its highest, in MiB. Linux. */
export function memoryOf(pid: number): { readonly rssMib: number; readonly peakMib: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) / 1024
  return { rssMib: mib('VmRSS'), peakMib: mib('VmHWM') }
}

/** Every file below a folder, by its path within it. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name).slice(folder.length + 1)] : [],
  )
}

/** Polls until it holds. */
export async function eventually(what: string, isTrue: () => boolean | Promise<boolean>, deadlineMs = 15_000): Promise<void> {
  const until = performance.now() + deadlineMs
  while (!(await isTrue())) {
    if (performance.now() > until) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`)
    await sleep(20)
  }
}
