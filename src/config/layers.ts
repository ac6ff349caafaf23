/** Pure steps from what was written (file, environment, flags) to one checked value. */
import { z } from 'zod'
import { ConfigError } from './config-error.ts'
import { didYouMean } from './nearest.ts'
import { type Settings, settingsSchema } from './schema.ts'
import { entryMeanings, listSettings, type Setting } from './settings.ts'

export type Tree = { readonly [key: string]: unknown }

/** Later layers go before earlier ones, setting by setting; a secret and the file that holds it replace each other. */
export function mergeLayers(layers: readonly Tree[]): Tree {
  return layers.reduce((under, over) => overlay(under, over), {})
}

/** @param source  what the messages call the place, e.g. a file's name */
export function checkSettings(tree: Tree, source: string): Settings {
  const parsed = settingsSchema.safeParse(tree)
  if (parsed.success) return parsed.data
  const messages = parsed.error.issues.slice(0, messagesMax).flatMap((issue) => messagesOf(issue))
  throw new ConfigError(messages.map((message) => `${source}: ${message}`).join('\n'))
}

/** @throws ConfigError for a FARSHORE_ variable that names no setting, or a value of the wrong kind */
export function environmentLayer(environment: Readonly<Record<string, string | undefined>>): Tree {
  const settings = listSettings()
  const byVariable = new Map(settings.flatMap((setting) => setting.variables.map((variable) => [variable, setting] as const)))
  let tree: Tree = {}
  for (const [variable, text] of Object.entries(environment)) {
    // Empty is absent: compose files pass on variables that nobody set.
    if (!variable.startsWith('FARSHORE_') || text === undefined || text === '' || isServiceLink(variable)) continue
    const setting = byVariable.get(variable)
    if (setting === undefined) {
      throw new ConfigError(`The environment variable ${variable} is not a setting.${didYouMean(variable, [...byVariable.keys()])}`)
    }
    const other = setting.variables.find((name) => name !== variable && (environment[name] ?? '') !== '')
    if (other !== undefined)
      throw new ConfigError(`The environment variables ${variable} and ${other} are the same setting; keep one of them.`)
    tree = withValue(tree, setting.path, parseText(setting, text, `The environment variable ${variable}`))
  }
  return tree
}

/** @param assignments  `name=value` each, from the command line */
export function flagsLayer(assignments: readonly string[]): Tree {
  const settings = listSettings()
  let tree: Tree = {}
  for (const assignment of assignments) {
    const at = assignment.indexOf('=')
    const name = at === -1 ? assignment : assignment.slice(0, at)
    const setting = settings.find((candidate) => candidate.name === name)
    if (setting === undefined) {
      throw new ConfigError(
        `${name} is not a setting.${didYouMean(
          name,
          settings.map((candidate) => candidate.name),
        )}`,
      )
    }
    if (at === -1) throw new ConfigError(`${name} needs a value: ${name}=VALUE.`)
    tree = withValue(tree, setting.path, parseText(setting, assignment.slice(at + 1), name))
  }
  return tree
}

export function withValue(tree: Tree, path: readonly string[], value: unknown): Tree {
  const [key, ...rest] = path
  if (key === undefined) return tree
  const child = tree[key]
  return { ...tree, [key]: rest.length === 0 ? value : withValue(isTree(child) ? child : {}, rest, value) }
}

export function valueAt(tree: Tree, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), tree)
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const messagesMax = 20 // A file of another kind altogether should not fill the screen.

function overlay(under: Tree, over: Tree): Tree {
  const merged = new Map(Object.entries(under))
  for (const [key, value] of Object.entries(over)) {
    const old = merged.get(key)
    const twin = key.endsWith('File') ? key.slice(0, -'File'.length) : `${key}File`
    // `credentials` is a group, not the value of `credentialsFile`.
    if (!isTree(value) && !isTree(merged.get(twin))) merged.delete(twin)
    merged.set(key, isTree(value) && isTree(old) ? overlay(old, value) : value)
  }
  return Object.fromEntries(merged)
}

function parseText(setting: Setting, text: string, source: string): unknown {
  if (setting.kind === 'integer') {
    if (!/^-?\d{1,15}$/.test(text)) throw new ConfigError(`${source} must be a whole number.`)
    return Number(text)
  }
  if (setting.kind === 'boolean') {
    if (text !== 'true' && text !== 'false') throw new ConfigError(`${source} must be true or false.`)
    return text === 'true'
  }
  if (setting.kind === 'list') return text.split(',').map((item) => item.trim())
  if (setting.kind === 'structured') return jsonOf(text, source)
  return text
}

function jsonOf(text: string, source: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ConfigError(`${source} must be JSON.`, { cause })
  }
}

function messagesOf(issue: z.core.$ZodIssue): string[] {
  const where = z.core.toDotPath(issue.path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const name = where === '' ? key : `${where}.${key}`
      return `${name} is not a setting.${didYouMean(name, knownNames(where))}`
    })
  }
  // zod keeps the input to itself, so that a secret is not repeated; that it was absent stands only in its words.
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined') && where !== '') return [`${where} is missing.`]
  return [where === '' ? issue.message : `${where}: ${issue.message}`]
}

/** Every setting and every group of them; in an entry of a list, what such an entry has. */
function knownNames(where: string): readonly string[] {
  const entry = /^(\w+)\[\d+\](?:\.(\w+))?$/.exec(where)
  if (entry !== null) return entryMeanings(entry[1] ?? '', entry[2]).map(([key]) => `${where}.${key}`)
  return [...new Set(listSettings().flatMap(({ path }) => path.map((_, i) => path.slice(0, i + 1).join('.'))))]
}

/** Kubernetes gives every container FARSHORE_PORT_9000_TCP and the like when a service is called farshore; they are not ours. */
function isServiceLink(variable: string): boolean {
  return /^FARSHORE_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$/.test(variable)
}
