/** Starts the two regions as `farshore up` does, and ends them again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { say, title } from './print.ts'

export interface DemoRegion {
  readonly region: string
  readonly s3: string
  readonly console: string
  readonly pid: number
}

export interface DemoRegions {
  readonly list: readonly [DemoRegion, DemoRegion]
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Resolves when the regions have ended by themselves. */
  readonly ended: Promise<unknown>
  stop(): Promise<void>
}

const farshore = fileURLToPath(new URL('../../bin/farshore.js', import.meta.url))

export async function startRegions(options: {
  readonly data: string
  readonly port: string
  readonly more?: readonly string[]
}): Promise<DemoRegions> {
  title('Two regions')
  const args = ['up', '--regions', 'us-east-1,eu-west-1', '--data', options.data, '--port', options.port, '--json', ...(options.more ?? [])]
  say(`  farshore ${args.join(' ')}`)
  // A group of its own: Ctrl-C comes to the demo, which then ends the regions in order.
  const child = spawn(process.execPath, [farshore, ...args], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await ended
  }
  // A demo that is killed takes its regions along.
  process.once('exit', () => child.kill('SIGTERM'))
  const line = await Promise.race([once(createInterface(child.stdout), 'line'), ended.then(() => undefined)])
  if (line === undefined) throw new Error('the regions did not start')
  const started = JSON.parse(String(line[0])) as Omit<DemoRegions, 'list' | 'ended' | 'stop'> & { regions: DemoRegion[] } // printed by `farshore up --json`
  const [first, second] = started.regions
  if (first === undefined || second === undefined) throw new Error('two regions were expected')
  for (const { region, s3, pid } of [first, second]) say(`  ${region}   ${s3}   process ${pid}`)
  return { list: [first, second], accessKeyId: started.accessKeyId, secretAccessKey: started.secretAccessKey, ended, stop }
}
