/** `farshore server`: one region, in this process, until it is told to stop. */
import { type Command, Option } from 'commander'
import { destination, pino } from 'pino'
import { makeFolder } from '../config/files.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { lockFolder } from '../lib/folder-lock.ts'
import { type CliContext, type ExitCode, exitCodes, type RunningRegion } from './context.ts'
import { failureOf } from './failure.ts'
import { addressOf } from './format.ts'
import { aborted, listenForStop } from './stop.ts'

interface ServerOptions {
  readonly config?: string
  readonly set?: readonly string[]
  readonly json?: boolean
  readonly supervised?: boolean
}

/** What a region tells the process that supervises it. */
export type RegionMessage = { readonly kind: 'listening' } | { readonly kind: 'failed'; readonly message: string }

export function addServer(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  program
    .command('server')
    .description('run one region until it is told to stop')
    .option('--config <file>', 'its settings, a YAML file')
    .option('--set <name=value>', 'a setting, before environment and file; may be repeated', collect)
    .option('--json', 'say on one line of JSON where it listens')
    .addOption(new Option('--supervised', 'speak to the process that started it, and end with it').hideHelp())
    .action(async (options: ServerOptions) => finish(await serve(options, context)))
}

async function serve(options: ServerOptions, context: CliContext): Promise<ExitCode> {
  // Killed by its own hand, as a second signal asks for; nothing acknowledged is lost by it.
  const again = (): void => void process.kill(process.pid, 'SIGKILL')
  const stop = listenForStop({ again, isSupervised: options.supervised === true })
  try {
    return await serveUntil(stop.signal, options, context)
  } catch (error) {
    tellSupervisor({ kind: 'failed', message: failureOf(error).message }, options)
    throw error
  } finally {
    stop.release()
    if (options.supervised && process.connected) process.disconnect?.()
  }
}

async function serveUntil(signal: AbortSignal, options: ServerOptions, context: CliContext): Promise<ExitCode> {
  const { config, madeCredentials } = await loadConfig({
    ...(options.config === undefined ? {} : { file: options.config }),
    assignments: options.set ?? [],
    environment: context.environment,
  })
  await makeFolder(config.dataDirectory)
  const lock = lockFolder(config.dataDirectory)
  const stream = destination({ fd: 2, sync: false })
  const log = pino({ level: config.log.level, base: { region: config.region } }, stream)
  try {
    const region = await context.startRegion(config, { log })
    announce({ config, region, madeCredentials, isJson: options.json === true }, context)
    tellSupervisor({ kind: 'listening' }, options)
    await stopOrFailure(region, signal)
    return exitCodes.ok
  } catch (error) {
    if (failureOf(error).isOurs) log.fatal({ err: error }, 'region failed')
    throw error
  } finally {
    flush(stream)
    lock.release()
  }
}

async function stopOrFailure(region: RunningRegion, signal: AbortSignal): Promise<void> {
  try {
    await Promise.race([aborted(signal), region.failed])
  } finally {
    await region.close()
  }
}

interface Announcement {
  readonly config: Config
  readonly region: RunningRegion
  readonly madeCredentials: string | undefined
  readonly isJson: boolean
}

function announce({ config, region, madeCredentials, isJson }: Announcement, context: CliContext): void {
  const s3 = addressOf(config.s3.host, region.s3Port)
  const console = addressOf(config.admin.host, region.adminPort)
  if (isJson) {
    context.out(JSON.stringify({ region: config.region, s3, console, pid: process.pid }))
    return
  }
  const publicly = config.publicUrl === s3 ? '' : `, for clients ${config.publicUrl}`
  context.out(`${config.region} is ready: S3 ${s3}${publicly}, console ${console}`)
  if (madeCredentials === undefined) return
  const { rootAccessKeyId, rootSecretAccessKey } = config.credentials
  context.out(`Access key ${rootAccessKeyId}, secret key ${rootSecretAccessKey} (shown this once, kept in ${madeCredentials})`)
}

function tellSupervisor(message: RegionMessage, { supervised }: ServerOptions): void {
  if (supervised && process.connected) process.send?.(message)
}

function flush(stream: ReturnType<typeof destination>): void {
  try {
    stream.flushSync()
  } catch {
    // stderr is closed or was never opened; there is nowhere left to say so.
  }
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
