/** `farshore check`: verifies everything that regions keep, whether they run or not, and says what is wrong. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { ConfigError } from '../config/config-error.ts'
import { configFile, readDeployment } from '../config/deployment.ts'
import { loadSettings } from '../config/load.ts'
import { masterKeyIfThere } from '../config/master-key.ts'
import type { Settings } from '../config/schema.ts'
import { type CheckTarget, type CliContext, type ExitCode, exitCodes, type Finding, type RegionReport } from './context.ts'
import { listenForStop } from './stop.ts'

interface Options {
  readonly data: string
  readonly config?: string
  readonly json?: boolean
}

export function addCheck(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  program
    .command('check')
    .description('verify every reference, checksum and counter on the disk; exit code 3 when something is wrong')
    .option('--data <dir>', 'the folder that farshore up was given, or the data folder of one region', './farshore-data')
    .option('--config <file>', 'check the region of these settings instead')
    .option('--json', 'answer in JSON')
    .action(async (options: Options) => finish(await check(options, context)))
}

async function check(options: Options, context: CliContext): Promise<ExitCode> {
  const stop = listenForStop({ again: () => process.exit(exitCodes.failed), isSupervised: false })
  try {
    const regions: RegionReport[] = []
    for (const target of await targetsOf(options, context)) {
      const report = await context.checkRegion(target, stop.signal)
      regions.push(report)
      if (!options.json) for (const line of linesOf(report)) context.out(line)
    }
    if (options.json) context.out(JSON.stringify({ regions }))
    return regions.every(({ findings }) => findings.length === 0) ? exitCodes.ok : exitCodes.notInSync
  } finally {
    stop.release()
  }
}

/** @throws ConfigError when there is no region */
async function targetsOf({ data, config }: Options, { environment }: CliContext): Promise<readonly CheckTarget[]> {
  if (config !== undefined) return [await targetOf(await loadSettings({ file: config, environment }))]
  const directory = resolve(data)
  const deployment = await readDeployment(directory)
  if (deployment !== undefined) {
    // What stands in the environment is for one region; these have each a file of their own.
    const files = deployment.regions.map(({ region }) => configFile(directory, region))
    return await Promise.all(files.map(async (file) => targetOf(await loadSettings({ file, environment: {} }))))
  }
  if (!existsSync(join(directory, 'metadata'))) throw new ConfigError(`There is neither a deployment nor a region's data in ${directory}.`)
  return [await targetOf({ dataDirectory: directory, encryption: {} })]
}

async function targetOf({
  dataDirectory,
  encryption,
}: {
  readonly dataDirectory: string
  readonly encryption: Partial<Settings['encryption']>
}): Promise<CheckTarget> {
  return { dataDirectory, masterKey: await masterKeyIfThere(encryption.masterKeyFile ?? join(dataDirectory, 'master.key')) }
}

function linesOf({ region, checked, findings, unlisted }: RegionReport): readonly string[] {
  const { buckets, versions, blobs, bytes, blobsInTiers, bytesInTiers, tasks, orphanFiles, orphanBytes } = checked
  const looked = `${region}: ${buckets} buckets, ${versions} versions, ${blobs} blobs with ${bytes} bytes, ${tasks} tasks`
  const orphans =
    orphanFiles === 0 ? [] : [`${region}: ${orphanFiles} files with ${orphanBytes} bytes belong to nothing; a start takes them away`]
  const passed = blobsInTiers === 0 ? [] : [`${region}: ${blobsInTiers} blobs with ${bytesInTiers} bytes are in tiers and were not read`]
  if (findings.length === 0) return [`${looked}: all is well`, ...passed, ...orphans]
  const more = unlisted === 0 ? '' : ` (${unlisted} more are not listed)`
  return [
    ...findings.map((finding) => `${region}: ${wordsOf(finding)}`),
    ...passed,
    ...orphans,
    `${looked}: ${findings.length} findings${more}`,
  ]
}

function wordsOf({ kind, bucket, key, versionId, what }: Finding): string {
  const place = [bucket, key].filter((part) => part !== null).join('/')
  const version = versionId === null ? '' : ` version ${versionId}`
  return place === '' ? `${kind}: ${what}` : `${place}${version}: ${kind}: ${what}`
}
