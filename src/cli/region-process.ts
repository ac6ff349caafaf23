/** One region as a child process: started, watched, started again, stopped. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, renameSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError } from '../config/config-error.ts'
import { cannotWrite } from '../config/files.ts'
import type { RegionMessage } from './server.ts'
import { aborted } from './stop.ts'

export interface RegionProcessOptions {
  readonly region: string
  /** `http://host:port`, asked for `/_health/ready`. */
  readonly s3: string
  /** The script that Node runs, and the settings of the region. */
  readonly entry: string
  readonly configFile: string
  /** Takes what the region logs. */
  readonly logFile: string
  readonly restart: boolean
  /** Told when a region that had been ready ends by itself. */
  readonly onEnd: (event: EndEvent) => void
}

export interface EndEvent {
  readonly region: string
  /** In words. */
  readonly how: string
  /** Absent: it stays down. */
  readonly retryInMs?: number
}

export interface RegionProcess {
  /** Resolves with its process id once the region answers. @throws ConfigError when it ends before, with its own words where it had some */
  readonly ready: Promise<number>
  /** Resolves when it has ended and will not be started again. */
  readonly ended: Promise<void>
  /** Asks it to end, and kills it after `drainMaxMs`. */
  stop(): void
  kill(): void
}

const drainMaxMs = 30_000
const pollMs = 50
const answerTimeoutMs = 2_000
const retryFirstMs = 500
const retryMaxMs = 30_000
const soundAfterMs = 60_000 // Who lived this long is not failing over and over.
const logBytesMax = 64 * 1024 * 1024

export function startRegionProcess(options: RegionProcessOptions): RegionProcess {
  const stopping = new AbortController()
  const first = launch(options)
  let current = first
  const ready = becomeReady(first, options, stopping.signal)

  async function watch(): Promise<void> {
    // A region that never was ready is whoever started it's to report.
    if (
      !(await ready.then(
        () => true,
        () => false,
      ))
    )
      return void (await current.ended)
    let failures = 0
    for (;;) {
      const startedMs = performance.now()
      const how = await current.ended
      if (stopping.signal.aborted) return
      failures = performance.now() - startedMs > soundAfterMs ? 0 : failures + 1
      const retryInMs = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.max(0, failures - 1))
      options.onEnd({ region: options.region, how, ...(options.restart ? { retryInMs } : {}) })
      if (!options.restart) return
      await sleep(retryInMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      current = launch(options)
    }
  }

  return {
    ready,
    ended: watch(),
    stop() {
      stopping.abort()
      void stopChild(current)
    },
    kill() {
      stopping.abort()
      current.child.kill('SIGKILL')
    },
  }
}

interface Launched {
  readonly child: ChildProcess
  /** Resolves when it says that it listens; never, if it does not. */
  readonly listening: Promise<void>
  /** Resolves with how it ended, in words. */
  readonly ended: Promise<string>
}

function launch({ entry, configFile, logFile }: RegionProcessOptions): Launched {
  const log = openLog(logFile)
  // The channel is what ends the region when this process dies, even by SIGKILL: the system closes it.
  const child = spawn(process.execPath, [entry, 'server', '--supervised', '--config', configFile], {
    stdio: ['ignore', 'ignore', log, 'ipc'],
  })
  closeSync(log)
  let said: string | undefined
  let listen = (): void => undefined
  const listening = new Promise<void>((done) => {
    listen = done
  })
  // Only our own server command speaks on this channel.
  child.on('message', (message: RegionMessage) => {
    if (message.kind === 'failed') said = message.message
    else listen()
  })
  const ended = new Promise<string>((done) => {
    child.once('error', (error) => done(error.message))
    child.once('exit', (code, signal) =>
      done(said ?? (signal === null ? `It ended with code ${code}, see ${logFile}.` : `It was ended by ${signal}.`)),
    )
  })
  return { child, listening, ended }
}

async function becomeReady(
  { child, listening, ended }: Launched,
  { region, s3 }: RegionProcessOptions,
  signal: AbortSignal,
): Promise<number> {
  const over = new AbortController()
  const failed = ended.then((how) => {
    over.abort()
    throw new ConfigError(`${region} could not start. ${how}`)
  })
  // NOTE: it says that it listens before anybody asks, so that the answer is not another server's.
  await Promise.race([listening.then(() => answers(s3, AbortSignal.any([over.signal, signal]))), failed, aborted(signal)])
  if (signal.aborted || child.pid === undefined) throw new ConfigError(`${region} was told to stop before it was ready.`)
  return child.pid
}

async function answers(s3: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const isReady = await fetch(`${s3}/_health/ready`, { signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]) }).then(
      async (response) => {
        await response.arrayBuffer()
        return response.ok
      },
      () => false,
    )
    if (isReady) return
    await sleep(pollMs, undefined, { signal }).catch(() => undefined)
  }
}

async function stopChild({ child, ended }: Launched): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), drainMaxMs)
  await ended
  clearTimeout(timer)
}

function openLog(file: string): number {
  try {
    if (sizeOf(file) > logBytesMax) renameSync(file, `${file}.1`)
    return openSync(file, 'a', 0o600)
  } catch (cause) {
    throw cannotWrite(file, cause)
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
