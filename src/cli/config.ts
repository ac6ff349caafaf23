/** `farshore config`: checks, prints and prepares settings without starting anything. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { refuseKnownSecrets } from '../config/complete.ts'
import { keepCredentials } from '../config/credentials.ts'
import { deploymentFiles } from '../config/deployment.ts'
import { loadSettings, loadSharedCredentials } from '../config/load.ts'
import { withoutSecrets } from '../config/settings.ts'
import { type CliContext, type ExitCode, exitCodes } from './context.ts'

interface FileOptions {
  readonly config?: string
  readonly json?: boolean
}

interface InitOptions {
  readonly data: string
  readonly json?: boolean
}

export function addConfig(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  const group = program.command('config').description('check, print and prepare settings')
  group
    .command('check')
    .description('say whether the settings of a region are right')
    .option('--config <file>', 'its YAML file')
    .option('--json', 'answer in JSON')
    .action(async (options: FileOptions) => finish(await check(options, context)))
  group
    .command('print')
    .description('print the settings a region would run with, without secrets')
    .option('--config <file>', 'its YAML file')
    .option('--json', 'answer in JSON')
    .action(async (options: FileOptions) => finish(await print(options, context)))
  group
    .command('init')
    .description('make the account and the secrets that all regions of a deployment share, unless they are there')
    .option('--data <dir>', 'the folder for credentials.json', './farshore-data')
    .option('--json', 'answer in JSON')
    .action(async (options: InitOptions) => finish(await init(options, context)))
}

async function check(options: FileOptions, context: CliContext): Promise<ExitCode> {
  const settings = await settingsOf(options, context)
  context.out(options.json ? JSON.stringify({ ok: true, region: settings.region }) : `The settings of ${settings.region} are right.`)
  return exitCodes.ok
}

async function print(options: FileOptions, context: CliContext): Promise<ExitCode> {
  const settings = withoutSecrets(await settingsOf(options, context))
  context.out(options.json ? JSON.stringify(settings) : stringify(settings).trimEnd())
  return exitCodes.ok
}

function settingsOf({ config }: FileOptions, { environment }: CliContext): ReturnType<typeof loadSettings> {
  return loadSettings({ ...(config === undefined ? {} : { file: config }), environment })
}

async function init(options: InitOptions, context: CliContext): Promise<ExitCode> {
  const file = deploymentFiles(resolve(options.data)).credentials
  const given = await loadSharedCredentials(context.environment)
  // Nobody knows yet where the regions will listen: what only a lone machine may have must not take the place of what is kept.
  refuseKnownSecrets(given)
  const { credentials, isNew } = await keepCredentials(file, given)
  const { accountId, rootAccessKeyId, rootSecretAccessKey } = credentials
  if (options.json) {
    context.out(
      JSON.stringify({ file, accountId, accessKeyId: rootAccessKeyId, ...(isNew ? { secretAccessKey: rootSecretAccessKey } : {}) }),
    )
    return exitCodes.ok
  }
  context.out(`Account ${accountId}, access key ${rootAccessKeyId}, kept in ${file}`)
  if (isNew) context.out(`Secret key ${rootSecretAccessKey} (shown this once)`)
  return exitCodes.ok
}
