/** Reads the settings of a region: flags > environment > YAML file > defaults. The only reader of the environment. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { complete, givenCredentials, type LoadedConfig, resolveRegions } from './complete.ts'
import { ConfigError } from './config-error.ts'
import type { GivenCredentials } from './credentials.ts'
import { cannotRead } from './files.ts'
import { checkSettings, environmentLayer, flagsLayer, isTree, mergeLayers, type Tree, valueAt, withValue } from './layers.ts'
import type { Settings } from './schema.ts'
import { listSettings } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface ConfigSources {
  /** The YAML file; absent: environment and flags alone. */
  readonly file?: string
  /** `name=value` each. */
  readonly assignments?: readonly string[]
  readonly environment?: Environment
}

/** The FARSHORE_ variables of this process. */
export function processEnvironment(): Environment {
  return process.env
}

/** @throws ConfigError naming the setting, and what is wrong with it */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  return complete(await loadSettings(sources))
}

/** As `loadConfig`, without reading or making credentials. Paths in the result are absolute. */
export async function loadSettings({ file, assignments = [], environment = processEnvironment() }: ConfigSources): Promise<Settings> {
  const here = process.cwd()
  const written = file === undefined ? {} : absolutePaths(await readYaml(file), dirname(resolve(file)))
  const layers = [written, absolutePaths(environmentLayer(environment), here), absolutePaths(flagsLayer(assignments), here)]
  const settings = checkSettings(mergeLayers(layers), file ?? 'The configuration')
  resolveRegions(settings)
  return settings
}

/**
 * What the environment says for several regions alike. @throws ConfigError for a variable that would give all of them one name, folder or port
 */
export async function loadSharedCredentials(environment: Environment): Promise<GivenCredentials> {
  const layer = environmentLayer(environment)
  const own = listSettings().find(({ name, path }) => ownSettings.test(name) && valueAt(layer, path) !== undefined)
  if (own !== undefined) {
    throw new ConfigError(`${own.variables.join(' or ')} is for one region alone and can not be set for several that start together.`)
  }
  const anyRegion = { region: 'any', dataDirectory: '.' }
  return givenCredentials(checkSettings(mergeLayers([anyRegion, absolutePaths(layer, process.cwd())]), 'The environment'))
}

const ownSettings = /^(region|regions|dataDirectory|s3\..*|admin\..*|credentialsFile|encryption\.masterKeyFile|tiers)$/

const fileBytesMax = 1024 * 1024 // Far above any real one; a wrong path should not fill the memory.

async function readYaml(file: string): Promise<Tree> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw cannotRead(file, cause)
  })
  if (text.length > fileBytesMax) throw new ConfigError(`${file} is too large for a configuration file.`)
  const document = parseDocument(text, { prettyErrors: true })
  const [error] = document.errors
  if (error !== undefined) throw new ConfigError(`${file} is not YAML: ${error.message.split('\n')[0]?.replace(/:$/, '') ?? ''}.`)
  const tree: unknown = toPlain(document, file)
  if (tree === null) return {}
  if (!isTree(tree)) throw new ConfigError(`${file} must hold settings by name.`)
  return tree
}

function toPlain(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    throw new ConfigError(`${file} is not usable YAML.`, { cause })
  }
}

/** Relative paths mean relative to the place where they are written. */
function absolutePaths(tree: Tree, from: string): Tree {
  const here = listSettings()
    .filter((setting) => setting.isPath)
    .reduce((result, { path }) => withAbsolute(result, path, from), tree)
  const { tiers } = here
  if (!Array.isArray(tiers)) return here
  return {
    ...here,
    tiers: tiers.map((tier: unknown) => (isTree(tier) ? tierPaths.reduce((to, path) => withAbsolute(to, path, from), tier) : tier)),
  }
}

/** Within an entry of `tiers`. */
const tierPaths: readonly (readonly string[])[] = [['folder'], ['bucket', 'secretAccessKeyFile']]

function withAbsolute(tree: Tree, path: readonly string[], from: string): Tree {
  const value = valueAt(tree, path)
  return typeof value === 'string' && value !== '' ? withValue(tree, path, resolve(from, value)) : tree
}
