/** `farshore up`: regions side by side on this machine, each its own process, until they are told to stop. */
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { type KeptCredentials, keepCredentials } from '../config/credentials.ts'
import {
  configFile,
  type Deployment,
  deploymentFiles,
  planDeployment,
  readDeployment,
  regionFolder,
  writeDeployment,
} from '../config/deployment.ts'
import { makeFolder } from '../config/files.ts'
import { loadSharedCredentials } from '../config/load.ts'
import { regionName } from '../config/schema.ts'
import { lockFolder } from '../lib/folder-lock.ts'
import { type CliContext, type ExitCode, exitCodes } from './context.ts'
import { checkPorts } from './ports.ts'
import { type EndEvent, type RegionProcess, startRegionProcess } from './region-process.ts'
import { signInLink } from './sign-in-link.ts'
import { listenForStop } from './stop.ts'

interface UpOptions {
  readonly regions?: readonly string[]
  readonly data: string
  readonly port?: number
  readonly json?: boolean
  readonly restart: boolean
}

const defaultRegions: readonly string[] = ['us-east-1', 'eu-west-1']
const defaultPort = 9000
const regionsMax = 64 // As many as a configuration may name.

export function addUp(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  program
    .command('up')
    .description('run regions side by side on this machine')
    .option(
      '--regions <names>',
      `their names, separated by commas (default: those of the last start, else ${defaultRegions.join(',')})`,
      parseRegions,
    )
    .option('--data <dir>', 'the folder that holds everything', './farshore-data')
    .option(
      '--port <port>',
      `the S3 port of the first; each next one is 100 above (default: that of the last start, else ${defaultPort})`,
      parsePort,
    )
    .option('--json', 'say on one line of JSON what runs where, once all regions answer')
    .option('--no-restart', 'leave a region that dies dead')
    .action(async (options: UpOptions) => finish(await up(options, context)))
}

async function up(options: UpOptions, context: CliContext): Promise<ExitCode> {
  const directory = resolve(options.data)
  const given = await loadSharedCredentials(context.environment)
  await makeFolder(directory)
  const lock = lockFolder(directory)
  try {
    const last = await readDeployment(directory)
    const deployment = planFor(options, last)
    for (const line of changesOf(last, deployment)) context.err(`farshore: ${line}`)
    await checkPorts(deployment.regions.flatMap(({ s3, console }) => [s3, console]))
    const kept = await keepCredentials(deploymentFiles(directory).credentials, given)
    await writeDeployment(directory, deployment)
    return await run({ deployment, directory, kept, options }, context)
  } finally {
    lock.release()
  }
}

function planFor(options: UpOptions, last: Deployment | undefined): Deployment {
  const names = options.regions ?? last?.regions.map(({ region }) => region) ?? defaultRegions
  const lastPort = last?.regions[0] === undefined ? defaultPort : Number(new URL(last.regions[0].s3).port)
  return planDeployment(names, options.port ?? lastPort)
}

/** What an operator may not have meant: regions of the last start that are left out now, or answer elsewhere. */
function changesOf(last: Deployment | undefined, deployment: Deployment): readonly string[] {
  return (last?.regions ?? []).flatMap(({ region, s3 }) => {
    const now = deployment.regions.find((one) => one.region === region)
    if (now === undefined) return [`${region} ran here before and is left out now: it stays down, and what is meant for it waits.`]
    return now.s3 === s3 ? [] : [`${region} answers at ${now.s3} now, and no longer at ${s3}.`]
  })
}

interface Start {
  readonly deployment: Deployment
  readonly directory: string
  readonly kept: KeptCredentials
  readonly options: UpOptions
}

async function run(start: Start, context: CliContext): Promise<ExitCode> {
  const processes: RegionProcess[] = []
  const stop = listenForStop({ again: () => stopAll(processes, 'kill') })
  stop.signal.addEventListener('abort', () => stopAll(processes, 'stop'))
  try {
    for (const region of start.deployment.regions) {
      processes.push(
        startRegionProcess({
          region: region.region,
          s3: region.s3,
          entry: context.entry,
          configFile: configFile(start.directory, region.region),
          logFile: join(regionFolder(start.directory, region.region), 'farshore.log'),
          restart: start.options.restart,
          onEnd: (event) => context.err(endText(event)),
        }),
      )
    }
    const pids = await Promise.all(processes.map(({ ready }) => ready))
    await announce(start, pids, context)
    await allEnded(processes)
    return stop.signal.aborted ? exitCodes.ok : exitCodes.failed
  } catch (error) {
    const wasAsked = stop.signal.aborted
    stopAll(processes, 'stop')
    await allEnded(processes)
    if (wasAsked) return exitCodes.ok
    throw error
  } finally {
    stop.release()
  }
}

async function announce({ deployment, directory, kept, options }: Start, pids: readonly number[], context: CliContext): Promise<void> {
  const { rootAccessKeyId, rootSecretAccessKey } = kept.credentials
  if (options.json) {
    const regions = deployment.regions.map(({ region, s3, console }, i) => ({ region, s3, console, pid: pids[i] }))
    context.out(JSON.stringify({ regions, accessKeyId: rootAccessKeyId, secretAccessKey: rootSecretAccessKey }))
    return
  }
  const [first] = deployment.regions
  const width = Math.max(...deployment.regions.map(({ region }) => region.length))
  for (const { region, s3, console } of deployment.regions) context.out(`${region.padEnd(width)}  S3 ${s3}  console ${console}`)
  const file = deploymentFiles(directory).credentials
  context.out(`access key ${rootAccessKeyId}`)
  context.out(kept.isNew ? `secret key ${rootSecretAccessKey}  (shown this once, kept in ${file})` : `secret key in ${file}`)
  context.out('')
  context.out(`export AWS_ACCESS_KEY_ID=${rootAccessKeyId} AWS_SECRET_ACCESS_KEY=${kept.isNew ? rootSecretAccessKey : '…'}`)
  context.out(`aws --endpoint-url ${first?.s3} --region ${first?.region} s3 mb s3://my-first-bucket`)
  context.out('')
  const link = await signInLink(first?.console ?? '', { data: directory })
  if (link !== undefined) context.out(`Console, signed in: ${link}  (once, within ten minutes)`)
  context.out('Ctrl-C stops all.')
}

function stopAll(processes: readonly RegionProcess[], how: 'stop' | 'kill'): void {
  for (const region of processes) region[how]()
}

async function allEnded(processes: readonly RegionProcess[]): Promise<void> {
  await Promise.all(processes.map(({ ended }) => ended))
}

function endText({ region, how, retryInMs }: EndEvent): string {
  const next = retryInMs === undefined ? 'It stays down.' : `It starts again in ${retryInMs / 1000} s.`
  return `farshore: ${region} ended. ${how} ${next}`
}

function parseRegions(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  for (const name of names) {
    const checked = regionName.safeParse(name)
    if (!checked.success) throw new InvalidArgumentError(`${JSON.stringify(name)}: ${checked.error.issues[0]?.message}.`)
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new InvalidArgumentError(`Each region is named once, and ${twice} is named twice.`)
  if (names.length > regionsMax) throw new InvalidArgumentError(`At most ${regionsMax} regions.`)
  return names
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65535)
    throw new InvalidArgumentError('A port is a number from 1 to 65535.')
  return Number(text)
}
