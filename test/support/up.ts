/** Regions as a user starts them: the real command, as processes of their own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { createInterface } from 'node:readline'

const farshore = new URL('../../bin/farshore.js', import.meta.url).pathname

export interface UpRegion {
  readonly region: string
  readonly s3: string
  readonly console: string
  readonly pid: number
}

export interface Up {
  readonly regions: readonly UpRegion[]
  readonly accessKeyId: string
  readonly secretAccessKey: string
  stop(): Promise<void>
}

/** `farshore up … --json`, until it says that all regions answer. @throws Error with what it printed when it does not start */
export async function up(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Up> {
  const env = { ...process.env, ...environment }
  const child = spawn(process.execPath, [farshore, 'up', ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'], env })
  let printed = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const ended = once(child, 'exit')
  const line = await Promise.race([once(createInterface(child.stdout), 'line'), ended.then(() => undefined)])
  if (line === undefined) throw new Error(`farshore up did not start: ${printed}`)
  const started = JSON.parse(String(line[0])) as Omit<Up, 'stop'> // what `farshore up --json` prints
  return {
    ...started,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await ended
    },
  }
}

const portsOf = (port: number): readonly number[] => [port, port + 1, port + 100, port + 101]
/** Blocks of 200 ports from here on, below those that the system gives out by itself, and 50 places for two regions in each. */
const firstPort = 20_000
const places = 60 * 50
/** A place is held by listening on a port of its own, so that no other test process takes it between here and the start of the regions. */
const firstGuardPort = 10_000

/** The first of the ports that two regions take: this one, the next, and both a hundred above. Held until this process ends. */
export async function freePorts(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const place = Math.floor(Math.random() * places)
    const guard = await listener(firstGuardPort + place)
    if (guard === undefined) continue
    const port = firstPort + 200 * Math.floor(place / 50) + 2 * (place % 50)
    const probes = await Promise.all(portsOf(port).map(listener))
    await Promise.all(probes.map((probe) => probe && new Promise((resolve) => probe.close(resolve))))
    if (probes.every((probe) => probe !== undefined)) return port
    guard.close()
  }
  throw new Error('no free ports were found')
}

async function listener(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1')
  // Rejects when the port is taken.
  const isOurs = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  return isOurs ? server.unref() : undefined
}
