/** The servers that the benchmark starts itself, and ends again. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Credentials } from './sign.ts'

export interface RunningServer {
  readonly endpoint: string
  readonly pid: number
  readonly credentials: Credentials
  /** From the start of the process to its first answer. */
  readonly startMs: number
  stop(): Promise<void>
}

export const ownProgram = new URL('../../bin/farshore.js', import.meta.url).pathname
const bareServer = new URL('./bare-server.ts', import.meta.url).pathname
export const region = 'us-east-1'
const attemptsMax = 3

export interface RegionOptions {
  readonly program: string
  /** Made when it is not there; what is in it stays. */
  readonly data: string
  readonly profile?: string | undefined
}

export async function startRegion(options: RegionOptions): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options)
    } catch (error) {
      // Somebody else may have taken the port that was free a moment ago.
      if (attempt === attemptsMax) throw error
    }
  }
}

async function startOnce({ program, data, profile }: RegionOptions): Promise<RunningServer> {
  const args = ['up', '--regions', region, '--data', data, '--port', String(await freePort()), '--no-restart', '--json']
  const begin = performance.now()
  const started = start([program, ...args], profile)
  const stop = async (): Promise<void> => {
    started.child.kill('SIGTERM')
    await started.ended
  }
  try {
    const printed = JSON.parse(await started.line) as Printed // printed by `farshore up --json`
    const [{ s3, pid }] = printed.regions
    const { accessKeyId, secretAccessKey } = printed
    await fetch(s3)
    const startMs = performance.now() - begin
    return { endpoint: s3, pid, credentials: { accessKeyId, secretAccessKey, region }, startMs, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export async function startBareServer(): Promise<RunningServer> {
  const begin = performance.now()
  const { child, line, ended } = start([bareServer], undefined)
  const endpoint = `http://127.0.0.1:${await line}`
  return {
    endpoint,
    startMs: performance.now() - begin,
    pid: child.pid ?? 0,
    credentials: { accessKeyId: 'bare', secretAccessKey: 'bare', region },
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}

interface Printed {
  readonly regions: readonly [{ readonly s3: string; readonly pid: number }]
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

interface Started {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  /** The first that it prints. */
  readonly line: Promise<string>
  readonly ended: Promise<unknown>
}

function start(args: readonly string[], profile: string | undefined): Started {
  const profiling = profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }
  const child = spawn(process.execPath, [...args], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...profiling } })
  process.once('exit', () => child.kill('SIGTERM'))
  const ended = once(child, 'exit')
  const line = Promise.race([
    once(createInterface(child.stdout), 'line').then(([first]) => String(first)),
    ended.then(() => {
      throw new Error(`${args[0]} ended before it was ready`)
    }),
  ])
  return { child, line, ended }
}

/** A region takes the port above it too. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port < 65_000 ? address.port : address.port - 1000
}
